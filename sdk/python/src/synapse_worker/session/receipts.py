"""Acknowledgement (docs/protocol.md, section 6): counts what arrives, says when a receipt is due, checks the other side's."""

from __future__ import annotations

from ..errors import ProtocolError

ACK_MESSAGES = 64
ACK_BYTES = 256 * 1024
ACK_SECONDS = 0.1


class Receipts:
    def __init__(self) -> None:
        #: Messages received since the welcome, without ping, pong and ack.
        self.received = 0
        self._acked = 0
        self._bytes = 0
        self._last_seen = 0

    def count(self, body_bytes: int) -> None:
        self.received += 1
        self._bytes += body_bytes

    @property
    def pending(self) -> bool:
        """Something was received that no ack has told of."""
        return self.received > self._acked

    @property
    def due(self) -> bool:
        """An ack must go now, whatever the time."""
        return self.received - self._acked >= ACK_MESSAGES or self._bytes >= ACK_BYTES

    def take(self) -> int:
        """The count for an ack that is sent now."""
        self._acked = self.received
        self._bytes = 0
        return self.received

    def check(self, count: int, sent: int) -> None:
        """Refuses an ack that cannot be true."""
        if count > sent:
            raise ProtocolError("An ack above what was sent.")
        if count < self._last_seen:
            raise ProtocolError("An ack below an earlier one.")
        self._last_seen = count

    def resume(self) -> None:
        """The hello of a resume has told of everything that was received."""
        self._acked = self.received
        self._bytes = 0
