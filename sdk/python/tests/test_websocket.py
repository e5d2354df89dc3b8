"""WebSocket channels: what is sent and refused on the wire, TLS, and a worker that lives through cuts."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import pytest
from launched import Remote, seconds_since
from test_dial_in import PLUGIN, resume
from test_resume import RESUMABLE
from websockets.client import ClientProtocol
from websockets.uri import parse_uri
from ws_host import WebSocketServer, WebSocketWire, frame, make_certificate

from synapse_worker.dial import DialError
from synapse_worker.errors import ProtocolError
from synapse_worker.websocket import WebSocketConnection, websocket_dialler
from synapse_worker.wire import messages as m


class Pair:
    """A connection of this package and its other end, joined by a socket pair."""

    def __init__(self) -> None:
        theirs, ours = socket.socketpair()
        protocol = ClientProtocol(parse_uri("ws://localhost/"))
        protocol.send_request(protocol.connect())
        ours.sendall(b"".join(protocol.data_to_send()))
        self.host = WebSocketWire(theirs)
        while not protocol.events_received():
            protocol.receive_data(ours.recv(65_536))
        self.connection = WebSocketConnection(ours, protocol)

    def close(self) -> None:
        self.connection.close()
        self.host.socket.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.close()


def ws_frame(opcode: int, data: bytes, fin: bool = True) -> bytes:
    """A frame of a server, unmasked, shorter than 126 bytes."""
    return bytes([opcode | (0x80 if fin else 0), len(data)]) + data


def test_many_frames_in_a_message_both_ways(pair: Pair) -> None:
    batch = b"".join(frame(m.PING, nonce) for nonce in range(200))
    pair.host.send_message(batch)
    assert pair.connection.read() == batch
    assert pair.connection.read() is None
    assert pair.connection.write(memoryview(batch)) == len(batch) and pair.connection.flush()
    assert [pair.host.read() for _ in range(200)] == [[m.PING, nonce] for nonce in range(200)]
    assert pair.host.messages == 1


def test_no_compression_is_offered(pair: Pair) -> None:
    assert "Sec-WebSocket-Extensions" not in pair.host.headers


def test_fragments_are_handed_on_as_they_arrive(pair: Pair) -> None:
    data = frame(m.PING, 7)
    pair.host.send_raw(ws_frame(2, data[:2], fin=False) + ws_frame(9, b"ping") + ws_frame(0, data[2:3], fin=False))
    assert pair.connection.read() == data[:3]
    pair.host.send_raw(ws_frame(0, data[3:]))
    assert pair.connection.read() == data[3:]


def test_a_message_that_ends_within_a_frame_breaks_the_protocol(pair: Pair) -> None:
    data = frame(m.PING, 7)
    pair.host.send_message(data + data[:-1])
    with pytest.raises(ProtocolError, match="within a frame"):
        pair.connection.read()


@pytest.mark.parametrize("size", range(1, 5))
def test_a_message_with_half_a_header_breaks_the_protocol(pair: Pair, size: int) -> None:
    pair.host.send_message(frame(m.PING, 7)[:size])
    with pytest.raises(ProtocolError):
        pair.connection.read()


def test_a_text_message_ends_the_connection(pair: Pair) -> None:
    pair.host.send_raw(ws_frame(2, frame(m.PING, 1)) + ws_frame(1, b"hello") + ws_frame(2, frame(m.PING, 2)))
    assert pair.connection.read() == frame(m.PING, 1)
    assert pair.connection.ended == "the host sent a text message"
    pair.connection.flush()
    assert pair.host.socket.recv(100)[0] == 0x88


@pytest.mark.parametrize(
    "data",
    [
        bytes([0x82, 127]) + (2**40).to_bytes(8, "big"), bytes([0x82, 127]) + (2**26 + 1).to_bytes(8, "big"),
        bytes([0xC2, 1, 0]), bytes([0x82, 0x81, 0, 0, 0, 0, 0]), bytes([0x83, 0]), bytes([0x80, 0]), bytes([0x89, 126, 1, 0]) + b"x" * 256,
        bytes([0x88, 1, 0]),
    ],
    ids=["a terabyte", "over the limit", "compressed", "masked", "reserved opcode", "continues nothing", "long ping", "broken close"],
)  # fmt: skip
def test_what_breaks_the_websocket_ends_the_connection(pair: Pair, data: bytes) -> None:
    pair.host.send_raw(data)
    assert pair.connection.read() == b"" and pair.connection.ended is not None


def test_a_close_is_told_without_control_characters(pair: Pair) -> None:
    pair.host.protocol.send_close(1008, "too\x1b[31mslow")
    pair.host._flush()
    assert pair.connection.read() == b""
    ended = pair.connection.ended
    assert ended is not None and "1008" in ended and "\x1b" not in ended


def test_the_end_of_the_socket(pair: Pair) -> None:
    pair.host.send(m.PING, 1)
    pair.host.socket.close()
    assert pair.connection.read() == frame(m.PING, 1)
    assert pair.connection.ended is not None or pair.connection.read() == b""


def test_pings_of_a_host_that_does_not_read_cost_a_bounded_amount(pair: Pair) -> None:
    pings = ws_frame(9, b"x" * 125) * 500
    pair.host.socket.settimeout(0.2)
    with pytest.raises(ConnectionAbortedError):
        for _ in range(2_000):
            pair.host.send_raw(pings)
            pair.connection.read()
    assert len(pair.connection._waiting) < 2 * 1024 * 1024


def test_a_host_that_does_not_read_holds_up_the_writer(pair: Pair) -> None:
    message = frame(m.PING, 1) * 10_000
    taken = 0
    while pair.connection.write(memoryview(message)):
        taken += 1
        assert taken < 1_000
    assert not pair.connection.flush() and pair.connection.can_write
    read = 0
    while read < taken * 10_000:
        assert pair.host.read() == [m.PING, 1]
        read += 1
        pair.connection.flush()
    assert pair.connection.flush() and pair.connection.write(memoryview(message))


@pytest.mark.parametrize(
    "url",
    [
        "wss://", "wss:///path", "ftp://a", "wss://a:99999", "wss://a:b", "wss://user@a", "wss://user:secret@a", "wss://a/#part",
        "ws://example.com", "ws://10.0.0.1", "ws://localhost.example.com", "ws://127.0.0.1.example.com", "wss://ä.example",
        "ws://[::ffff:10.0.0.1]", "wss://a:0", "ws://0.0.0.0",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(DialError) as raised:
        websocket_dialler(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["ws://localhost:1", "ws://127.8.8.8/a", "ws://[::1]:80/a?b=c", "wss://example.com", "wss://example.com:444/a?b"]
)
def test_addresses_that_are_taken(url: str) -> None:
    assert callable(websocket_dialler(url))


def test_localhost_that_is_not_this_machine_is_not_spoken_to_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: elsewhere)
    with pytest.raises(OSError, match="no address"):
        websocket_dialler("ws://localhost:80")()


ANSWERS: list[tuple[bytes, str]] = [
    (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200"),
    (b"SSH-2.0-OpenSSH\r\n", "does not open a WebSocket"),
    (b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n", "does not open"),
    (b"HTTP/1.1 101 " + b"x" * 100_000, "does not open"),
    (b"", "closed before"),
]


@pytest.mark.parametrize(("answer", "said"), ANSWERS, ids=["502", "200", "ssh", "wrong key", "endless line", "nothing"])
def test_what_answers_without_being_a_websocket(answer: bytes, said: str) -> None:
    server = WebSocketServer()
    dial = websocket_dialler(server.address)
    with socket.socket() as client:
        # The answer lies ready before the request is made: no thread is needed.
        outcome: list[BaseException] = []

        def run() -> None:
            try:
                dial().close()
            except BaseException as error:
                outcome.append(error)

        import threading

        thread = threading.Thread(target=run)
        thread.start()
        sock = server.accept_plain()
        sock.recv(65_536)
        try:
            sock.sendall(answer)
        except OSError:
            pass
        sock.close()
        thread.join(10)
        client.close()
    server.socket.close()
    assert outcome and isinstance(outcome[0], OSError) and said in str(outcome[0])


def test_a_worker_over_a_websocket_lives_through_a_cut() -> None:
    server = WebSocketServer()
    with Remote(PLUGIN, server.address) as remote:
        wire = server.accept()
        assert wire.path == "/plugins?a=1"
        wire.welcome(**RESUMABLE)
        id = wire.request("slow", {"seconds": 0.05})
        request = wire.read_kind(m.REQUEST)
        wire.socket.close()
        again = server.accept()
        again._next_id = wire._next_id
        resume(again, 2)
        again.send(m.RESPONSE, request[1], None, {"found": True, "value": "kept"})
        assert again.read_kind(m.RESPONSE)[1:] == [id, None, "kept"]
        # A text message is no way to speak: the worker leaves and comes back.
        again.protocol.send_text(b"hello")
        again._flush()
        last = server.accept()
        last._next_id = again._next_id
        resume(last, 3)
        big = "x" * 3_000_000
        assert last.result("echo", {"a": big}) == {"a": big}
        last.request("count", {"to": 2_000}, m.CALLER_EXPECTS_ITEMS)
        before = last.messages
        assert [last.read()[2] for _ in range(2_000)] == list(range(2_000))
        assert last.messages - before <= 2_000
        last.send(m.GOODBYE, "STOPPED", "bye")
        assert remote.wait()[0] == 0
    server.socket.close()


def test_a_message_within_a_frame_ends_a_worker() -> None:
    server = WebSocketServer()
    with Remote(PLUGIN, server.address) as remote:
        wire = server.accept()
        wire.welcome(**RESUMABLE)
        wire.send_message(frame(m.PING, 1)[:-1])
        assert wire.read_kind(m.GOODBYE)[1] == "PROTOCOL_ERROR"
        status, errors = remote.wait()
        assert status == 1 and "within a frame" in errors
    server.socket.close()


@pytest.fixture(scope="module")
def certified() -> Iterator[tuple[ssl.SSLContext, str]]:
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = make_certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        yield context, certificate


@pytest.mark.requirement("python.dial-in")
def test_a_worker_over_tls(certified: tuple[ssl.SSLContext, str]) -> None:
    context, certificate = certified
    server = WebSocketServer(context)
    with Remote(PLUGIN, server.address, env={"SSL_CERT_FILE": certificate}) as remote:
        wire = server.accept()
        wire.welcome(**{**RESUMABLE, "resume": {**RESUMABLE["resume"], "maxBytes": 4_000_000}})
        big = "x" * 2_000_000
        assert wire.result("echo", {"a": big}) == {"a": big}
        wire.socket.close()
        again = server.accept()
        again._next_id = wire._next_id
        resume(again, 2)
        assert again.result("history") == ["load"]
        again.send(m.GOODBYE, "STOPPED", "bye")
        assert remote.wait()[0] == 0
    server.socket.close()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_certificate_that_is_not_known_or_not_for_the_name_is_refused_at_once(
    certified: tuple[ssl.SSLContext, str], name: str
) -> None:
    context, certificate = certified
    server = WebSocketServer(context)
    env = {} if name == "localhost" else {"SSL_CERT_FILE": certificate}
    start = time.monotonic()
    with Remote(PLUGIN, f"wss://{name}:{server.port}", env=env) as remote:
        with pytest.raises(OSError):
            server.accept()
        status, errors = remote.wait()
        assert status == 1 and "certificate" in errors and "SSL_CERT_FILE" in errors and "registration" not in errors
        assert seconds_since(start) < 8
    server.socket.close()


def test_the_command_that_installs_what_is_missing() -> None:
    source = "import sys; sys.modules['websockets'] = None; from synapse_worker import Plugin; Plugin().run()"
    done = subprocess.run(
        [sys.executable, "-c", source], env={"SYNAPSE_WORKER_CHANNEL": "wss://example.com"},
        capture_output=True, text=True, timeout=10,
    )  # fmt: skip
    assert done.returncode == 2 and "pip install 'synapse-worker[websocket]'" in done.stderr
    assert "Traceback" not in done.stderr


