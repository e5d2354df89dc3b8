"""A session against hand-made frames: what a hostile or buggy other side could send."""

from __future__ import annotations

from typing import Any

import msgpack

from synapse_worker.errors import WorkerError
from synapse_worker.session.calls import IncomingCall
from synapse_worker.session.handshake import WorkerHandshake
from synapse_worker.session.listener import SessionEnd
from synapse_worker.session.session import Session
from synapse_worker.wire import messages as m
from synapse_worker.wire.frames import FrameSplitter, header

WELCOME: dict[str, Any] = {
    "version": 1, "session": "s", "generation": 1, "plugin": {"id": "p", "version": "1.0.0"},
    "features": [], "grants": [], "config": {}, "secretConfigKeys": [],
    "limits": {"maxFrameBytes": 4_194_304, "maxDepth": 32, "maxElements": 100_000, "maxConcurrency": 2},
    "heartbeatMs": 5_000, "debug": False,
}  # fmt: skip


class StandingClock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time


class Recorder:
    """A listener that only notes."""

    def __init__(self) -> None:
        self.requests: list[IncomingCall] = []
        self.one_ways: list[tuple[m.OneWay, int]] = []
        self.drains: list[tuple[int | None, str | None]] = []
        self.ends: list[SessionEnd] = []
        self.suspends: list[str] = []
        self.resumes: list[dict[str, Any]] = []
        self.idle = 0

    def on_open(self, welcome: dict[str, Any]) -> None: ...

    def on_request(self, call: IncomingCall) -> None:
        self.requests.append(call)

    def on_one_way(self, message: m.OneWay, size: int) -> None:
        self.one_ways.append((message, size))

    def on_drain(self, grace_ms: int | None, reason: str | None) -> None:
        self.drains.append((grace_ms, reason))

    def on_idle(self) -> None:
        self.idle += 1

    def on_violation(self, what: str) -> None: ...

    def on_suspend(self, why: str) -> None:
        self.suspends.append(why)

    def on_resume(self, welcome: dict[str, Any]) -> None:
        self.resumes.append(welcome)

    def on_end(self, end: SessionEnd) -> None:
        self.ends.append(end)


class RawHost:
    """Sends what it is told and reads what comes."""

    def __init__(self, welcome: dict[str, Any] | None = WELCOME) -> None:
        self.clock = StandingClock()
        self.listener = Recorder()
        self.session = Session(WorkerHandshake("p", "1.0.0"), self.listener, self.clock, lambda: None)
        self._splitter = FrameSplitter(2**31)
        self.session.start()
        self.hello = self.read()[0]
        if welcome is not None:
            self.send(m.WELCOME, welcome)

    def send(self, *elements: Any) -> None:
        self.send_body(msgpack.packb(list(elements)))

    def send_body(self, body: bytes) -> None:
        self.session.receive(header(len(body)) + body)

    def read(self, acks: bool = False) -> list[list[Any]]:
        """The messages that the worker has sent since; without acks, which come when they like."""
        messages = []
        while data := self.session.take_output():
            self._splitter.feed(data)
            while (body := self._splitter.next_body()) is not None:
                messages.append(msgpack.unpackb(body))
        return [message for message in messages if acks or message[0] != m.ACK]

    def advance(self, seconds: float) -> None:
        self.clock.time += seconds
        self.session.tick()

    @property
    def broken(self) -> str | None:
        """The message of the protocol error that ended the session."""
        end = self.session.end
        return end.message if end is not None and end.code == "PROTOCOL_ERROR" else None


def outcome(call: Any) -> WorkerError | None:
    """How an outgoing call ended."""
    assert call.settled
    error: WorkerError | None = call.error
    return error
