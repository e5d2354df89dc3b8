"""The session against hand-made frames: ids, answers, credit, acks, drain, and the end."""

from __future__ import annotations

from typing import Any

import pytest
from raw import WELCOME, RawHost, outcome

from synapse_worker.errors import (
    Cancelled,
    DeadlineExceeded,
    Draining,
    FrameTooLarge,
    HostLost,
    InvalidArgument,
    InvalidValue,
    MethodNotFound,
)
from synapse_worker.session.credit import MAX_WINDOW_BYTES, WINDOW_BYTES, ReceiveWindow
from synapse_worker.wire import messages as m


def start(host: RawHost, method: str = "storage.get", params: Any = None, **options: Any) -> Any:
    return host.session.outgoing.start(method, params, **options)


# Handshake


def test_hello_says_who_we_are() -> None:
    kind, fields = RawHost().hello
    assert kind == m.HELLO
    assert fields["versions"] == [1] and fields["role"] == "worker"
    assert fields["plugin"] == {"id": "p", "version": "1.0.0"}
    assert fields["sdk"]["language"] == "python"


def test_anything_but_a_welcome_ends_the_handshake() -> None:
    host = RawHost(welcome=None)
    host.send(m.REQUEST, 2, "plugin.load")
    assert host.broken and host.read()[-1][:2] == [m.GOODBYE, "PROTOCOL_ERROR"]


def test_a_reject_is_no_protocol_error() -> None:
    host = RawHost(welcome=None)
    host.send(m.REJECT, "UNAUTHENTICATED", "The token is not acceptable.")
    assert host.session.end is not None and host.session.end.code == "UNAUTHENTICATED"
    assert host.read() == []


def test_a_welcome_of_another_version_is_refused() -> None:
    host = RawHost({**WELCOME, "version": 2})
    assert host.session.end is not None and host.session.end.code == "UNSUPPORTED_VERSION"
    assert host.read()[-1][:2] == [m.GOODBYE, "UNSUPPORTED_VERSION"]


def test_the_handshake_does_not_wait_for_ever() -> None:
    host = RawHost(welcome=None)
    host.advance(10.0)
    assert host.session.end is not None and host.session.end.code == "HANDSHAKE_TIMEOUT"


def test_a_second_welcome_is_a_protocol_error() -> None:
    host = RawHost()
    host.send(m.WELCOME, WELCOME)
    assert host.broken


# Calls


def test_ids_are_odd_and_rise() -> None:
    host = RawHost()
    for _ in range(40):
        start(host)
    ids = [message[1] for message in host.read()]
    assert ids == list(range(1, 81, 2))


@pytest.mark.parametrize("ids", [(3,), (4, 4), (4, 2), (0,)])
def test_requests_with_impossible_ids_end_the_session(ids: tuple[int, ...]) -> None:
    host = RawHost()
    for id in ids:
        host.send(m.REQUEST, id, "a")
    assert host.broken


def test_every_request_is_answered_once() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a")
    call = host.listener.requests[0]
    assert host.session.incoming.respond(call, None, 1)
    assert not host.session.incoming.respond(call, None, 2)
    host.send(m.CANCEL, 2)
    assert host.read() == [[m.RESPONSE, 2, None, 1]]
    assert host.listener.idle == 1


def test_a_cancel_is_answered_at_once_and_the_late_result_dropped() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a")
    host.send(m.CANCEL, 2, "enough")
    call = host.listener.requests[0]
    assert isinstance(call.cancel_error, Cancelled)
    assert not host.session.incoming.respond(call, None, 2)
    (answer,) = host.read()
    assert answer[:2] == [m.RESPONSE, 2] and answer[2]["code"] == "CANCELLED"


def test_the_deadline_counts_from_the_arrival() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a", None, None, 250)
    host.advance(0.249)
    assert host.read() == []
    host.advance(0.002)
    (answer,) = host.read()
    assert answer[2]["code"] == "DEADLINE_EXCEEDED"
    assert isinstance(host.listener.requests[0].cancel_error, DeadlineExceeded)


def test_over_the_concurrency_limit() -> None:
    host = RawHost()
    for id in (2, 4, 6):
        host.send(m.REQUEST, id, "a")
    (answer,) = host.read()
    assert answer[1] == 6 and answer[2]["code"] == "OVERLOADED" and answer[2]["retryable"]
    # Lifecycle calls are not refused for load.
    host.send(m.REQUEST, 8, "plugin.unload")
    assert len(host.listener.requests) == 3


def test_handlers_that_outlive_their_answer_are_limited_too() -> None:
    host = RawHost()
    for id in (2, 4):
        host.send(m.REQUEST, id, "a")
        host.send(m.CANCEL, id)
    host.read()
    host.send(m.REQUEST, 6, "a")
    (answer,) = host.read()
    assert answer[2]["code"] == "OVERLOADED" and "still run" in answer[2]["message"]
    host.session.incoming.finished(host.listener.requests[0])
    host.send(m.REQUEST, 8, "a")
    assert host.read() == []


def test_outgoing_calls_settle_once_and_late_answers_are_ignored() -> None:
    host = RawHost()
    call = start(host, timeout=1)
    assert host.read()[0][5] == 1000
    host.advance(1)
    error = outcome(call)
    assert isinstance(error, DeadlineExceeded) and error.may_have_run
    assert "time limit of 1 s" in error.message
    assert [message[:2] for message in host.read()] == [[m.CANCEL, 1]]
    host.send(m.RESPONSE, 1, None, "late")
    assert outcome(call) is error and host.session.link.recorded_errors == 0


def test_a_call_that_never_left_is_taken_back() -> None:
    host = RawHost()
    call = start(host)
    host.session.outgoing.cancel(call, Cancelled("no"))
    error = outcome(call)
    assert error is not None and error.may_have_run is False
    assert host.read() == []


def test_strangers_are_recorded_and_the_hundredth_ends_the_session() -> None:
    host = RawHost()
    strangers: list[tuple[Any, ...]] = [
        (m.RESPONSE, 1, None, 1), (m.PROGRESS, 1, 0.5), (m.ITEM, 7, 1), (m.END, 2), (m.CREDIT, 8, 1),
        (m.RESPONSE, 2, None, 1),
    ]  # fmt: skip
    for elements in strangers:
        host.send(*elements)
    assert host.session.link.recorded_errors == len(strangers) and host.session.end is None
    host.send(m.CANCEL, 99)  # a cancel may meet a call that is over, or none
    assert host.session.link.recorded_errors == len(strangers)
    for _ in range(100 - len(strangers)):
        assert host.session.end is None
        host.send(m.RESPONSE, 1, None, 1)
    assert host.broken


def test_nested_calls_inherit_and_die_with_their_parent() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a", None, None, 500, "00-trace")
    parent = host.listener.requests[0]
    call = start(host, timeout=30, parent=parent, traceparent=parent.request.traceparent)
    request = host.read()[0]
    assert request[5:8] == [500, "00-trace", 2]
    host.session.incoming.respond(parent, None)
    assert isinstance(outcome(call), Cancelled)
    assert [message[:2] for message in host.read()] == [[m.CANCEL, 1], [m.RESPONSE, 2]]
    with pytest.raises(Cancelled):
        start(host, parent=parent)


def test_a_nested_request_of_the_host() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a", None, None, None, None, 1)
    assert host.read()[0][2]["code"] == "CANCELLED"
    call = start(host, timeout=1)
    host.read()
    host.send(m.REQUEST, 4, "a", None, None, 60_000, None, 1)
    (nested,) = host.listener.requests
    assert nested.deadline == pytest.approx(call.deadline)
    host.send(m.RESPONSE, 1, None, None)
    assert nested.cancel_error is not None
    assert host.read()[0][2]["code"] == "CANCELLED"


def test_errors_come_back_typed() -> None:
    host = RawHost()
    call = start(host)
    host.send(m.RESPONSE, 1, {"code": "METHOD_NOT_FOUND", "message": "none"})
    assert isinstance(outcome(call), MethodNotFound)
    call = start(host)
    host.send(m.RESPONSE, 3, {"code": "FROM_THE_FUTURE", "message": "?", "retryable": True})
    error = outcome(call)
    assert error is not None and error.code == "FROM_THE_FUTURE" and error.retryable


@pytest.mark.parametrize(
    "value",
    [
        {1}, object(), "\udc00", {"a": "\udc00"}, {1: 2}, {"__proto__": 1}, 2**64, -(2**63) - 1,
        {str(i): 0 for i in range(1_025)}, [0] * 100_000, lambda: None,
    ],
    ids=str,
)  # fmt: skip
def test_what_the_receiver_would_refuse_is_refused_here(value: Any) -> None:
    host = RawHost()
    with pytest.raises(InvalidValue):
        start(host, params=value)
    deep: list[Any] = []
    for _ in range(31):
        deep = [deep]
    with pytest.raises(InvalidValue):
        start(host, params=deep)
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    with pytest.raises(InvalidValue):
        start(host, params=cyclic)
    with pytest.raises(FrameTooLarge):
        start(host, params=b"x" * 4_194_304)
    with pytest.raises(InvalidArgument):
        start(host, method="not a name")
    start(host, params=deep[0])
    assert host.read()[0][1] == 1 and host.session.end is None


# Credit


def test_items_beyond_the_credit_end_the_session() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a", None, m.CALLER_SENDS_ITEMS)
    item = b"x" * 65_000
    for _ in range(5):  # 325,000 bytes: the fifth overdraws, and is allowed to
        host.send(m.ITEM, 2, item)
    assert host.session.end is None
    host.send(m.ITEM, 2, item)
    assert host.broken == "Sent without credit."


def test_credit_is_granted_for_what_is_consumed() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a", None, m.CALLER_SENDS_ITEMS)
    call = host.listener.requests[0]
    assert call.inbound is not None
    for _ in range(4):
        host.send(m.ITEM, 2, b"x" * 65_000)
    assert host.read() == []
    granted = 0
    while (taken := call.inbound.take()) is not None:
        host.session.streams.consume(call, taken[1])
        granted += sum(message[2] for message in host.read() if message[0] == m.CREDIT)
    assert granted > 190_000


@pytest.mark.requirement("python.window")
def test_the_window_grows_while_the_reader_keeps_up_and_no_further_than_16_mib() -> None:
    window, now, granted, sizes = ReceiveWindow(), 1.0, 0, [WINDOW_BYTES]
    received = 0
    for _ in range(20_000):
        received += 10_000
        window.arrive(10_000)
        granted += window.consume(10_000, now)
        if window.size != sizes[-1]:
            sizes.append(window.size)
    assert sizes == [WINDOW_BYTES * 2**power for power in range(7)] and sizes[-1] == MAX_WINDOW_BYTES
    assert 0 < WINDOW_BYTES + granted - received <= MAX_WINDOW_BYTES
    assert window.credit == WINDOW_BYTES + granted - received


def test_the_window_stays_as_it_is_for_a_reader_that_takes_its_time() -> None:
    window, now = ReceiveWindow(), 1.0
    for _ in range(1_000):
        now += 0.01
        window.arrive(10_000)
        window.consume(10_000, now)
    assert window.size == WINDOW_BYTES
    window = ReceiveWindow()
    assert [window.consume(65_536, at) for at in (0.0, 0.02, 0.039)] == [65_536, 65_536, 65_536 + WINDOW_BYTES]
    assert window.consume(65_536, 0.04) == 0, "a quarter of the larger window is due now"


def test_what_arrives_beyond_a_grown_window_ends_the_session() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a", None, m.CALLER_SENDS_ITEMS)
    call = host.listener.requests[0]
    assert call.inbound is not None
    item, credit = b"x" * 65_000, WINDOW_BYTES
    while call.inbound.window.size < MAX_WINDOW_BYTES:
        host.send(m.ITEM, 2, item)
        taken = call.inbound.take()
        assert taken is not None
        credit -= taken[1]
        host.session.streams.consume(call, taken[1])
        credit += sum(message[2] for message in host.read() if message[0] == m.CREDIT)
    assert host.session.end is None and credit == call.inbound.window.credit
    for _ in range(credit // 65_000 + 1):
        host.send(m.ITEM, 2, item)
    assert host.broken == "Sent without credit." or call.inbound.window.credit <= 0
    host.send(m.ITEM, 2, item)
    assert host.broken == "Sent without credit."


def test_one_ways_have_one_window_both_ways() -> None:
    host = RawHost()
    params = {"message": "x" * 60_000}
    sent = 0
    while host.session.one_ways.try_send("log.write", params):
        sent += 1
    assert sent == WINDOW_BYTES // 60_000 + 1
    host.read()
    assert not host.session.one_ways.try_send("log.write", params)
    woken: list[bool] = []
    host.session.one_ways.when_open(lambda: woken.append(True))
    host.send(m.CREDIT, 0, 100_000)
    assert woken and host.session.one_ways.try_send("log.write", params)
    for _ in range(5):
        host.send(m.ONE_WAY, "events.deliver", {"payload": b"x" * 60_000})
    assert host.session.end is None
    host.send(m.ONE_WAY, "events.deliver", {})
    assert host.broken


def test_an_item_waits_for_credit_and_a_dead_stream_wakes_it() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a", None, m.CALLER_EXPECTS_ITEMS)
    call = host.listener.requests[0]
    body = host.session.streams.encode_item(call, b"x" * 100_000)
    woken: list[bool] = []
    for _ in range(3):
        assert host.session.streams.try_send(call, body, lambda: None)
    assert not host.session.streams.try_send(call, body, lambda: woken.append(True))
    host.send(m.CREDIT, 2, 1)
    assert not woken, "still overdrawn"
    host.send(m.CANCEL, 2)
    assert woken
    with pytest.raises(Cancelled):
        host.session.streams.try_send(call, body, lambda: None)


def test_items_where_nothing_streams_are_recorded() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a")
    host.send(m.ITEM, 2, 1)
    host.send(m.CREDIT, 2, 10)
    assert host.session.link.recorded_errors == 2
    host.send(m.REQUEST, 4, "a", None, m.CALLER_SENDS_ITEMS)
    host.send(m.END, 4)
    host.send(m.ITEM, 4, 1)
    assert host.session.link.recorded_errors == 3
    host.session.incoming.respond(host.listener.requests[1], None)
    host.send(m.ITEM, 4, 1)
    assert host.session.link.recorded_errors == 3, "late"


def test_control_overtakes_bulk() -> None:
    host = RawHost()
    start(host, params=b"x" * 1000)
    host.send(m.PING, 7)
    assert [message[0] for message in host.read()] == [m.PONG, m.REQUEST]


# Acks


def test_an_ack_comes_after_64_messages_or_100_ms() -> None:
    host = RawHost()
    for _ in range(63):
        host.send(m.CANCEL, 2)
    assert host.read(acks=True) == []
    host.send(m.CANCEL, 2)
    assert host.read(acks=True) == [[m.ACK, 64]]
    host.send(m.CANCEL, 2)
    host.send(m.PING, 1)
    assert host.read(acks=True) == [[m.PONG, 1], [m.ACK, 65]]
    host.send(64, "from the future")
    host.advance(0.1)
    assert host.read(acks=True) == [[m.ACK, 66]]
    host.advance(10)
    assert host.read(acks=True) == []


@pytest.mark.parametrize("counts", [(1, 3), (2, 1)])
def test_acks_that_cannot_be_true(counts: tuple[int, ...]) -> None:
    host = RawHost()
    start(host), start(host), host.read()
    for count in counts:
        host.send(m.ACK, count)
    assert host.broken


# Drain and end


def test_the_hosts_drain_leaves_only_nested_calls() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a")
    host.send(m.DRAIN, 1000, "update")
    assert host.listener.drains == [(1000, "update")]
    with pytest.raises(Draining):
        start(host)
    start(host, parent=host.listener.requests[0])


def test_after_our_drain_new_requests_are_refused_but_nested_ones_are_not() -> None:
    host = RawHost()
    call = start(host)
    host.session.drain(5, "bye")
    host.read()
    host.send(m.REQUEST, 2, "a")
    assert host.read()[0][2]["code"] == "DRAINING"
    host.send(m.REQUEST, 4, "a", None, None, None, None, call.id)
    host.send(m.REQUEST, 6, "plugin.unload")
    assert len(host.listener.requests) == 2


def test_a_goodbye_settles_everything() -> None:
    host = RawHost()
    sent = start(host)
    host.read()
    unsent = start(host)
    host.send(m.REQUEST, 2, "a")
    host.send(m.GOODBYE, "STOPPED", "bye")
    assert host.listener.ends[0].clean
    for call, may_have_run in ((sent, True), (unsent, False)):
        error = outcome(call)
        assert isinstance(error, HostLost) and error.may_have_run is may_have_run
    assert isinstance(host.listener.requests[0].cancel_error, HostLost)
    with pytest.raises(HostLost):
        start(host)
    host.session.connection_lost("again")
    assert len(host.listener.ends) == 1


def test_our_goodbye_is_last_and_everything_is_answered_before() -> None:
    host = RawHost()
    host.send(m.REQUEST, 2, "a")
    host.session.goodbye("DRAINED", "done")
    assert [message[0] for message in host.read()] == [m.RESPONSE, m.GOODBYE]


def test_one_byte_at_a_time() -> None:
    host = RawHost()
    for byte in b"\x00\x00\x00\x05\x93\x00\x02\xa1a" + b"\x00\x00\x00\x02\x91\xc1":
        host.session.receive(bytes([byte]))
    assert len(host.listener.requests) == 1 and host.broken


def test_a_side_that_never_reads_is_given_up() -> None:
    host = RawHost()
    for nonce in range(16_500):
        host.send(m.PING, nonce)
    host.session.tick()
    assert host.broken == "The other side does not read."


def test_cancelled_deadlines_do_not_pile_up() -> None:
    host = RawHost()
    for id in range(2, 4_002, 2):
        host.send(m.REQUEST, id, "a", None, None, 30_000)
        call = host.listener.requests.pop()
        host.session.incoming.respond(call, None)
        host.session.incoming.finished(call)
        host.read()
    assert len(host.session.link.timers._heap) < 300
