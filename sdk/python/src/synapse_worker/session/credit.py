"""The two ends of a credit window (docs/protocol.md, section 5.2)."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ProtocolError

#: What may be under way in one direction at the start.
WINDOW_BYTES = 262_144
#: The largest window that a receiver of this package grants.
MAX_WINDOW_BYTES = 16 * 1024 * 1024
# Grants that follow each other faster than this show that the window, not the reader, is the limit.
_GROWTH_SECONDS = 0.02


class SendWindow:
    """What this side may still send. Sending is allowed while the credit is above zero; one frame may overdraw it."""

    def __init__(self) -> None:
        self.credit = WINDOW_BYTES
        self._waiters: list[Callable[[], None]] = []

    @property
    def open(self) -> bool:
        return self.credit > 0

    def use(self, size: int) -> None:
        self.credit -= size

    def grant(self, size: int) -> None:
        self.credit += size
        if self.open:
            self.wake()

    def when_open(self, wake: Callable[[], None]) -> None:
        self._waiters.append(wake)

    def wake(self) -> None:
        """Wakes whoever waits: there is credit, or there will never be."""
        waiters, self._waiters = self._waiters, []
        for wake in waiters:
            wake()


class ReceiveWindow:
    """What the other side may still send. It grows by what this side consumed, not by what merely arrived."""

    def __init__(self) -> None:
        self.credit = WINDOW_BYTES
        self.size = WINDOW_BYTES
        self._consumed = 0
        self._granted_at = float("-inf")

    def arrive(self, size: int) -> None:
        if self.credit <= 0:
            raise ProtocolError("Sent without credit.")
        self.credit -= size

    def consume(self, size: int, now: float) -> int:
        """Notes consumed bytes; returns how much credit to grant now (0 = not yet).

        Grants are collected to a quarter of the window, so that they cost little and never let it run dry; the window
        doubles as long as the reader keeps up with it.
        """
        self._consumed += size
        if self._consumed < self.size / 4:
            return 0
        growth = 0
        if now - self._granted_at < _GROWTH_SECONDS:
            growth = min(self.size, MAX_WINDOW_BYTES - self.size)
            self.size += growth
        self._granted_at = now
        grant, self._consumed = self._consumed + growth, 0
        self.credit += grant
        return grant
