"""One session: sends each message that arrives to the part that it concerns, and ends everything exactly once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import (
    Cancelled,
    HandshakeError,
    HostLost,
    ProtocolError,
    WorkerError,
    WorkerLost,
)
from ..wire import messages as m
from ..wire.codec import Limits, encode
from ..wire.frames import HANDSHAKE_FRAME_BYTES, FrameSplitter
from ..wire.read_message import read_message
from .clock import Clock
from .handshake import HANDSHAKE_SECONDS, Handshake, ResumeClaim, read_limits
from .incoming import IncomingCalls
from .link import Link
from .listener import SessionEnd, SessionListener
from .one_way import OneWays
from .outgoing import OutgoingCalls
from .receipts import ACK_SECONDS, Receipts
from .resuming import Resuming
from .streams import Streams
from .timers import Timer

_TAKE_BYTES = 65_536


class Session:
    def __init__(self, handshake: Handshake, listener: SessionListener, clock: Clock, wake: Callable[[], None]) -> None:
        self._handshake = handshake
        self.listener = listener
        self.link = Link(clock, wake, listener.on_violation)
        is_host = handshake.is_host
        self.outgoing = OutgoingCalls(self.link, 2 if is_host else 1, WorkerLost if is_host else HostLost)
        self.incoming = IncomingCalls(
            self.link, self.outgoing, 1 if is_host else 0, listener.on_request, listener.on_idle
        )
        self.outgoing.on_settle = self.incoming.stop_nested
        self.streams = Streams(self.link, self.outgoing, self.incoming)
        self.one_ways = OneWays(self.link, listener.on_one_way)
        self.is_open = False
        #: The connection is gone; the session waits for another one.
        self.suspended = False
        self.end: SessionEnd | None = None
        #: The welcome of a resume: the connection belongs to the session that goes on, together with the bytes after it.
        self.handed_over: dict[str, Any] | None = None
        self.heartbeat = 0.0
        self._splitter = FrameSplitter()
        self._receipts = Receipts()
        self._resuming = Resuming(self.link, self._receipts)
        self._ack_timer: Timer | None = None
        self._handshake_timer: Timer | None = None
        self.link.limits = Limits(max_frame_bytes=HANDSHAKE_FRAME_BYTES)

    # The side of whoever moves the bytes

    def start(self) -> None:
        with self.link.lock:
            self._handshake_timer = self.link.after(HANDSHAKE_SECONDS, self._handshake_timed_out)
            self._handshake.begin(self)

    def receive(self, data: bytes) -> None:
        """Bytes from the connection, cut anywhere."""
        with self.link.lock:
            if self.end is not None or self.suspended:
                return
            try:
                self._splitter.feed(data)
                while self._reading and (body := self._splitter.next_body()) is not None:
                    self._on_body(body)
                if self._receipts.due and self.end is None:
                    self._send_ack()
            except ProtocolError as error:
                self._break(error)
            except HandshakeError as error:
                self._refuse(error)

    @property
    def _reading(self) -> bool:
        return self.end is None and self.handed_over is None

    def broken(self, error: ProtocolError) -> None:
        """The transport found that the other side broke a rule."""
        with self.link.lock:
            if self.end is None:
                self._break(error)

    def connection_lost(self, why: str) -> None:
        """The connection is gone, with or without a goodbye before. What can be resumed waits for another one."""
        with self.link.lock:
            if self.end is not None or not self._resuming.possible:
                self.give_up(why)
            elif not self.suspended:
                self.suspended = True
                if self._ack_timer is not None:
                    self._ack_timer.cancel()
                    self._ack_timer = None
                self._resuming.suspend(self._window_over)
                self.listener.on_suspend(why)

    def give_up(self, why: str) -> None:
        """Ends the session without the other side."""
        with self.link.lock:
            self.link.outbox.clear()
            self._finish(SessionEnd("CONNECTION_CLOSED", why, lost=True))

    def next_due(self) -> float | None:
        with self.link.lock:
            return self.link.timers.next_due()

    def tick(self) -> None:
        """Runs the timers that are due."""
        with self.link.lock:
            try:
                self.link.timers.run_due(self.link.clock.now())
            except ProtocolError as error:
                self._break(error)

    def take_output(self) -> bytes:
        """The next frames to write; empty when there is nothing."""
        with self.link.lock:
            if self.suspended:
                return b""
            # A receipt rides along with whatever leaves anyway.
            if self._receipts.pending and not self.link.outbox.empty and not self.link.ended:
                self._send_ack()
            return self.link.outbox.take(_TAKE_BYTES)

    # What the handshake does

    def send_handshake(self, *elements: Any) -> None:
        self.link.send_control(*elements)

    def open(self, welcome: dict[str, Any], limits: Limits) -> None:
        self.is_open = True
        self.link.limits = limits
        self._splitter.max_frame_bytes = limits.max_frame_bytes
        if self._handshake_timer is not None:
            self._handshake_timer.cancel()
        # Hello and welcome are not counted, and may still wait in the queue.
        self.link.outbox.uncount()
        self.heartbeat = welcome["heartbeatMs"] / 1000
        self._resuming.open(welcome, self._handshake.can_resume)
        self.listener.on_open(welcome)

    def hand_over(self, welcome: dict[str, Any]) -> None:
        self.handed_over = welcome

    # Resume (section 8)

    @property
    def claim(self) -> ResumeClaim | None:
        """What a hello must show to go on with this session, or to be recognised once it is over; None without the feature."""
        return self._resuming.claim

    def resume(self, greeting: Session) -> bool:
        """Goes on over the connection on which `greeting` got its welcome. False, with nothing changed, where that is impossible."""
        welcome = greeting.handed_over
        with self.link.lock:
            if not self.suspended or self.end is not None or welcome is None:
                return False
            self.suspended = False
            self.link.limits = read_limits(welcome)
            self.heartbeat = welcome["heartbeatMs"] / 1000
            self._splitter = FrameSplitter(self.link.limits.max_frame_bytes)
            try:
                self._resuming.resume(welcome)
            except ProtocolError as error:
                self._break(error)
                return True
            self.listener.on_resume(welcome)
        self.receive(greeting.rest())
        return True

    def rest(self) -> bytes:
        """What arrived behind a welcome that was handed over."""
        with self.link.lock:
            self._finish(SessionEnd("RESUMED", "another session goes on"))
            return self._splitter.take_buffered()

    def refuse_resume(self) -> None:
        """On a greeting: the host resumed a session that is over here."""
        with self.link.lock:
            why = "This worker cannot go on with the session."
            self._say_last("INTERNAL_ERROR", why)
            self._finish(SessionEnd("CONNECTION_CLOSED", why, lost=True))

    def _window_over(self) -> None:
        self.give_up(f"the connection was lost for {self._resuming.window:g} s")

    # What arrives

    def _on_body(self, body: bytes) -> None:
        message = read_message(body, self.link.limits)
        if not self.is_open:
            if isinstance(message, m.Goodbye):
                self._finish(SessionEnd(message.code, message.message or "", clean=True))
            else:
                self._handshake.receive(self, message)
            return
        if isinstance(message, m.Ping):
            self.link.send_control(m.PONG, message.nonce)
        elif isinstance(message, m.Ack):
            self._receipts.check(message.count, self.link.outbox.on_the_way)
            self.link.confirm(message.count)
        elif not isinstance(message, m.Pong):
            self._receipts.count(len(body))
            if self._ack_timer is None:
                self._ack_timer = self.link.after(ACK_SECONDS, self._ack_due)
            self._dispatch(message, len(body))

    def _dispatch(self, message: m.Message, size: int) -> None:
        match message:
            case m.Request():
                self.incoming.on_request(message)
            case m.Response():
                self.outgoing.on_response(message)
            case m.OneWay():
                self.one_ways.on_one_way(message, size)
            case m.Item():
                self.streams.on_item(message, size)
            case m.End():
                self.streams.on_end(message)
            case m.Credit(id=0):
                self.one_ways.on_credit(message)
            case m.Credit():
                self.streams.on_credit(message)
            case m.Progress():
                self.outgoing.on_progress(message)
            case m.Cancel():
                self.incoming.on_cancel(message)
            case m.Drain():
                self.link.received_drain = True
                self.listener.on_drain(message.grace_ms, message.reason)
            case m.Goodbye():
                self.link.outbox.clear()
                self._finish(SessionEnd(message.code, message.message or "", clean=True))
            case m.Hello() | m.Welcome() | m.Reject():
                raise ProtocolError("A message of the handshake after the handshake.")

    # Acks

    def _ack_due(self) -> None:
        self._ack_timer = None
        if self._receipts.pending:
            self._send_ack()

    def _send_ack(self) -> None:
        self.link.send_control(m.ACK, self._receipts.take())

    # The end

    def drain(self, grace: float, reason: str) -> None:
        """Tells the other side that this one takes no new calls."""
        with self.link.lock:
            if self.is_open and self.end is None and not self.link.sent_drain:
                self.link.sent_drain = True
                self.link.send_control(m.DRAIN, round(grace * 1000), reason)

    def goodbye(self, code: str, message: str) -> None:
        """Ends the session in order: what is queued leaves, then the goodbye."""
        with self.link.lock:
            if self.end is None:
                # Calls still in flight are answered before: every request has exactly one response.
                self.incoming.stop_all(Cancelled("The worker is stopping."))
                self.link.outbox.stop_keeping()
                self.link.send_last(encode(self.link.limits, m.GOODBYE, code, message))
                self._finish(SessionEnd(code, message, clean=True, ours=True))

    def ping(self, nonce: int) -> None:
        with self.link.lock:
            if self.is_open and self.end is None:
                self.link.send_control(m.PING, nonce)

    def _break(self, error: ProtocolError) -> None:
        self._say_last(error.code, error.message)
        self._finish(SessionEnd(error.code, error.message, error=error))

    def _refuse(self, error: HandshakeError) -> None:
        # After a reject the host closes; only what this side refuses is said.
        if error.code in ("UNSUPPORTED_VERSION", "MISSING_FEATURE") and not error.details:
            self._say_last(error.code, error.message)
        self._finish(SessionEnd(error.code, error.message, error=error))

    def _say_last(self, code: str, message: str) -> None:
        # What is queued would only be thrown away by a side that broke the protocol.
        self.link.outbox.clear()
        self.link.outbox.stop_keeping()
        self.link.send_last(encode(self.link.limits, m.GOODBYE, code, message[:1_000]))

    def _handshake_timed_out(self) -> None:
        if not self.is_open:
            error = HandshakeError(
                f"The handshake did not end within {HANDSHAKE_SECONDS:g} s.", code="HANDSHAKE_TIMEOUT"
            )
            self._finish(SessionEnd(error.code, error.message, error=error))

    def _finish(self, end: SessionEnd) -> None:
        if self.end is not None:
            return
        self.end = end
        self.link.ended = True
        lost: WorkerError = (WorkerLost if self._handshake.is_host else HostLost)(
            f"The session is over: {end.message or end.code}"
        )
        self.outgoing.lose_all(f"the session is over ({end.message or end.code})")
        self.incoming.stop_all(lost)
        self.listener.on_end(end)
