"""The timers of a session, run by whoever moves its bytes."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Timer:
    """One pending callback. `cancel` is cheap; the queue forgets the timer later."""

    __slots__ = ("_queue", "callback", "due")

    def __init__(self, queue: TimerQueue, due: float, callback: Callable[[], None]) -> None:
        self._queue = queue
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self._queue.note_cancelled()


class TimerQueue:
    """A heap of timers. Most deadlines are cancelled long before they are due, so the heap is cleaned when half of it is dead."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._sequence = itertools.count()
        self._cancelled = 0

    def add(self, due: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self, due, callback)
        heapq.heappush(self._heap, (due, next(self._sequence), timer))
        return timer

    def next_due(self) -> float | None:
        """When the earliest timer is due."""
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0][0] if self._heap else None

    def run_due(self, now: float) -> None:
        """Runs every timer that is due, in order."""
        while (due := self.next_due()) is not None and due <= now:
            timer = heapq.heappop(self._heap)[2]
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()

    def note_cancelled(self) -> None:
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled
