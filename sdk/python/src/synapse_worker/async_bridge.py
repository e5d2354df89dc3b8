"""From the session's callbacks, which come on any thread, to awaits on the loop that asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from .errors import Cancelled
from .session.calls import IncomingCall, OutgoingCall
from .session.session import Session
from .session.streams import Call


class Signal:
    """A future of the running loop that any thread may set; a loop that is closed by then is no error."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()

    def set(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._set)
        except RuntimeError:
            pass

    def _set(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self) -> None:
        await self._future


async def settled(session: Session, call: OutgoingCall) -> Any:
    """The result of a call, or its error. Cancelling the await cancels the call."""
    signal = Signal()
    with session.link.lock:
        call.when_settled(lambda _: signal.set())
    try:
        await signal.wait()
    except asyncio.CancelledError:
        session.outgoing.cancel(call, Cancelled(f"{call.method} was cancelled."))
        raise
    if call.error is not None:
        raise call.error
    return call.result


async def send_item(session: Session, call: Call, value: Any) -> None:
    """Sends an item as soon as there is credit: until then whoever produces items is held up."""
    body = session.streams.encode_item(call, value)
    while True:
        signal = Signal()
        if session.streams.try_send(call, body, signal.set):
            break
        await signal.wait()
    # A producer that never waits must not keep the loop for itself.
    await asyncio.sleep(0)


async def read_items(session: Session, call: Call) -> AsyncIterator[Any]:
    """The items that the other side sends, each granted again as it is taken."""
    inbound = call.inbound
    while inbound is not None:
        signal = Signal()
        with session.link.lock:
            taken = inbound.take()
            if taken is None:
                if inbound.ended:
                    if inbound.error is not None:
                        raise inbound.error
                    return
                inbound.when_ready(signal.set)
        if taken is None:
            await signal.wait()
        else:
            value, size = taken
            session.streams.consume(call, size)
            yield value


async def send_progress(session: Session, call: IncomingCall, send: Callable[[], None]) -> None:
    """Sends progress once the queue has room; of a call that is over, nothing."""
    while True:
        signal = Signal()
        with session.link.lock:
            if call.settled or session.link.ended:
                break
            if session.link.outbox.has_room:
                send()
                break
            session.link.outbox.when_room(signal.set)
        await signal.wait()
    # A loop that only reports progress must still notice that it was cancelled.
    await asyncio.sleep(0)
