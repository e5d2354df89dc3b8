"""Items, ends and credit, in both directions of every stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import Cancelled, ProtocolError
from ..wire import messages as m
from ..wire.codec import encode
from ..wire_error import from_wire
from .calls import IncomingCall, OutgoingCall
from .inbound import Inbound
from .incoming import IncomingCalls
from .link import Link
from .outbound import Outbound
from .outgoing import OutgoingCalls

Call = IncomingCall | OutgoingCall


def call_id(call: Call) -> int:
    return call.request.id if isinstance(call, IncomingCall) else call.id


class Streams:
    def __init__(self, link: Link, outgoing: OutgoingCalls, incoming: IncomingCalls) -> None:
        self._link = link
        self._outgoing = outgoing
        self._incoming = incoming

    # What arrives

    def on_item(self, item: m.Item, size: int) -> None:
        inbound = self._inbound(item.id, "an item")
        if inbound is not None:
            inbound.push(item.value, size)

    def on_end(self, end: m.End) -> None:
        inbound = self._inbound(end.id, "an end")
        if inbound is not None:
            inbound.end(None if end.error is None else from_wire(end.error))

    def on_credit(self, credit: m.Credit) -> None:
        call = self._find(credit.id, "credit")
        if call is None:
            return
        if call.outbound is None:
            self._link.record("credit for a direction that does not stream")
        else:
            call.outbound.window.grant(credit.bytes)

    def _inbound(self, id: int, what: str) -> Inbound | None:
        call = self._find(id, what)
        if call is None:
            return None
        if call.inbound is None or call.inbound.ended:
            self._link.record(f"{what} in a direction that does not stream or has ended")
            return None
        return call.inbound

    def _find(self, id: int, what: str) -> Call | None:
        """The call in flight; None when it is over (late, ignored) or never was (recorded)."""
        call = self._outgoing.in_flight.get(id) or self._incoming.in_flight.get(id)
        if call is None and not (self._outgoing.was_used(id) or self._incoming.was_used(id)):
            self._link.record(f"{what} for a call that was never made")
        return call

    # What this side does

    def encode_item(self, call: Call, value: Any) -> bytes:
        """The body of an item. Raises for what cannot be sent."""
        return encode(self._link.limits, m.ITEM, call_id(call), value)

    def try_send(self, call: Call, body: bytes, wake: Callable[[], None]) -> bool:
        """Sends an item if there is credit and room in the queue; else calls `wake` once it is worth another try."""
        with self._link.lock:
            outbound = self._outbound(call)
            if not outbound.window.open:
                outbound.window.when_open(wake)
                return False
            if not self._link.outbox.has_room:
                self._link.outbox.when_room(wake)
                return False
            outbound.window.use(len(body))
            self._link.send_bulk(body)
            return True

    def end(self, call: Call, error: dict[str, Any] | None = None) -> None:
        """Closes this side's direction of the stream; the call goes on."""
        with self._link.lock:
            outbound = self._outbound(call)
            outbound.end()
            self._link.send_bulk(encode(self._link.limits, m.END, call_id(call), error))

    def consume(self, call: Call, size: int) -> None:
        """A reader has asked for an item: its bytes are granted again."""
        with self._link.lock:
            if call.inbound is None or call.inbound.ended or self._link.ended:
                return
            grant = call.inbound.window.consume(size, self._link.clock.now())
            if grant:
                self._link.send_control(m.CREDIT, call_id(call), grant)

    def _outbound(self, call: Call) -> Outbound:
        if call.outbound is None:
            raise ProtocolError("This direction of the call does not stream.")
        if call.settled or call.outbound.ended or self._link.ended:
            raise Cancelled("The stream is over.")
        return call.outbound
