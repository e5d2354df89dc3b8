"""Reads a body as a message and checks the type of every field of its envelope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import ProtocolError
from . import messages as m
from . import shapes
from .codec import Limits, decode
from .fields import integer, method_name, text

_UINT64_MAX = 2**64 - 1

T = TypeVar("T")


def read_message(body: bytes, limits: Limits) -> m.Message:
    """The message of a body. Raises `ProtocolError` for whatever the table of messages does not allow."""
    value = decode(body, limits)
    if not isinstance(value, list) or not value:
        raise ProtocolError("A body is not an array with a kind.")
    kind = integer(value[0], "kind", _UINT64_MAX)
    if kind >= m.FIRST_IGNORED_KIND:
        return m.Ignored(kind)
    reader = _READERS.get(kind)
    if reader is None:
        raise ProtocolError(f"A message of the unknown kind {kind}.")
    return reader(_Fields(value))


class _Fields:
    """The elements after the kind; one that is missing is nil."""

    __slots__ = ("_values",)

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def at(self, index: int) -> Any:
        return self._values[index] if index < len(self._values) else None

    def id(self, index: int = 1) -> int:
        return integer(self.at(index), "id")

    def optional(self, index: int, read: Callable[[Any], T]) -> T | None:
        value = self.at(index)
        return None if value is None else read(value)


def _error(fields: _Fields, index: int) -> dict[str, Any] | None:
    return fields.optional(index, shapes.error)


def _request(f: _Fields) -> m.Request:
    return m.Request(
        f.id(),
        method_name(f.at(2)),
        f.at(3),
        f.optional(4, lambda v: integer(v, "flags", 255)) or 0,
        f.optional(5, lambda v: integer(v, "deadlineMs")),
        f.optional(6, lambda v: text(v, "traceparent", 128)),
        f.optional(7, lambda v: integer(v, "parentId")),
        f.optional(8, lambda v: text(v, "idempotencyKey", 256, 1)),
        f.optional(9, lambda v: text(v, "actingFor", 256, 1)),
    )


def _one_way(f: _Fields) -> m.OneWay:
    return m.OneWay(method_name(f.at(1)), f.at(2), f.optional(3, lambda v: text(v, "traceparent", 128)))


def _response(f: _Fields) -> m.Response:
    error = _error(f, 2)
    # A result beside an error is ignored.
    return m.Response(f.id(), error, f.at(3) if error is None else None)


def _fraction(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise ProtocolError("fraction is not a number from 0 to 1.")
    return float(value)


def _progress(f: _Fields) -> m.Progress:
    return m.Progress(f.id(), f.optional(2, _fraction), f.optional(3, lambda v: text(v, "message")), f.at(4))


_READERS: dict[int, Callable[[_Fields], m.Message]] = {
    m.REQUEST: _request,
    m.RESPONSE: _response,
    m.ONE_WAY: _one_way,
    m.HELLO: lambda f: m.Hello(shapes.hello(f.at(1))),
    m.WELCOME: lambda f: m.Welcome(shapes.welcome(f.at(1))),
    m.REJECT: lambda f: m.Reject(text(f.at(1), "code"), text(f.at(2), "message"), f.optional(3, shapes.supported)),
    m.CANCEL: lambda f: m.Cancel(f.id(), f.optional(2, lambda v: text(v, "reason"))),
    m.PROGRESS: _progress,
    m.ITEM: lambda f: m.Item(f.id(), f.at(2)),
    m.END: lambda f: m.End(f.id(), _error(f, 2)),
    m.CREDIT: lambda f: m.Credit(f.id(), integer(f.at(2), "bytes", 2**31 - 1, 1)),
    m.PING: lambda f: m.Ping(integer(f.at(1), "nonce")),
    m.PONG: lambda f: m.Pong(integer(f.at(1), "nonce")),
    m.DRAIN: lambda f: m.Drain(
        f.optional(1, lambda v: integer(v, "graceMs")),
        f.optional(2, lambda v: text(v, "reason")),
    ),
    m.GOODBYE: lambda f: m.Goodbye(text(f.at(1), "code"), f.optional(2, lambda v: text(v, "message"))),
    m.ACK: lambda f: m.Ack(integer(f.at(1), "count")),
}
