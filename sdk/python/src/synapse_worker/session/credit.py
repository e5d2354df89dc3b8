"""The two ends of a credit window (docs/protocol.md, section 5.2)."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ProtocolError

WINDOW_BYTES = 262_144
# Grants are collected to a quarter of the window, so that they cost little and never let the window run dry.
_GRANT_BYTES = WINDOW_BYTES // 4


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
        self._consumed = 0

    def arrive(self, size: int) -> None:
        if self.credit <= 0:
            raise ProtocolError("Sent without credit.")
        self.credit -= size

    def consume(self, size: int) -> int:
        """Notes consumed bytes; returns how much credit to grant now (0 = not yet)."""
        self._consumed += size
        if self._consumed < _GRANT_BYTES:
            return 0
        grant, self._consumed = self._consumed, 0
        self.credit += grant
        return grant
