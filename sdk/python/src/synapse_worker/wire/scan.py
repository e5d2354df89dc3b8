"""The strict scan of a body before it is decoded (docs/protocol.md, section 2).

A pass over the bytes that builds nothing: it checks structure and limits, so that decoding cannot be made to build
something monstrous. What the scan leaves out is that strings are valid UTF-8: the decoder checks that in C.
"""

from __future__ import annotations

from ..errors import ProtocolError

MAX_DEPTH = 32
MAX_ELEMENTS = 100_000
MAX_MAP_ENTRIES = 1_024

_PROTO = b"__proto__"


def _scalar_sizes() -> tuple[int, ...]:
    """For each first byte: the whole size of a value whose size that byte alone tells, else 0."""
    sizes = [0] * 256
    for byte in (*range(0x00, 0x80), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3):
        sizes[byte] = 1
    for byte in range(0xA0, 0xC0):
        sizes[byte] = 1 + (byte & 0x1F)
    sizes[0xCC] = sizes[0xD0] = 2
    sizes[0xCD] = sizes[0xD1] = 3
    sizes[0xCA] = sizes[0xCE] = sizes[0xD2] = 5
    sizes[0xCB] = sizes[0xCF] = sizes[0xD3] = 9
    return tuple(sizes)


_SCALAR = _scalar_sizes()
# Width of the length field: bin 8/16/32 and str 8/16/32.
_LENGTH_WIDTH = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_FIXEXT_SIZE = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_EXT_LENGTH_WIDTH = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_TIMESTAMP_TYPE = 0xFF
_TIMESTAMP_SIZES = (4, 8, 12)


def scan(body: bytes, max_depth: int = MAX_DEPTH, max_elements: int = MAX_ELEMENTS) -> None:
    """Raises `ProtocolError` unless the body is exactly one value that keeps every limit."""
    try:
        _scan(body, max_depth, max_elements)
    except IndexError:
        raise ProtocolError("A value is cut short.") from None


def _scan(body: bytes, max_depth: int, max_elements: int) -> None:
    scalar = _SCALAR
    position = 0
    elements = 1
    # The open container: how many values it still lacks, and whether it is a map (whose keys have an even number left).
    left = 1
    in_map = False
    outer: list[tuple[int, bool]] = []
    while True:
        while left == 0:
            if not outer:
                if position != len(body):
                    raise ProtocolError("A value is cut short." if position > len(body) else "Bytes after the value.")
                return
            left, in_map = outer.pop()
        byte = body[position]
        if in_map and not left & 1:
            left -= 1
            position = _skip_key(body, position, byte)
            continue
        left -= 1
        size = scalar[byte]
        if size:
            position += size
            continue
        width = _LENGTH_WIDTH.get(byte)
        if width is not None:
            position += 1 + width + _uint(body, position + 1, width)
            continue
        # Containers and the rest.
        if byte < 0x90:
            count, position, is_map = byte & 0x0F, position + 1, True
        elif byte < 0xA0:
            count, position, is_map = byte & 0x0F, position + 1, False
        elif byte == 0xDC:
            count, position, is_map = _uint(body, position + 1, 2), position + 3, False
        elif byte == 0xDD:
            count, position, is_map = _uint(body, position + 1, 4), position + 5, False
        elif byte == 0xDE:
            count, position, is_map = _uint(body, position + 1, 2), position + 3, True
        elif byte == 0xDF:
            count, position, is_map = _uint(body, position + 1, 4), position + 5, True
        elif byte == 0xC1:
            raise ProtocolError("The byte 0xc1 is not a value.")
        else:
            position = _skip_extension(body, position, byte)
            continue
        if len(outer) + 1 > max_depth:
            raise ProtocolError(f"Values are nested deeper than {max_depth}.")
        if is_map:
            if count > MAX_MAP_ENTRIES:
                raise ProtocolError(f"A map has more than {MAX_MAP_ENTRIES} entries.")
            count *= 2
        elements += count
        if elements > max_elements:
            raise ProtocolError(f"The message has more than {max_elements} elements.")
        outer.append((left, in_map))
        left, in_map = count, is_map


def _skip_key(body: bytes, position: int, byte: int) -> int:
    if 0xA0 <= byte <= 0xBF:
        start = position + 1
        end = start + (byte & 0x1F)
    elif 0xD9 <= byte <= 0xDB:
        width = _LENGTH_WIDTH[byte]
        start = position + 1 + width
        end = start + _uint(body, position + 1, width)
    else:
        raise ProtocolError("A map key is not a string.")
    if end - start == 9 and body[start:end] == _PROTO:
        raise ProtocolError("A map has the key __proto__.")
    return end


def _skip_extension(body: bytes, position: int, byte: int) -> int:
    size = _FIXEXT_SIZE.get(byte)
    if size is not None:
        type_at = position + 1
    else:
        width = _EXT_LENGTH_WIDTH[byte]
        size = _uint(body, position + 1, width)
        type_at = position + 1 + width
    if body[type_at] != _TIMESTAMP_TYPE:
        raise ProtocolError("An extension type other than the timestamp.")
    if size not in _TIMESTAMP_SIZES:
        raise ProtocolError("A timestamp of a size that does not exist.")
    return type_at + 1 + size


def _uint(body: bytes, position: int, width: int) -> int:
    if position + width > len(body):
        raise IndexError
    return int.from_bytes(body[position : position + width], "big")
