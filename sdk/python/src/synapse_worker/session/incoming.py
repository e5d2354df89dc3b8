"""The calls that the other side makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import (
    Cancelled,
    DeadlineExceeded,
    Draining,
    Overloaded,
    ProtocolError,
    WorkerError,
)
from ..wire import messages as m
from ..wire.codec import encode
from ..wire_error import to_wire
from .calls import IncomingCall, OutgoingCall
from .link import Link
from .outbox import MAX_QUEUED_CONTROL
from .outgoing import OutgoingCalls


class IncomingCalls:
    def __init__(
        self,
        link: Link,
        outgoing: OutgoingCalls,
        parity: int,
        deliver: Callable[[IncomingCall], None],
        on_idle: Callable[[], None],
    ) -> None:
        self._link = link
        self._outgoing = outgoing
        self._parity = parity
        self._deliver = deliver
        self._on_idle = on_idle
        self._last_id = 0
        self.in_flight: dict[int, IncomingCall] = {}
        # Unanswered calls, and handlers that run on although their call was answered (cancelled, or out of time). Each
        # is limited on its own: a stuck handler must neither be forgotten nor block its successor at once.
        self._active = 0
        self.abandoned = 0
        self._answers_waiting = 0

    def was_used(self, call_id: int) -> bool:
        """The other side made a call of this id, at some time (or skipped the id, which is its own affair)."""
        return 0 < call_id <= self._last_id and call_id % 2 == self._parity

    def on_request(self, request: m.Request) -> None:
        if request.id % 2 != self._parity:
            raise ProtocolError("A request with an id of the wrong parity.")
        if request.id <= self._last_id:
            raise ProtocolError("A request with an id that is not above the last one.")
        self._last_id = request.id
        call = IncomingCall(request)
        call.limited = not request.method.startswith("plugin.")
        refusal = self._refusal(call)
        if refusal is not None:
            self._answer(encode(self._link.limits, m.RESPONSE, request.id, to_wire(refusal)))
            return
        self.in_flight[request.id] = call
        self._active += call.limited
        if call.deadline is not None:
            left = max(0.0, call.deadline - self._link.clock.now())
            call.timer = self._link.after(left, lambda: self._expire(call))
        self._deliver(call)

    def _refusal(self, call: IncomingCall) -> WorkerError | None:
        """Why a request is answered without a handler; also finds its parent and its deadline."""
        request, link = call.request, self._link
        if request.deadline_ms is not None:
            call.deadline = link.clock.now() + request.deadline_ms / 1000
        if request.parent_id is not None:
            parent = self._outgoing.in_flight.get(request.parent_id)
            if parent is None:
                return Cancelled("The call in whose course this one was made is over.")
            call.parent = parent
            parent.nested.add(call)
            if parent.deadline is not None and (call.deadline is None or parent.deadline < call.deadline):
                call.deadline = parent.deadline
        elif link.sent_drain and call.limited:
            return Draining("This side is about to stop and takes no new calls.")
        limit = link.limits.max_concurrency
        if call.limited and (self._active >= limit or self.abandoned >= limit):
            if call.parent is not None:
                call.parent.nested.discard(call)
            stuck = f"; {self.abandoned} cancelled handlers still run" if self.abandoned else ""
            return Overloaded(f"{limit} calls are in flight at most{stuck}.")
        return None

    def respond(self, call: IncomingCall, error: dict[str, Any] | None, result: Any = None) -> bool:
        """Answers a call. False when it was answered before. Raises, unanswered, for a result that cannot be sent."""
        if call.settled:
            return False
        body = encode(self._link.limits, m.RESPONSE, call.request.id, error, result)
        with self._link.lock:
            if call.settled or self._link.ended:
                return False
            if call.deadline is not None and self._link.clock.now() >= call.deadline:
                # The handler saw the end of its time before the timer did.
                self._expire(call)
                return False
            self._answer(body)
            # Whoever answers has nothing left to do: it does not count as one that outlives its answer, not even for a moment.
            call.finished = True
            self._settle(call)
            return True

    def _answer(self, body: bytes) -> None:
        # Who reads and confirms never has more answers waiting than calls in flight; who does neither must not fill the memory.
        self._answers_waiting += 1
        if self._answers_waiting > max(MAX_QUEUED_CONTROL, self._link.limits.max_concurrency):
            self._link.overflow()
        self._link.send_bulk(body, self._answer_left)

    def _answer_left(self) -> None:
        self._answers_waiting -= 1

    def finished(self, call: IncomingCall) -> None:
        """The handler has returned, whenever its call was answered."""
        with self._link.lock:
            if not call.finished:
                call.finished = True
                if call.settled and call.limited:
                    self.abandoned -= 1

    def on_cancel(self, cancel: m.Cancel) -> None:
        call = self.in_flight.get(cancel.id)
        if call is not None:
            self.stop(call, Cancelled(f"{call.request.method} was cancelled by its caller."))

    def stop(self, call: IncomingCall, error: WorkerError) -> None:
        """Answers at once and tells the handler to stop: a handler that does not listen must not delay the answer."""
        if not call.settled:
            call.mark_cancelled(error)
            if not self._link.ended:
                self._answer(encode(self._link.limits, m.RESPONSE, call.request.id, to_wire(error)))
            self._settle(call)

    def stop_all(self, error: WorkerError) -> None:
        for call in list(self.in_flight.values()):
            self.stop(call, error)

    def stop_nested(self, parent: OutgoingCall) -> None:
        """A call of this side is settled: what the other side does in its course has no purpose any more."""
        for call in list(parent.nested):
            self.stop(call, Cancelled(f"{parent.method}, in whose course this call was made, is over."))

    def _expire(self, call: IncomingCall) -> None:
        self.stop(call, DeadlineExceeded(f"{call.request.method} did not end in time.", may_have_run=True))

    def _settle(self, call: IncomingCall) -> None:
        call.settled = True
        del self.in_flight[call.request.id]
        if call.limited:
            self._active -= 1
            if not call.finished:
                self.abandoned += 1
        if call.timer is not None:
            call.timer.cancel()
        if call.parent is not None:
            call.parent.nested.discard(call)
        if call.inbound is not None:
            call.inbound.end(call.cancel_error)
        if call.outbound is not None:
            call.outbound.end()
        for nested in list(call.nested):
            self._outgoing.cancel(
                nested,
                Cancelled(f"{nested.method}: {call.request.method}, in whose course it was made, is over."),
            )
        if not self.in_flight:
            self._on_idle()
