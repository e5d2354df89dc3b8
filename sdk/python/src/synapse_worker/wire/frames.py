"""Length-prefixed frames (docs/protocol.md, section 1)."""

from __future__ import annotations

import struct

from ..errors import ProtocolError

#: What a body may measure before welcome.
HANDSHAKE_FRAME_BYTES = 131_072

_LENGTH = struct.Struct(">I")


def header(body_length: int) -> bytes:
    """The four bytes that stand before a body of this length."""
    return _LENGTH.pack(body_length)


class FrameSplitter:
    """Cuts a byte stream into bodies.

    Memory grows with the bytes that arrived, never with a length that was announced. `max_frame_bytes` may change
    between two frames (the welcome does that), so bodies are taken one at a time.
    """

    def __init__(self, max_frame_bytes: int = HANDSHAKE_FRAME_BYTES) -> None:
        self.max_frame_bytes = max_frame_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next_body(self) -> bytes | None:
        """The next whole body, or None until more bytes have arrived."""
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        (length,) = _LENGTH.unpack_from(buffer)
        if length == 0:
            raise ProtocolError("A frame of length 0.")
        if length > self.max_frame_bytes:
            raise ProtocolError(f"A frame of {length} bytes; at most {self.max_frame_bytes} are allowed.")
        end = 4 + length
        if len(buffer) < end:
            return None
        body = bytes(memoryview(buffer)[4:end])
        del buffer[:end]
        return body

    def take_buffered(self) -> bytes:
        """What has arrived and was not taken, for another splitter to go on with."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    @property
    def buffered(self) -> int:
        """Bytes of a frame that is not complete yet."""
        return len(self._buffer)
