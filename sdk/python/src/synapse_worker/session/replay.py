"""What was sent and has not been confirmed, for a session that can be resumed (docs/protocol.md, section 8)."""

from __future__ import annotations

from collections import deque

#: What a message that is held costs beside its body (the objects around it). Without it, answers of a few bytes could fill
#: the memory many times over before a bound in bytes is reached.
MESSAGE_OVERHEAD_BYTES = 128


class ReplayBuffer:
    """Bodies in the order in which they left, each charged with `MESSAGE_OVERHEAD_BYTES` more. Bulk waits at `max_bytes`;
    control messages, which cannot wait, may go over it.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bodies: deque[bytes] = deque()
        self._confirmed = 0
        #: What is kept, with the overhead of each message.
        self.bytes = 0
        #: Everything that is not confirmed is here. Once it is not, it never is again, and nothing is kept.
        self.complete = True

    @property
    def full(self) -> bool:
        """Bulk should wait for a receipt."""
        return self.complete and self.bytes >= self._max_bytes > 0

    def push(self, body: bytes) -> None:
        if not self.complete:
            return
        self._bodies.append(body)
        self.bytes += len(body) + MESSAGE_OVERHEAD_BYTES
        # What makes bulk wait may be overshot; beyond twice as much the promise to keep is taken back.
        if self.bytes > 2 * self._max_bytes:
            self.complete = False
            self._bodies.clear()
            self.bytes = 0

    def trim(self, count: int) -> None:
        """The other side has received this many messages."""
        while self._bodies and self._confirmed < count:
            self._confirmed += 1
            self.bytes -= len(self._bodies.popleft()) + MESSAGE_OVERHEAD_BYTES

    def bodies(self) -> deque[bytes]:
        """What is kept, oldest first."""
        return self._bodies.copy()
