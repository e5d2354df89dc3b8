"""Sessions that lose their connection: what is sent again, what is refused, and what a fresh session does to the old one."""

from __future__ import annotations

import random
from typing import Any

import msgpack
import pytest
from raw import WELCOME, Recorder, StandingClock, outcome

from synapse_worker.errors import HostLost, Overloaded
from synapse_worker.session.handshake import WorkerHandshake
from synapse_worker.session.session import Session
from synapse_worker.sessions import Sessions
from synapse_worker.wire import messages as m
from synapse_worker.wire.frames import FrameSplitter, header

RESUMABLE: dict[str, Any] = {
    **WELCOME, "features": ["resume"], "resume": {"token": "secret", "windowMs": 30_000, "maxBytes": 100_000},
    "limits": {**WELCOME["limits"], "maxConcurrency": 1_000},
}  # fmt: skip


class Line:
    """A worker's sessions and a host made by hand, over connections that can be cut anywhere."""

    def __init__(self, welcome: dict[str, Any] = RESUMABLE, *, outlives_window: bool = True) -> None:
        self.clock = StandingClock()
        self.listeners: list[Recorder] = []
        self.sessions = Sessions(
            self._make, WorkerHandshake("p", "1.0.0", "token", can_resume=True), outlives_window=outlives_window
        )
        self.welcome = welcome
        self.splitter = FrameSplitter(2**31)
        self.hello = self.connect()
        self.send(m.WELCOME, welcome)

    def _make(self, hello: WorkerHandshake) -> Session:
        self.listeners.append(Recorder())
        return Session(hello, self.listeners[-1], self.clock, lambda: None)

    @property
    def session(self) -> Session:
        assert self.sessions.current is not None
        return self.sessions.current

    @property
    def listener(self) -> Recorder:
        listener = self.session.listener
        assert isinstance(listener, Recorder)
        return listener

    def connect(self) -> dict[str, Any]:
        self.splitter = FrameSplitter(2**31)
        self.sessions.connected()
        ((kind, hello),) = self.read()
        assert kind == m.HELLO
        fields: dict[str, Any] = hello
        return fields

    def cut(self) -> Any:
        return self.sessions.disconnected("cut")

    def resume(self, received: int, **fields: Any) -> dict[str, Any]:
        hello = self.connect()
        self.send(m.WELCOME, {**self.welcome, "resumed": {"received": received}, **fields})
        return hello

    def send(self, *elements: Any) -> None:
        body = msgpack.packb(list(elements))
        self.sessions.receive(header(len(body)) + body)

    def read(self, acks: bool = False) -> list[list[Any]]:
        messages: list[list[Any]] = []
        while data := self.sessions.take_output():
            self.splitter.feed(data)
            while (body := self.splitter.next_body()) is not None:
                messages.append(msgpack.unpackb(body))
        return [message for message in messages if acks or message[0] != m.ACK]

    def start(self, method: str = "storage.get", **options: Any) -> Any:
        return self.session.outgoing.start(method, options.pop("params", None), **options)


def test_what_was_not_confirmed_is_sent_again_in_order_and_then_what_waited() -> None:
    line = Line()
    assert line.hello["features"] == ["resume"] and line.hello["token"] == "token" and "resume" not in line.hello
    calls = [line.start(params=number) for number in range(5)]
    assert [message[3] for message in line.read()] == [0, 1, 2, 3, 4]
    line.send(m.ACK, 2)
    line.send(m.REQUEST, 2, "a")
    line.send(m.RESPONSE, 1, None, "first")
    assert line.cut() is None and line.session.suspended
    late = line.start(params="late")
    line.session.incoming.respond(line.listener.requests[0], None, "done")
    assert line.session.take_output() == b""
    hello = line.resume(received=3)
    assert hello["resume"] == {"session": "s", "token": "secret", "received": 2}
    assert "token" not in hello and hello["plugin"] == line.hello["plugin"]
    again = line.read()
    assert [message[0] for message in again] == [m.REQUEST, m.REQUEST, m.REQUEST, m.RESPONSE]
    assert [message[1] for message in again] == [calls[3].id, calls[4].id, late.id, 2]
    assert calls[0].result == "first" and not calls[1].settled
    line.send(m.RESPONSE, late.id, None, "late too")
    assert late.result == "late too" and len(line.listener.requests) == 1
    assert line.listener.resumes and line.listener.suspends == ["cut"]


def test_a_frame_that_was_cut_is_dropped_and_counts_nothing() -> None:
    line = Line()
    body = msgpack.packb([m.REQUEST, 2, "a"])
    frame = header(len(body)) + body
    line.sessions.receive(frame[:-1])
    line.cut()
    assert line.resume(received=0)["resume"]["received"] == 0
    line.sessions.receive(frame)
    assert [call.request.id for call in line.listener.requests] == [2]


def test_what_comes_in_one_piece_with_the_welcome_of_a_resume() -> None:
    line = Line()
    line.cut()
    line.connect()
    frames = b""
    for elements in ([m.WELCOME, {**RESUMABLE, "resumed": {"received": 0}}], [m.REQUEST, 2, "a"], [m.PING, 7]):
        body = msgpack.packb(elements)
        frames += header(len(body)) + body
    line.sessions.receive(frames)
    assert [call.request.id for call in line.listener.requests] == [2]
    assert line.read() == [[m.PONG, 7]]


def test_acks_and_pongs_of_the_old_connection_are_not_said_on_the_new_one() -> None:
    line = Line()
    line.send(m.REQUEST, 2, "a")
    line.clock.time += 0.1
    line.sessions.tick()  # an ack of 1 is queued, and lost
    line.send(m.PING, 9)
    line.send(m.REQUEST, 4, "a")
    line.cut()
    assert line.resume(received=0)["resume"]["received"] == 2
    assert line.read(acks=True) == []
    line.send(m.REQUEST, 6, "a")
    line.clock.time += 0.1
    line.sessions.tick()
    assert line.read(acks=True) == [[m.ACK, 3]]


@pytest.mark.parametrize("received", [4, 1, 2**53])
def test_a_count_that_cannot_be_true_ends_everything(received: int) -> None:
    line = Line()
    for _ in range(3):
        line.start()
    line.read()
    line.send(m.ACK, 2)
    line.cut()
    line.resume(received=received)
    assert line.read() == [[m.GOODBYE, "PROTOCOL_ERROR", line.session.end.message if line.session.end else ""]]
    assert line.sessions.closing
    end = line.cut()
    assert end is not None and end.code == "PROTOCOL_ERROR"


@pytest.mark.parametrize("fields", [{"session": "another"}, {"generation": 2}])
def test_a_resume_of_another_session_is_a_protocol_error(fields: dict[str, Any]) -> None:
    line = Line()
    line.cut()
    line.resume(0, **fields)
    assert line.read()[0][:2] == [m.GOODBYE, "PROTOCOL_ERROR"]


def test_a_resume_that_nobody_asked_for_is_a_protocol_error() -> None:
    line = Line({**RESUMABLE, "resumed": {"received": 0}})
    assert line.read()[0][:2] == [m.GOODBYE, "PROTOCOL_ERROR"]
    assert line.cut().code == "PROTOCOL_ERROR"


def test_an_ack_of_what_was_not_sent_again_yet_is_refused() -> None:
    line = Line()
    for _ in range(3):
        line.start()
    line.read()
    line.cut()
    line.resume(received=1)
    line.send(m.ACK, 3)
    assert line.session.end is not None and line.session.end.code == "PROTOCOL_ERROR"


@pytest.mark.requirement("python.resume")
def test_a_fresh_session_tells_every_call_whether_it_may_have_run() -> None:
    line = Line()
    sent = line.start()
    line.read()
    line.send(m.REQUEST, 2, "a")
    line.cut()
    unsent = line.start()
    old, listener = line.session, line.listener
    line.connect()
    line.send(m.WELCOME, {**RESUMABLE, "session": "t", "generation": 2, "resume": {**RESUMABLE["resume"], "token": "new"}})
    for call, may_have_run in ((sent, True), (unsent, False)):
        error = outcome(call)
        assert isinstance(error, HostLost) and error.may_have_run is may_have_run
    assert isinstance(listener.requests[0].cancel_error, HostLost) and len(listener.ends) == 1
    assert line.session is not old and line.listener is not listener
    assert line.read() == [], "nothing of the old session leaves"
    line.send(m.REQUEST, 2, "plugin.load")
    assert [call.request.method for call in line.listener.requests] == ["plugin.load"]
    line.cut()
    assert line.connect()["resume"] == {"session": "t", "token": "new", "received": 1}


def test_the_window_ends_and_the_worker_is_still_known_by_its_token() -> None:
    line = Line()
    call = line.start(timeout=None)
    line.read()
    line.cut()
    line.clock.time += 29.9
    line.sessions.tick()
    assert not call.settled
    line.clock.time += 0.2
    line.sessions.tick()
    error = outcome(call)
    assert isinstance(error, HostLost) and "30 s" in error.message
    assert line.sessions.over is None
    # A host whose window is open still: this side cannot go on, says so, and asks for a fresh session.
    assert line.resume(received=1)["resume"]["session"] == "s"
    assert line.read()[0][:2] == [m.GOODBYE, "INTERNAL_ERROR"]
    assert line.sessions.closing and line.cut() is None
    line.connect()
    line.send(m.WELCOME, {**RESUMABLE, "session": "t", "generation": 2})
    assert line.session.is_open and line.session.end is None


def test_a_launched_worker_does_not_outlive_the_window() -> None:
    line = Line(outlives_window=False)
    line.cut()
    assert line.sessions.over is None
    line.clock.time += 30.1
    line.sessions.tick()
    assert line.sessions.over is not None and not line.sessions.over.clean


def test_deadlines_go_on_while_there_is_no_connection() -> None:
    line = Line()
    line.send(m.REQUEST, 2, "a", None, None, 5_000)
    line.cut()
    line.clock.time += 6
    line.sessions.tick()
    assert line.listener.requests[0].cancel_error is not None
    line.resume(received=0)
    (answer,) = line.read()
    assert answer[1] == 2 and answer[2]["code"] == "DEADLINE_EXCEEDED"


def test_a_goodbye_or_a_broken_rule_is_not_resumed() -> None:
    line = Line()
    line.send(m.GOODBYE, "STOPPED", "bye")
    assert line.cut().clean
    line = Line()
    line.send(m.HELLO, {})
    end = line.cut()
    assert end.code == "PROTOCOL_ERROR" and not end.clean
    line = Line()
    line.session.goodbye("DRAINED", "done")
    assert line.cut().clean


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "UNSUPPORTED_VERSION", "MISSING_FEATURE", "HANDSHAKE_INVALID"])
def test_final_rejects(code: str) -> None:
    line = Line()
    line.cut()
    line.connect()
    line.send(m.REJECT, code, "no")
    end = line.cut()
    assert end is not None and end.code == code and not end.clean


def test_other_ends_of_an_attempt_are_followed_by_another() -> None:
    line = Line()
    line.cut()
    for elements in ([m.REJECT, "OVERLOADED", "full"], [m.GOODBYE, "STOPPED", "restarting"], [m.PING, 1]):
        line.connect()
        line.send(*elements)
        assert line.cut() is None and line.session.suspended
    line.connect()
    assert line.cut() is None
    line.connect()
    line.clock.time += 10
    line.sessions.tick()
    assert line.sessions.closing and line.cut() is None
    line.resume(received=0)
    assert not line.session.suspended


def test_without_the_feature_a_lost_connection_is_the_end() -> None:
    for welcome in (WELCOME, {**RESUMABLE, "features": []}, {**WELCOME, "features": ["resume"]}):
        line = Line(welcome)
        call = line.start()
        line.read()
        end = line.cut()
        assert end is not None and end.lost and not end.clean
        assert isinstance(outcome(call), HostLost)


def test_bulk_waits_for_a_receipt_and_control_does_not() -> None:
    line = Line({**RESUMABLE, "resume": {**RESUMABLE["resume"], "maxBytes": 10_000}})
    for _ in range(4):
        line.start(params=b"x" * 6_000)
    assert len(line.read()) == 2
    line.start(params=b"x" * 6_000)
    line.session.drain(1, "bye")
    assert [message[0] for message in line.read()] == [m.DRAIN]
    line.send(m.ACK, 2)
    assert len(line.read()) == 2
    line.cut()
    line.resume(received=3)
    assert len(line.read()) == 2, "those that were not confirmed"
    line.send(m.ACK, 5)
    assert len(line.read()) == 1


def test_a_side_that_would_have_to_keep_more_starts_anew() -> None:
    line = Line({**RESUMABLE, "resume": {**RESUMABLE["resume"], "maxBytes": 1_000}})
    call = line.start(params=b"x" * 5_000)
    line.read()
    waiting = line.start(params=b"x" * 5_000)
    assert len(line.read()) == 1, "what is not kept is not waited for"
    assert line.session.link.outbox.replay is not None and line.session.link.outbox.replay.bytes == 0
    assert line.cut() is None and not line.session.suspended
    assert isinstance(outcome(call), HostLost) and isinstance(outcome(waiting), HostLost)
    assert "resume" in line.connect()


def test_a_window_that_is_said_to_be_huge_keeps_a_bounded_amount() -> None:
    line = Line({**RESUMABLE, "resume": {"token": "t", "windowMs": 2**53, "maxBytes": 2**53}})
    with pytest.raises(Overloaded):
        for _ in range(40):
            line.start(params=b"x" * 4_000_000)
            line.read()
    replay = line.session.link.outbox.replay
    assert replay is not None and replay.bytes <= 68 * 1024 * 1024


def test_a_silent_host_is_noticed_only_where_there_is_a_way_back() -> None:
    line = Line()
    assert line.sessions.silence_limit == 15
    line.cut()
    line.connect()
    assert line.sessions.silence_limit is None, "the handshake has its own limit"
    assert Line(WELCOME).sessions.silence_limit is None


@pytest.mark.requirement("python.resume")
@pytest.mark.parametrize("seed", range(12))
def test_every_message_arrives_exactly_once_whatever_is_cut(seed: int) -> None:
    """Both directions, cut at random bytes: the host here keeps the same books as a real one."""
    chance = random.Random(seed)
    line = Line({**RESUMABLE, "resume": {**RESUMABLE["resume"], "maxBytes": 4_000}})
    got: list[int] = []  # params of the worker's calls, as the host sees them
    received = 0  # the host's count
    sent: list[bytes] = []  # what the host has sent
    made = 0
    for _ in range(400):
        match chance.randrange(6):
            case 0 | 1:
                line.start(params=made, timeout=None)
                made += 1
            case 2:
                body = msgpack.packb([m.REQUEST, 2 * len(sent) + 2, "a", len(sent)])
                sent.append(body)
                line.sessions.receive(header(len(body)) + body)
            case 3:
                line.send(m.ACK, received)
            case _:
                lost = chance.random() < 0.4
                while data := line.sessions.take_output():
                    # A cut within the output: the rest of it is lost on the way.
                    line.splitter.feed(data[: chance.randrange(len(data))] if lost else data)
                    while (raw := line.splitter.next_body()) is not None:
                        message = msgpack.unpackb(raw)
                        received += message[0] not in (m.ACK, m.PING, m.PONG)
                        if message[0] == m.REQUEST:
                            got.append(message[3])
                    if lost:
                        break
                if lost:
                    # What the host sent last may not have arrived either.
                    body = msgpack.packb([m.REQUEST, 2 * len(sent) + 2, "a", len(sent)])
                    sent.append(body)
                    line.sessions.receive((header(len(body)) + body)[: chance.randrange(4 + len(body))])
                    line.cut()
                    claimed = line.resume(received)["resume"]["received"]
                    assert claimed == len(sent) - 1
                    line.sessions.receive(header(len(body)) + body)
    line.send(m.ACK, received)
    for message in line.read():
        if message[0] == m.REQUEST:
            got.append(message[3])
            line.send(m.ACK, received := received + 1)
    assert line.session.end is None
    assert got == list(range(len(got))) and len(got) == made > 50
    assert [call.request.params for call in line.listener.requests] == list(range(len(sent)))
