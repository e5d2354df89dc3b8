"""One-way messages and the two windows (id 0) that bound them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..wire import messages as m
from ..wire.codec import encode
from .credit import ReceiveWindow, SendWindow
from .link import Link


class OneWays:
    def __init__(self, link: Link, deliver: Callable[[m.OneWay, int], None]) -> None:
        self._link = link
        self._deliver = deliver
        self._sending = SendWindow()
        self._receiving = ReceiveWindow()

    def try_send(self, method: str, params: Any, traceparent: str | None = None) -> bool:
        """Sends if there is credit and room; never waits. Raises for what cannot be sent."""
        body = encode(self._link.limits, m.ONE_WAY, method, params, traceparent)
        link = self._link
        with link.lock:
            if link.ended or not self._sending.open or not link.outbox.has_room:
                return False
            self._sending.use(len(body))
            link.send_bulk(body)
            return True

    def when_open(self, wake: Callable[[], None]) -> None:
        """Calls `wake` once there is credit and room again (under the lock; at once, if there is now; never, if the session is over)."""
        with self._link.lock:
            if self._link.ended:
                return
            if not self._sending.open:
                self._sending.when_open(wake)
            elif not self._link.outbox.has_room:
                self._link.outbox.when_room(wake)
            else:
                wake()

    def on_one_way(self, message: m.OneWay, size: int) -> None:
        self._receiving.arrive(size)
        self._deliver(message, size)

    def on_credit(self, credit: m.Credit) -> None:
        self._sending.grant(credit.bytes)

    def consume(self, size: int) -> None:
        """A one-way message was taken by its handler: its bytes are granted again."""
        with self._link.lock:
            if not self._link.ended:
                grant = self._receiving.consume(size, self._link.clock.now())
                if grant:
                    self._link.send_control(m.CREDIT, 0, grant)
