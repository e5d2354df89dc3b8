"""The calls that this side makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import (
    Cancelled,
    DeadlineExceeded,
    Draining,
    FrameTooLarge,
    InvalidArgument,
    Overloaded,
    ProtocolError,
    WorkerError,
)
from ..wire import messages as m
from ..wire.codec import encode, pack
from ..wire.fields import method_name
from ..wire_error import from_wire
from .calls import IncomingCall, OutgoingCall
from .link import Link
from .outbox import MAX_QUEUED_BYTES

DEFAULT_TIMEOUT = 30.0
_MAX_KEY_BYTES = 256
# A time limit of a thousand years is none, and would not fit into the message.
_FOREVER = 1_000 * 365 * 86_400.0


class OutgoingCalls:
    def __init__(self, link: Link, first_id: int, lost: type[WorkerError]) -> None:
        self._link = link
        self._next_id = first_id
        self._lost = lost
        self.in_flight: dict[int, OutgoingCall] = {}
        #: Called for each call that is settled, so that what the other side does in its course is stopped.
        self.on_settle: Callable[[OutgoingCall], None] = lambda call: None

    def was_used(self, call_id: int) -> bool:
        """This side made a call of this id, at some time: its ids have no gaps."""
        return 0 < call_id < self._next_id and call_id % 2 == self._next_id % 2

    def start(
        self,
        method: str,
        params: Any,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        flags: int = 0,
        parent: IncomingCall | None = None,
        traceparent: str | None = None,
        idempotency_key: str | None = None,
        acting_for: str | None = None,
    ) -> OutgoingCall:
        """Sends a request. What is wrong with the arguments is raised here, before anything leaves."""
        try:
            method_name(method)
        except ProtocolError as error:
            raise InvalidArgument(error.message) from None
        for name, key in (("idempotency_key", idempotency_key), ("acting_for", acting_for)):
            if key is not None and not 0 < len(key.encode("utf-8", "replace")) <= _MAX_KEY_BYTES:
                raise InvalidArgument(f"{name} is not a string of 1 to {_MAX_KEY_BYTES} bytes.")
        if timeout is not None and not timeout >= 0:
            raise InvalidArgument("timeout is not a number of seconds.")
        link = self._link
        call = OutgoingCall(method, parent, flags)
        now = link.clock.now()
        self._limit(call, now, timeout, parent)
        remaining_ms = None if call.deadline is None else max(0, round((call.deadline - now) * 1000))
        # Encoded outside the lock, with an id of one byte in the place of the real one: ids must leave in order, and a
        # large value must not hold up the IO thread meanwhile.
        body = encode(
            link.limits, m.REQUEST, 0, method, params, flags or None, remaining_ms, traceparent,
            parent.request.id if parent is not None else None, idempotency_key, acting_for,
        )  # fmt: skip
        with link.lock:
            self._check_may_start(call, parent)
            call.id = self._next_id
            body = body[:2] + pack(call.id) + body[3:]
            if len(body) > link.limits.max_frame_bytes:
                raise FrameTooLarge(f"The params of {method} do not fit into a frame; use a stream.")
            self._next_id += 2
            self.in_flight[call.id] = call
            if parent is not None:
                parent.nested.add(call)
            call.entry = link.send_bulk(body, call.mark_sent)
            if call.deadline is not None:
                call.timer = link.after(max(0.0, call.deadline - now), lambda: self._expire(call))
        return call

    def _limit(self, call: OutgoingCall, now: float, timeout: float | None, parent: IncomingCall | None) -> None:
        if timeout is not None and timeout < _FOREVER:
            call.deadline, call.time_limit = now + timeout, f"its time limit of {timeout:g} s"
        if parent is not None and parent.deadline is not None:
            if call.deadline is None or parent.deadline < call.deadline:
                call.deadline = parent.deadline
                call.time_limit = f"what {parent.request.method} had left of its own time limit"

    def _check_may_start(self, call: OutgoingCall, parent: IncomingCall | None) -> None:
        link = self._link
        if link.ended:
            raise self._lost(f"{call.method} was not sent: the session is over.", may_have_run=False)
        if parent is not None and parent.settled:
            raise Cancelled(
                f"{call.method} was not sent: {parent.request.method}, in whose course it would run, is over.",
                may_have_run=False,
            )
        if parent is None and link.received_drain:
            raise Draining(f"{call.method} was not sent: the host is about to stop this worker.")
        if link.outbox.queued_bytes > MAX_QUEUED_BYTES:
            raise Overloaded(f"{call.method} was not sent: too many bytes wait to be sent.")

    def cancel(self, call: OutgoingCall, error: WorkerError) -> None:
        """Settles a call at once. The other side is told, unless the request never left."""
        with self._link.lock:
            if call.settled:
                return
            unsent = call.entry is not None and not call.sent and self._link.outbox.remove(call.entry)
            if error.may_have_run is None:
                error.may_have_run = not unsent
            self._settle(call, error, None)
            if not unsent and not self._link.ended:
                self._link.send_control(m.CANCEL, call.id, error.code)

    def on_response(self, response: m.Response) -> None:
        call = self.in_flight.get(response.id)
        if call is None:
            if not self.was_used(response.id):
                self._link.record("a response to a call that was never made")
            return
        error = None if response.error is None else from_wire(response.error)
        self._settle(call, error, response.result)

    def on_progress(self, progress: m.Progress) -> None:
        call = self.in_flight.get(progress.id)
        if call is None:
            if not self.was_used(progress.id):
                self._link.record("progress of a call that was never made")
        elif call.on_progress is not None:
            call.on_progress(progress)

    def lose_all(self, why: str) -> None:
        """The session is over: every caller is told, and whether the call may have run."""
        for call in list(self.in_flight.values()):
            self._settle(call, self._lost(f"{call.method}: {why}", may_have_run=call.sent), None)

    def _expire(self, call: OutgoingCall) -> None:
        self.cancel(call, DeadlineExceeded(f"{call.method} did not end within {call.time_limit}."))

    def _settle(self, call: OutgoingCall, error: WorkerError | None, result: Any) -> None:
        del self.in_flight[call.id]
        if call.parent is not None:
            call.parent.nested.discard(call)
        self.on_settle(call)
        call.settle(error, result)
