"""Where a session takes its time from; tests give it a simulated clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds on a monotonic scale."""
        ...


class SystemClock:
    """`time.monotonic`."""

    def now(self) -> float:
        return time.monotonic()
