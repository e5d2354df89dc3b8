"""The receiving half of a stream: items that arrived and have not been asked for yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ..errors import WorkerError
from .credit import ReceiveWindow


class Inbound:
    """Bounded by the credit window: the other side may not send more than the reader has made room for."""

    def __init__(self) -> None:
        self.window = ReceiveWindow()
        self.ended = False
        self.error: WorkerError | None = None
        self._items: deque[tuple[Any, int]] = deque()
        self._wake: Callable[[], None] | None = None

    def push(self, value: Any, size: int) -> None:
        self.window.arrive(size)
        self._items.append((value, size))
        self._notify()

    def end(self, error: WorkerError | None = None) -> None:
        """No more items. What arrived before can still be read; an error comes after it."""
        if not self.ended:
            self.ended = True
            self.error = error
            self._notify()

    def take(self) -> tuple[Any, int] | None:
        """The next item and its size in bytes, if one is here."""
        return self._items.popleft() if self._items else None

    def when_ready(self, wake: Callable[[], None]) -> None:
        """Calls `wake` once, at the next item or the end."""
        self._wake = wake

    def _notify(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None:
            wake()
