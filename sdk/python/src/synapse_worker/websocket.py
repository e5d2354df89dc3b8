"""A WebSocket as a connection (docs/protocol.md, section 13): binary, uncompressed, every message one or more whole frames.

The protocol itself is `websockets`' sans-IO half: no loop and no thread of its own, so that the IO thread serves a
WebSocket exactly as it serves any other descriptor.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from .connection import DIAL_SECONDS, Connection
from .dial import DialError, printable
from .errors import ProtocolError

try:
    from websockets.client import ClientProtocol
    from websockets.frames import Frame, Opcode
    from websockets.protocol import State
    from websockets.uri import parse_uri
except ImportError as _error:
    raise DialError(
        "a WebSocket channel needs the package websockets; install it with: pip install 'synapse-worker[websocket]'"
    ) from _error

#: The largest message that is accepted. It bounds what one message can hold in memory; frames have their own limit.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024

_READ_BYTES = 65_536
_READS_AT_ONCE = 16
# What may pile up beside our own messages (pongs) before the other side counts as one that does not read.
_MAX_UNREAD_BYTES = 1024 * 1024
# The library would log every frame at level DEBUG, and with them the token.
_SILENT = logging.Logger("synapse_worker.websocket", logging.CRITICAL + 1)


def websocket_dialler(url: str) -> Callable[[], Connection]:
    """Checks a `wss:` (or, to this machine alone, `ws:`) address and returns what dials it. Raises `DialError`."""
    parts = _checked(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    # Taken now, before any code of the plugin runs. Certificates are verified; SSL_CERT_FILE and SSL_CERT_DIR add to those known.
    context = ssl.create_default_context() if parts.scheme == "wss" else None

    def dial() -> Connection:
        until = time.monotonic() + DIAL_SECONDS
        sock = _connect(host, port, until, loopback_only=context is None)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                sock.settimeout(_left(until))
                sock = context.wrap_socket(sock, server_hostname=host)
            return WebSocketConnection(sock, _upgrade(sock, url, until))
        except ssl.SSLCertVerificationError as error:
            sock.close()
            raise DialError(
                f"the certificate of {host} is not acceptable: {error.verify_message}. For a certificate of your own, "
                "set SSL_CERT_FILE to the file that holds it or its authority"
            ) from error
        except BaseException:
            sock.close()
            raise

    return dial


class WebSocketConnection:
    """An open WebSocket over a socket, plain or TLS."""

    def __init__(self, sock: socket.socket, protocol: ClientProtocol) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._protocol = protocol
        self.read_fd = self.write_fd = sock.fileno()
        self.ended: str | None = None
        self._boundaries = _Boundaries()
        self._waiting = bytearray()
        # How long `_waiting` was when our last message was added to it.
        self._expected = 0
        self._blocked_by_read = False

    @property
    def can_write(self) -> bool:
        return not self._blocked_by_read

    def read(self) -> bytes | None:
        self._blocked_by_read = False
        for _ in range(_READS_AT_ONCE):
            try:
                data = self._socket.recv(_READ_BYTES)
            except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except ssl.SSLZeroReturnError:
                data = b""
            if not data:
                self.ended = "the host closed the connection"
                break
            self._protocol.receive_data(data)
        arrived = self._arrived()
        self._waiting += b"".join(self._protocol.data_to_send())
        if len(self._waiting) > self._expected + _MAX_UNREAD_BYTES and not self.flush():
            if len(self._waiting) > self._expected + _MAX_UNREAD_BYTES:
                raise ConnectionAbortedError("the host does not read")
        return arrived or (b"" if self.ended is not None else None)

    def _arrived(self) -> bytes:
        """The frames in the messages that arrived, also of those that are not complete yet."""
        parts: list[bytes] = []
        for event in self._protocol.events_received():
            if not isinstance(event, Frame) or event.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                continue
            if event.opcode is Opcode.TEXT:
                self._protocol.fail(1003, "binary only")
                self.ended = "the host sent a text message"
                break
            data = bytes(event.data)
            self._boundaries.feed(data)
            if event.fin and not self._boundaries.whole:
                raise ProtocolError("A WebSocket message that ends within a frame.")
            parts.append(data)
        if self.ended is None and self._protocol.state is not State.OPEN:
            self.ended = _why_closed(self._protocol)
        return b"".join(parts)

    def write(self, data: memoryview) -> int:
        if self._waiting or self._protocol.state is not State.OPEN:
            return 0
        self._protocol.send_binary(bytes(data))
        self._waiting += b"".join(self._protocol.data_to_send())
        self._expected = len(self._waiting)
        self.flush()
        return len(data)

    def flush(self) -> bool:
        while self._waiting:
            try:
                written = self._socket.send(memoryview(self._waiting)[:262_144])
            except (BlockingIOError, InterruptedError, ssl.SSLWantWriteError):
                return False
            except ssl.SSLWantReadError:
                # TLS itself has something to read first: room to write would not help.
                self._blocked_by_read = True
                return False
            del self._waiting[:written]
            self._expected = max(0, self._expected - written)
        return True

    def close(self) -> None:
        try:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(1000)
            self._waiting += b"".join(self._protocol.data_to_send())
            self.flush()
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def forget(self) -> None:
        self._socket.close()


class _Boundaries:
    """Follows the lengths of the frames, to know whether a message ends with one."""

    def __init__(self) -> None:
        self._left = 0
        self._head = b""

    def feed(self, data: bytes) -> None:
        at, end = 0, len(data)
        while at < end:
            if self._left:
                step = min(self._left, end - at)
                self._left -= step
                at += step
                continue
            piece = data[at : at + 4 - len(self._head)]
            at += len(piece)
            self._head += piece
            if len(self._head) == 4:
                self._left, self._head = int.from_bytes(self._head, "big"), b""

    @property
    def whole(self) -> bool:
        return not self._left and not self._head


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise DialError(f"{url!r} is not an address: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise DialError("the address holds a name or password; a worker shows its token, from a file, and nothing else")
    if parts.scheme not in ("wss", "ws") or not parts.hostname or port == 0 or parts.fragment or not url.isascii():
        raise DialError(f"{url!r} is not an address like wss://host:port/path")
    if parts.scheme == "ws" and not _is_loopback_name(parts.hostname):
        raise DialError(f"ws: is in the clear and for this machine alone; use wss://{parts.netloc}{parts.path}")
    return parts


def _is_loopback_name(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _connect(host: str, port: int, until: float, *, loopback_only: bool) -> socket.socket:
    """Tries the addresses of a host one after the other."""
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, number, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        # What "localhost" means is up to a file of the machine.
        if loopback_only and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
            continue
        sock = socket.socket(family, kind, number)
        try:
            sock.settimeout(_left(until))
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def _upgrade(sock: socket.socket, url: str, until: float) -> ClientProtocol:
    protocol = ClientProtocol(parse_uri(url), max_size=MAX_MESSAGE_BYTES, logger=_SILENT)
    protocol.send_request(protocol.connect())
    sock.settimeout(_left(until))
    sock.sendall(b"".join(protocol.data_to_send()))
    while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
        # A host that answers a byte at a time has no more time than any other.
        sock.settimeout(_left(until))
        data = sock.recv(_READ_BYTES)
        if not data:
            raise ConnectionResetError("the connection was closed before it became a WebSocket")
        protocol.receive_data(data)
    if protocol.handshake_exc is not None:
        response = getattr(protocol.handshake_exc, "response", None)
        status = f" (HTTP status {response.status_code})" if response is not None else ""
        raise ConnectionRefusedError(f"what answers there does not open a WebSocket{status}")
    if any(isinstance(event, Frame) for event in protocol.events_received()):
        raise ConnectionAbortedError("the host spoke before the hello")
    return protocol


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError(f"no connection within {DIAL_SECONDS:g} s")
    return left


def _why_closed(protocol: ClientProtocol) -> str:
    received = protocol.close_rcvd
    if received is not None:
        reason = f": {printable(received.reason)}" if received.reason else ""
        return f"the host closed the connection ({received.code}{reason})"
    sent = protocol.close_sent
    return "the WebSocket was broken" + (f" ({sent.code}: {printable(sent.reason)})" if sent is not None else "")
