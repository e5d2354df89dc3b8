"""A stream of the plugin under test, as its caller has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

from .. import async_bridge
from ..errors import Cancelled, InvalidState
from ..session.calls import OutgoingCall
from ..session.session import Session


class PluginStream(AsyncIterable[Any]):
    """Iterable once. Items are granted credit as they are taken; `result` is there once the call has ended."""

    def __init__(self, session: Session, call: OutgoingCall, items: AsyncIterable[Any] | Iterable[Any] | None) -> None:
        self._session = session
        self._call = call
        self._iterated = False
        #: Somebody looked at it; a stream that nobody looks at is a leak even when it has ended.
        self.used = False
        self._result = asyncio.ensure_future(async_bridge.settled(session, call))
        # An error that nobody asks for is no unhandled one.
        self._result.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._sender = None if items is None else asyncio.ensure_future(self._send(items))

    @property
    def method(self) -> str:
        return self._call.method

    @property
    def ended(self) -> bool:
        return self._call.settled

    @property
    def result(self) -> asyncio.Future[Any]:
        """What the stream's handler gave with `ctx.set_result`; awaiting it raises the error of a stream that failed."""
        self.used = True
        return self._result

    async def cancel(self, reason: str = "The reader gave up.") -> None:
        """Ends the call; leaving the loop alone does not."""
        self.used = True
        self._session.outgoing.cancel(self._call, Cancelled(reason))
        await asyncio.wait([self._result])

    def __aiter__(self) -> AsyncIterator[Any]:
        if self._iterated:
            raise InvalidState("A stream can be iterated once.")
        self._iterated = self.used = True
        return async_bridge.read_items(self._session, self._call)

    async def _send(self, items: AsyncIterable[Any] | Iterable[Any]) -> None:
        try:
            if isinstance(items, AsyncIterable):
                async for item in items:
                    await async_bridge.send_item(self._session, self._call, item)
            else:
                for item in items:
                    await async_bridge.send_item(self._session, self._call, item)
            self._session.streams.end(self._call)
        except Cancelled:
            pass  # The plugin answered before it had read everything; that is its right.
