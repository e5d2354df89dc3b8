"""Two sessions joined in memory: real frames, moved on the test's own loop, in an order that repeats."""

from __future__ import annotations

import asyncio

from ..session.session import Session


class MemoryLink:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._scheduled = False
        self.worker: Session
        self.host: Session
        #: How many batches of bytes were moved; what settles looks at it.
        self.moved = 0
        #: Set by a fault: the connection dies before a request for this method ("" = any) leaves the worker.
        self.crash_before: str | None = None

    def wake(self) -> None:
        """From any thread: there is something to move."""
        if not self._scheduled:
            self._scheduled = True
            try:
                self._loop.call_soon_threadsafe(self._pump)
            except RuntimeError:
                pass  # the loop is closed, and the test over

    def cut(self) -> None:
        """The connection dies, without a goodbye; what was queued is lost."""
        self.worker.connection_lost("the connection was cut by the test")
        self.host.connection_lost("the connection was cut by the test")

    def _pump(self) -> None:
        self._scheduled = False
        moving = True
        while moving:
            moving = False
            for sender, receiver in ((self.worker, self.host), (self.host, self.worker)):
                if sender is self.worker and self._about_to_crash():
                    self.cut()
                    return
                if data := sender.take_output():
                    moving = True
                    self.moved += 1
                    receiver.receive(data)
        for sender, receiver in ((self.worker, self.host), (self.host, self.worker)):
            if sender.end is not None and receiver.end is None:
                receiver.connection_lost("the other side closed the connection")

    def _about_to_crash(self) -> bool:
        wanted = self.crash_before
        return wanted is not None and any(
            not call.sent and wanted in ("", call.method) for call in self.worker.outgoing.in_flight.values()
        )

    async def settle(self) -> None:
        """Until nothing moves any more and the loop has nothing to do at once."""
        quiet = 0
        while quiet < 20:
            before = self.moved
            await asyncio.sleep(0)
            quiet = quiet + 1 if self.moved == before and not self._scheduled else 0
