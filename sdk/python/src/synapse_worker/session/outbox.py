"""What waits to be written: three lanes, so that control messages overtake bulk ones."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable

from ..wire.frames import header
from .replay import MESSAGE_OVERHEAD_BYTES, ReplayBuffer

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

    @property
    def cost(self) -> int:
        """What it counts for while it waits."""
        return len(self.body) + MESSAGE_OVERHEAD_BYTES


class Outbox:
    def __init__(self) -> None:
        self._control: deque[Entry] = deque()
        self._bulk: deque[Entry] = deque()
        self._last: Entry | None = None
        self._room_waiters: list[Callable[[], None]] = []
        #: What waits in the lanes, with the overhead of each message: a flood of small ones has a bound too.
        self.queued_bytes = 0
        #: Messages that have left the queue since the welcome, without ping, pong and ack.
        self.sent = 0
        #: What was sent and not confirmed; None where the session cannot be resumed.
        self.replay: ReplayBuffer | None = None
        # After a resume, what must leave once more, before everything else.
        self._again: deque[bytes] = deque()

    def push_control(self, entry: Entry) -> bool:
        """Queues before all bulk. False when the lane is full."""
        if len(self._control) >= MAX_QUEUED_CONTROL:
            return False
        self._control.append(entry)
        self.queued_bytes += entry.cost
        return True

    def push_bulk(self, entry: Entry) -> None:
        self._bulk.append(entry)
        self.queued_bytes += entry.cost

    def push_last(self, entry: Entry) -> None:
        """Queues behind everything (goodbye)."""
        self._last = entry

    def remove(self, entry: Entry) -> bool:
        """Takes a bulk entry back. False when it has left already."""
        try:
            self._bulk.remove(entry)
        except ValueError:
            return False
        self.queued_bytes -= entry.cost
        return True

    # Resume

    def keep(self, max_bytes: int) -> None:
        """Keeps what is sent from now on until it is confirmed."""
        self.replay = ReplayBuffer(max_bytes)

    def confirm(self, count: int) -> None:
        """The other side has received this many messages."""
        if self.replay is not None:
            self.replay.trim(count)

    def suspend(self) -> None:
        """The connection is gone. Pings, pongs and acks speak of it alone; everything else waits."""
        self._again.clear()
        self._drop_uncounted()

    def _drop_uncounted(self) -> None:
        # An ack would be below the count that the hello of a resume tells, which ends the session as a protocol error.
        uncounted = [entry for entry in self._control if not entry.counted]
        if uncounted:
            self._control = deque(entry for entry in self._control if entry.counted)
            self.queued_bytes -= sum(entry.cost for entry in uncounted)

    def resume(self) -> None:
        """There is a connection again: what was not confirmed leaves first, in its order."""
        self._drop_uncounted()
        if self.replay is not None:
            self._again = self.replay.bodies()

    @property
    def on_the_way(self) -> int:
        """How many messages the other side can have received on the present connection and those before."""
        return self.sent - len(self._again)

    def stop_keeping(self) -> None:
        """The session is about to end and will not be resumed."""
        self.replay = None

    # The way out

    def clear(self) -> None:
        self._again.clear()
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
        return not self._control and not self._bulk and not self._again and self._last is None

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
            if self._again:
                body = self._again.popleft()
                parts += (header(len(body)), body)
                size += 4 + len(body)
                continue
            if self._control:
                entry = self._control.popleft()
                self.queued_bytes -= entry.cost
            elif self._bulk:
                if self.replay is not None and self.replay.full:
                    break
                entry = self._bulk.popleft()
                self.queued_bytes -= entry.cost
            elif self._last is not None:
                entry, self._last = self._last, None
            else:
                break
            parts += (header(len(entry.body)), entry.body)
            size += 4 + len(entry.body)
            if entry.counted:
                self.sent += 1
                if self.replay is not None:
                    self.replay.push(entry.body)
            if entry.on_sent is not None:
                entry.on_sent()
        if self._room_waiters and self.has_room:
            self._wake_waiters()
        return b"".join(parts)

    def _wake_waiters(self) -> None:
        waiters, self._room_waiters = self._room_waiters, []
        for wake in waiters:
            wake()
