"""A clock that stands still until the test advances it."""

from __future__ import annotations

from .memory import MemoryLink


class SimulatedClock:
    """Drives the deadlines, acks and `ctx.sleep` of the session under test. `asyncio.sleep` is not its affair."""

    def __init__(self) -> None:
        self._now = 0.0
        self._link: MemoryLink | None = None

    def attach(self, link: MemoryLink) -> None:
        self._link = link

    def now(self) -> float:
        return self._now

    async def advance(self, seconds: float) -> None:
        """Lets time pass: every timer that comes due runs at its own instant, and what it causes is settled before the next."""
        assert self._link is not None
        target = self._now + seconds
        await self._link.settle()
        while (due := self._next_due()) is not None and due <= target:
            self._now = max(self._now, due)
            self._link.worker.tick()
            self._link.host.tick()
            await self._link.settle()
        self._now = target
        await self._link.settle()

    def _next_due(self) -> float | None:
        assert self._link is not None
        dues = (self._link.worker.next_due(), self._link.host.next_due())
        return min((due for due in dues if due is not None), default=None)
