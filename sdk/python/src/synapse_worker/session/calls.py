"""The records of calls in flight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import WorkerError
from ..wire import messages as m
from .inbound import Inbound
from .outbound import Outbound
from .outbox import Entry
from .timers import Timer


class OutgoingCall:
    """A call that this side made. It settles exactly once: by the response, its time limit, a cancel, or the session's end."""

    __slots__ = (
        "deadline", "entry", "error", "id", "inbound", "method", "nested", "on_progress", "outbound",
        "parent", "result", "sent", "settled", "time_limit", "timer", "_on_settled",
    )  # fmt: skip

    def __init__(self, method: str, parent: IncomingCall | None, flags: int) -> None:
        self.id = 0
        self.method = method
        self.parent = parent
        self.deadline: float | None = None
        self.time_limit = ""
        self.timer: Timer | None = None
        self.entry: Entry | None = None
        #: The frame has left the queue, so the other side may have run the call.
        self.sent = False
        self.settled = False
        self.result: Any = None
        self.error: WorkerError | None = None
        self.inbound = Inbound() if flags & m.CALLER_EXPECTS_ITEMS else None
        self.outbound = Outbound() if flags & m.CALLER_SENDS_ITEMS else None
        #: Calls of the other side that name this one as their parent.
        self.nested: set[IncomingCall] = set()
        self.on_progress: Callable[[m.Progress], None] | None = None
        self._on_settled: Callable[[OutgoingCall], None] | None = None

    def mark_sent(self) -> None:
        self.sent = True

    def when_settled(self, callback: Callable[[OutgoingCall], None]) -> None:
        """Under the session's lock. Called at once when the call is settled already."""
        if self.settled:
            callback(self)
        else:
            self._on_settled = callback

    def settle(self, error: WorkerError | None, result: Any) -> None:
        self.settled = True
        self.error = error
        self.result = result
        if self.timer is not None:
            self.timer.cancel()
        if self.inbound is not None:
            self.inbound.end(error)
        if self.outbound is not None:
            self.outbound.end()
        callback, self._on_settled = self._on_settled, None
        if callback is not None:
            callback(self)


class IncomingCall:
    """A call that the other side made. It is answered exactly once; its handler may outlive the answer."""

    __slots__ = (
        "cancel_error", "deadline", "finished", "inbound", "limited", "nested", "outbound", "parent",
        "request", "settled", "timer", "_on_cancel",
    )  # fmt: skip

    def __init__(self, request: m.Request) -> None:
        self.request = request
        #: On the clock of the session; None = no limit.
        self.deadline: float | None = None
        self.timer: Timer | None = None
        self.parent: OutgoingCall | None = None
        #: Calls of this side that were made in the course of this one.
        self.nested: set[OutgoingCall] = set()
        self.settled = False
        #: The handler has returned.
        self.finished = False
        #: Counts towards the limit of concurrent calls (lifecycle calls do not).
        self.limited = True
        #: Why the handler should stop; None while it should go on.
        self.cancel_error: WorkerError | None = None
        self.inbound = Inbound() if request.flags & m.CALLER_SENDS_ITEMS else None
        self.outbound = Outbound() if request.flags & m.CALLER_EXPECTS_ITEMS else None
        self._on_cancel: Callable[[], None] | None = None

    def when_cancelled(self, callback: Callable[[], None]) -> None:
        """Under the session's lock. Called at once when the call is cancelled already."""
        if self.cancel_error is not None:
            callback()
        else:
            self._on_cancel = callback

    def mark_cancelled(self, error: WorkerError) -> None:
        self.cancel_error = error
        callback, self._on_cancel = self._on_cancel, None
        if callback is not None:
            callback()
