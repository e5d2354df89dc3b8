"""Connections that are lost while one side takes nothing: what waited for the other side, and what it costs to wait."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
import pytest
from launched import Remote, Wire
from test_dial_in import Server
from test_resume import RESUMABLE, Line
from ws_host import WebSocketServer

from synapse_worker.async_bridge import send_progress
from synapse_worker.session.outbox import HIGH_WATER_BYTES, MAX_QUEUED_CONTROL
from synapse_worker.session.replay import MESSAGE_OVERHEAD_BYTES
from synapse_worker.wire import messages as m

PLUGIN = """
@plugin.method
async def big(params: dict): return b"x" * params["bytes"]
@plugin.method
async def touch(params: dict):
    open(params["path"], "w").close()
@plugin.method
async def ask(params: dict, ctx: Context): return await ctx.storage.get(str(params["number"]))
"""
_UNCOUNTED = (m.PING, m.PONG, m.ACK)
_WELCOME: dict[str, Any] = {**RESUMABLE, "resume": {**RESUMABLE["resume"], "maxBytes": 64 * 1024 * 1024}}


class Books:
    """A host that keeps its books as the protocol asks for, and fails the test for every message that does not fit."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.sent = 0
        self.received = 0
        self._confirmed = 0
        self._told = 0
        self.pings = 0
        self._next_id = 2
        self.results: dict[int, Any] = {}

    def send(self, *elements: Any) -> None:
        self.sent += elements[0] not in _UNCOUNTED
        self.pings += elements[0] == m.PING
        self.wire.send(*elements)

    def request(self, method: str, params: dict[str, Any]) -> int:
        id, self._next_id = self._next_id, self._next_id + 2
        self.send(m.REQUEST, id, method, params)
        return id

    def take(self) -> None:
        """Reads one message."""
        message = self.wire.read_any()
        assert message, "the worker has ended the connection"
        self._note(message)

    def take_a_part(self, max_bytes: int) -> None:
        """Reads so much, wherever it ends, and counts the frames that are whole."""
        while max_bytes > 0:
            step = min(65_536, max_bytes)
            self.wire.receive(step)
            max_bytes -= step
        while (body := self.wire.splitter.next_body()) is not None:
            self._note(msgpack.unpackb(body))

    def _note(self, message: list[Any]) -> None:
        self.received += message[0] not in _UNCOUNTED
        match message:
            case [m.ACK, count]:
                assert self._confirmed <= count <= self.sent, "an ack that cannot be true"
                self._confirmed = count
            case [m.PONG, _]:
                assert self.pings > 0, "a pong that nobody has asked for on this connection"
                self.pings -= 1
            case [m.REQUEST, id, "storage.get", params, *_]:
                self.send(m.RESPONSE, id, None, {"found": True, "value": params["key"]})
            case [m.RESPONSE, id] | [m.RESPONSE, id, None, *_]:
                assert id not in self.results, "answered twice"
                self.results[id] = message[3] if len(message) > 3 else None
            case _:
                raise AssertionError(f"an unexpected message: {message!r:.300}")
        if self.received - self._told >= 64:
            self._told = self.received
            self.wire.send(m.ACK, self.received)

    def resume(self, wire: Wire) -> None:
        """Goes on over a new connection. Everything that was sent is known to have arrived."""
        self.wire, self.pings = wire, 0
        kind, hello = wire.read()
        assert kind == m.HELLO and hello["resume"]["received"] == self.sent
        self._confirmed, self._told = self.sent, self.received
        wire.send(m.WELCOME, {**_WELCOME, "resumed": {"received": self.received}})


@contextmanager
def _unix() -> Iterator[tuple[str, Callable[[], Wire]]]:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        yield server.address, server.accept
        server.socket.close()


@contextmanager
def _websocket() -> Iterator[tuple[str, Callable[[], Wire]]]:
    server = WebSocketServer()
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    yield server.address, server.accept
    server.socket.close()


@pytest.mark.requirement("python.resume")
@pytest.mark.parametrize("place", [_unix, _websocket], ids=["unix", "ws"])
@pytest.mark.parametrize("read_bytes", [0, 1_500_001], ids=["nothing read", "cut within a frame"])
def test_receipts_and_pongs_that_waited_are_not_said_after_the_resume(place: Any, read_bytes: int) -> None:
    with place() as (address, accept), Remote(PLUGIN, address) as remote:
        wire = accept()
        wire.read()
        books = Books(wire)
        wire.send(m.WELCOME, _WELCOME)
        load = books.request("plugin.load", {})
        while load not in books.results:
            books.take()
        # From now on the host takes nothing: answers fill the way, then acks and pongs queue behind them.
        calls = [books.request("big", {"bytes": 1_000_000}) for _ in range(16)]
        _done(books, remote, "full")
        for nonce in range(300):
            books.send(m.PING, nonce)
            calls.append(books.request("big", {"bytes": 1}))
        _done(books, remote, "queued")
        books.take_a_part(read_bytes)
        assert (books.received > 1) == (read_bytes > 0)
        wire.socket.close()

        books.resume(accept())
        while not books.results.keys() >= set(calls):
            books.take()
        # Both directions go on: 200 calls, each with a call of the worker in its course.
        asked = {books.request("ask", {"number": number}): str(number) for number in range(200)}
        books.send(m.PING, 1_000)
        while not books.results.keys() >= asked.keys() or books.pings:
            books.take()
        assert {id: books.results[id] for id in asked} == asked
        books.send(m.GOODBYE, "STOPPED", "bye")
        assert remote.wait()[0] == 0


def _done(books: Books, remote: Remote, name: str) -> None:
    """Waits until the worker has received everything up to here."""
    path = Path(remote.folder, name)
    books.request("touch", {"path": str(path)})
    until = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_pings_that_were_meant_for_the_lost_connection_are_not_sent_on_the_next() -> None:
    line = Line()
    for number in range(300):
        line.send(m.PING, number)
        line.send(m.REQUEST, 2 * number + 2, "a")
    line.session.ping(1)
    line.session.drain(1, "bye")
    outbox = line.session.link.outbox
    assert line.cut() is None
    assert outbox.queued_bytes < 2 * MESSAGE_OVERHEAD_BYTES, "the drain alone waits"
    line.session.ping(2)
    assert line.resume(received=0)["resume"]["received"] == 300
    assert line.read(acks=True) == [[m.DRAIN, 1_000, "bye"]]
    assert outbox.queued_bytes == 0 and outbox.sent == 1


def test_many_small_messages_fill_what_is_kept_although_their_bodies_do_not() -> None:
    line = Line({**RESUMABLE, "resume": {**RESUMABLE["resume"], "maxBytes": 100 * MESSAGE_OVERHEAD_BYTES}})
    for id in range(2, 2_002, 2):
        line.send(m.REQUEST, id, "a")
        line.session.incoming.respond(line.listener.requests.pop(), None)
    sent = line.read()
    replay = line.session.link.outbox.replay
    assert replay is not None and replay.full and replay.complete
    assert 80 < len(sent) < 100 and sum(len(msgpack.packb(answer)) for answer in sent) < 1_000
    # A receipt makes room for as many again, and nothing is charged for what is gone.
    line.send(m.ACK, len(sent))
    assert replay.bytes == 0
    count = len(sent)
    while more := line.read():
        assert 80 < len(more) < 100 or count + len(more) == 1_000
        count += len(more)
        line.send(m.ACK, count)
    assert count == 1_000
    assert replay.bytes == 0 and line.session.link.outbox.empty and line.session.end is None


def test_a_host_that_calls_and_never_confirms_cannot_fill_the_memory_with_answers() -> None:
    line = Line({**RESUMABLE, "resume": {**RESUMABLE["resume"], "maxBytes": 100 * MESSAGE_OVERHEAD_BYTES}})
    calls = 0
    while line.session.end is None and calls < 100_000:
        calls += 1
        line.send(m.REQUEST, 2 * calls, "a")
        line.session.incoming.respond(line.listener.requests.pop(), None)
        line.read()
        line.sessions.tick()
    assert line.session.end is not None and line.session.end.message == "The other side does not read."
    assert MAX_QUEUED_CONTROL < calls < MAX_QUEUED_CONTROL + 200


def test_answers_that_were_read_do_not_count_as_waiting() -> None:
    line = Line()
    for id in range(2, 4 * MAX_QUEUED_CONTROL, 2):
        line.send(m.REQUEST, id, "a")
        line.session.incoming.respond(line.listener.requests.pop(), None)
        if id % 64 == 0:
            line.read()
            line.send(m.ACK, id // 2)
    line.sessions.tick()
    assert line.session.end is None


def test_progress_waits_for_a_connection_before_it_fills_the_lane() -> None:
    """A handler that reports with every step, while the host is away for a while."""
    line = Line()
    line.send(m.REQUEST, 2, "a")
    (call,) = line.listener.requests
    reported = 0

    async def work() -> None:
        nonlocal reported
        while reported < 2 * MAX_QUEUED_CONTROL:
            await send_progress(line.session, call, lambda: line.session.link.send_control(m.PROGRESS, 2, 0.5))
            reported += 1

    async def scenario() -> None:
        line.cut()
        task = asyncio.create_task(work())
        for _ in range(2 * MAX_QUEUED_CONTROL):
            await asyncio.sleep(0)
        line.sessions.tick()
        assert line.session.end is None and line.session.suspended
        assert reported <= HIGH_WATER_BYTES / MESSAGE_OVERHEAD_BYTES + 1
        line.resume(received=0)
        read = 0
        while not task.done():
            arrived = len(line.read())
            read += arrived
            if arrived:
                line.send(m.ACK, read)
            await asyncio.sleep(0)
        assert read + len(line.read()) == reported == 2 * MAX_QUEUED_CONTROL

    asyncio.run(scenario())
