"""Bodies to and from Python values: MessagePack with the protocol's limits kept in both directions."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import msgpack

from ..errors import FrameTooLarge, InvalidValue, ProtocolError
from .plain import to_plain
from .scan import MAX_DEPTH, MAX_ELEMENTS, scan


@dataclasses.dataclass(frozen=True)
class Limits:
    """The limits of a session, as the welcome states them."""

    max_frame_bytes: int = 4 * 1024 * 1024
    max_depth: int = MAX_DEPTH
    max_elements: int = MAX_ELEMENTS
    max_concurrency: int = 10


class _PerThread(threading.local):
    """A packer keeps a buffer and is not reentrant, so each thread has its own."""

    def __init__(self) -> None:
        self.packer = msgpack.Packer(strict_types=True, default=to_plain)


_per_thread = _PerThread()


def encode(limits: Limits, *elements: Any) -> bytes:
    """The body of a message. Raises `InvalidValue` or `FrameTooLarge` for whatever the receiver would refuse."""
    last = len(elements)
    while last > 1 and elements[last - 1] is None:
        last -= 1
    body = pack(list(elements[:last]))
    if len(body) > limits.max_frame_bytes:
        raise FrameTooLarge(
            f"The message has {len(body)} bytes; at most {limits.max_frame_bytes} fit into a frame. Use a stream."
        )
    try:
        # One set of rules for both directions: what passes here passes at the receiver.
        scan(body, limits.max_depth, limits.max_elements)
    except ProtocolError as error:
        raise InvalidValue(f"The value cannot be sent: {error.message}") from None
    return body


def pack(value: Any) -> bytes:
    """The MessagePack form of a value, limits unchecked."""
    packer = _per_thread.packer
    try:
        packed: bytes = packer.pack(value)
        return packed
    except InvalidValue:
        raise
    except UnicodeEncodeError:
        raise InvalidValue("A string with a lone surrogate cannot be sent: it is not valid Unicode text.") from None
    except RecursionError:
        raise InvalidValue("The value is nested too deeply or contains itself.") from None
    except (OverflowError, TypeError, ValueError) as error:
        if "recursion" in str(error):
            raise InvalidValue("The value is nested too deeply or contains itself.") from None
        raise InvalidValue(f"The value cannot be sent: {error}") from None


def decode(body: bytes, limits: Limits) -> Any:
    """The value of a body. Raises `ProtocolError`, whose text never holds any of the body."""
    scan(body, limits.max_depth, limits.max_elements)
    try:
        return msgpack.unpackb(body, raw=False, strict_map_key=True, timestamp=0)
    except UnicodeDecodeError:
        raise ProtocolError("A string is not valid UTF-8.") from None
    except Exception as error:
        raise ProtocolError(f"A body cannot be decoded ({type(error).__name__}).") from None
