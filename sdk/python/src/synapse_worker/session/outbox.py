"""What waits to be written: three lanes, so that control messages overtake bulk ones."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable

from ..wire.frames import header

#: Above this many queued bytes, items wait and log lines are dropped.
HIGH_WATER_BYTES = 1024 * 1024
#: Above this many queued bytes, new calls are refused.
MAX_QUEUED_BYTES = 64 * 1024 * 1024
#: A peer that lets this many control messages pile up does not read any more.
MAX_QUEUED_CONTROL = 16_384


@dataclasses.dataclass(slots=True, eq=False)
class Entry:
    """One message on its way out."""

    body: bytes
    counted: bool = True
    on_sent: Callable[[], None] | None = None


class Outbox:
    def __init__(self) -> None:
        self._control: deque[Entry] = deque()
        self._bulk: deque[Entry] = deque()
        self._last: Entry | None = None
        self._room_waiters: list[Callable[[], None]] = []
        self.queued_bytes = 0
        #: Messages handed to the transport since the welcome, without ping, pong and ack.
        self.sent = 0

    def push_control(self, entry: Entry) -> bool:
        """Queues before all bulk. False when the lane is full."""
        if len(self._control) >= MAX_QUEUED_CONTROL:
            return False
        self._control.append(entry)
        self.queued_bytes += len(entry.body)
        return True

    def push_bulk(self, entry: Entry) -> None:
        self._bulk.append(entry)
        self.queued_bytes += len(entry.body)

    def push_last(self, entry: Entry) -> None:
        """Queues behind everything (goodbye)."""
        self._last = entry

    def remove(self, entry: Entry) -> bool:
        """Takes a bulk entry back. False when it has left already."""
        try:
            self._bulk.remove(entry)
        except ValueError:
            return False
        self.queued_bytes -= len(entry.body)
        return True

    def clear(self) -> None:
        self._control.clear()
        self._bulk.clear()
        self.queued_bytes = 0
        self._wake_waiters()

    def uncount(self) -> None:
        """Starts the count anew: what was sent or queued until now belongs to the handshake."""
        self.sent = 0
        for entry in (*self._control, *self._bulk):
            entry.counted = False

    @property
    def empty(self) -> bool:
        return not self._control and not self._bulk and self._last is None

    @property
    def has_room(self) -> bool:
        return self.queued_bytes < HIGH_WATER_BYTES

    def when_room(self, wake: Callable[[], None]) -> None:
        self._room_waiters.append(wake)

    def take(self, max_bytes: int) -> bytes:
        """Frames of about `max_bytes` (at least one frame, if any), control first."""
        parts: list[bytes] = []
        size = 0
        while size < max_bytes:
            if self._control:
                entry = self._control.popleft()
                self.queued_bytes -= len(entry.body)
            elif self._bulk:
                entry = self._bulk.popleft()
                self.queued_bytes -= len(entry.body)
            elif self._last is not None:
                entry, self._last = self._last, None
            else:
                break
            parts += (header(len(entry.body)), entry.body)
            size += 4 + len(entry.body)
            self.sent += entry.counted
            if entry.on_sent is not None:
                entry.on_sent()
        if self._room_waiters and self.has_room:
            self._wake_waiters()
        return b"".join(parts)

    def _wake_waiters(self) -> None:
        waiters, self._room_waiters = self._room_waiters, []
        for wake in waiters:
            wake()
