"""What the parts of one session share: its lock, time, limits and the way out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..errors import ProtocolError
from ..wire import messages as m
from ..wire.codec import Limits, encode
from .clock import Clock
from .outbox import Entry, Outbox
from .timers import Timer, TimerQueue

_MAX_RECORDED_ERRORS = 100


class Link:
    def __init__(self, clock: Clock, wake: Callable[[], None], on_violation: Callable[[str], None]) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.timers = TimerQueue()
        self.outbox = Outbox()
        self.limits = Limits()
        #: The session is over: nothing is sent or received any more.
        self.ended = False
        self.sent_drain = False
        self.received_drain = False
        self.recorded_errors = 0
        self._wake = wake
        self._on_violation = on_violation

    def send_bulk(self, body: bytes, on_sent: Callable[[], None] | None = None) -> Entry:
        entry = Entry(body, True, on_sent)
        self.outbox.push_bulk(entry)
        self._wake()
        return entry

    def send_control(self, *elements: Any) -> None:
        """Encodes and sends a control message. Ping, pong and ack are not counted for acks."""
        self.send_control_body(encode(self.limits, *elements), elements[0])

    def send_control_body(self, body: bytes, kind: int) -> None:
        if not self.outbox.push_control(Entry(body, kind not in (m.PING, m.PONG, m.ACK))):
            self.overflow()
        self._wake()

    def overflow(self) -> None:
        """More waits than a side that reads would ever let pile up: the session ends."""
        # Raised on the thread that moves the bytes, not in the handler that happened to come by.
        self.timers.add(self.clock.now(), self._refuse_to_wait)

    def _refuse_to_wait(self) -> None:
        raise ProtocolError("The other side does not read.")

    def send_last(self, body: bytes) -> None:
        self.outbox.push_last(Entry(body))
        self._wake()

    def confirm(self, count: int) -> None:
        """The other side has received this many messages: they need not be kept any more."""
        self.outbox.confirm(count)
        if self.outbox.replay is not None:
            self._wake()  # bulk may have waited for it

    def after(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Runs the callback later, with the lock held."""
        timer = self.timers.add(self.clock.now() + seconds, callback)
        self._wake()  # it may be the earliest
        return timer

    def record(self, what: str) -> None:
        """A protocol error that harms nobody: counted and reported; the hundredth ends the session."""
        self.recorded_errors += 1
        self._on_violation(what)
        if self.recorded_errors >= _MAX_RECORDED_ERRORS:
            raise ProtocolError(f"Too many protocol errors; the last one: {what}")
