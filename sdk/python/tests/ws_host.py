"""The host's end of a WebSocket, made by hand over a plain or a TLS socket."""

from __future__ import annotations

import socket
import ssl
import subprocess
from typing import Any

import msgpack
from launched import Wire
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from synapse_worker.wire.frames import FrameSplitter, header


class WebSocketWire(Wire):
    """Reads whole frames out of binary messages; anything else on the way fails the test."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.protocol = ServerProtocol(max_size=2**24)
        self.messages = 0
        self._upgrade()

    def _upgrade(self) -> None:
        while not (events := self.protocol.events_received()):
            self.protocol.receive_data(self.socket.recv(65_536))
        (request,) = events
        assert isinstance(request, Request)
        self.headers = request.headers
        self.path = request.path
        self.protocol.send_response(self.protocol.accept(request))
        self._flush()

    def _flush(self) -> None:
        for data in self.protocol.data_to_send():
            self.socket.sendall(data) if data else None

    def send(self, *elements: Any) -> None:
        self.send_message(frame(*elements))

    def send_message(self, data: bytes) -> None:
        self.protocol.send_binary(data)
        self._flush()

    def send_raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, max_bytes: int = 65_536) -> bool:
        data = self.socket.recv(max_bytes)
        if not data:
            return False
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            assert isinstance(event, Frame)
            if event.opcode in (Opcode.PING, Opcode.PONG, Opcode.CLOSE):
                continue
            assert event.opcode is Opcode.BINARY and event.fin and not event.rsv1
            self.messages += 1
            whole = FrameSplitter(2**31)
            whole.feed(bytes(event.data))
            while whole.next_body() is not None:
                pass
            assert whole.buffered == 0, "a message holds whole frames only"
            self.splitter.feed(bytes(event.data))
        self._flush()
        return True


def frame(*elements: Any) -> bytes:
    body: bytes = msgpack.packb(list(elements))
    return header(len(body)) + body


class WebSocketServer:
    """Accepts one connection after the other."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.socket.settimeout(10)
        self.context = context
        self.port = self.socket.getsockname()[1]

    @property
    def address(self) -> str:
        return f"{'ws' if self.context is None else 'wss'}://localhost:{self.port}/plugins?a=1"

    def accept_plain(self) -> socket.socket:
        sock, _ = self.socket.accept()
        sock.settimeout(10)
        return self.context.wrap_socket(sock, server_side=True) if self.context is not None else sock

    def accept(self) -> WebSocketWire:
        return WebSocketWire(self.accept_plain())


def make_certificate(folder: str) -> tuple[str, str]:
    """A certificate for `localhost`, signed by itself, and its key."""
    certificate, key = f"{folder}/certificate.pem", f"{folder}/key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "keyUsage=critical,digitalSignature,keyCertSign",
            "-keyout", key, "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key
