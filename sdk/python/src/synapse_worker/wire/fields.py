"""Readers of single values: each returns the value or raises `ProtocolError` naming the field."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..errors import ProtocolError

#: The largest integer that every language can hold in its number type.
MAX_INTEGER = 2**53

Read = Callable[[Any, str], Any]

_METHOD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z")


def integer(value: Any, name: str, maximum: int = MAX_INTEGER, minimum: int = 0) -> int:
    """An integer; a float with an integral value equals that integer."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or not minimum <= value <= maximum:
        raise ProtocolError(f"{name} is not an integer from {minimum} to {maximum}.")
    return int(value)


def positive(value: Any, name: str) -> int:
    return integer(value, name, minimum=1)


def text(value: Any, name: str, max_bytes: int = 4_096, min_bytes: int = 0) -> str:
    """A string with a limit in bytes."""
    if type(value) is not str:
        raise ProtocolError(f"{name} is not a string.")
    length = len(value) if value.isascii() else len(value.encode())
    if not min_bytes <= length <= max_bytes:
        raise ProtocolError(f"{name} is not a string of {min_bytes} to {max_bytes} bytes.")
    return value


def long_text(value: Any, name: str) -> str:
    """A string that only the frame limits: the sentence or the stack of an error."""
    if type(value) is not str:
        raise ProtocolError(f"{name} is not a string.")
    return value


def boolean(value: Any, name: str) -> bool:
    if type(value) is not bool:
        raise ProtocolError(f"{name} is not a boolean.")
    return value


def mapping(value: Any, name: str) -> dict[str, Any]:
    """A map of any content."""
    if type(value) is not dict:
        raise ProtocolError(f"{name} is not a map.")
    return value


def list_of(read: Read) -> Read:
    def read_list(value: Any, name: str) -> list[Any]:
        if type(value) is not list:
            raise ProtocolError(f"{name} is not an array.")
        return [read(item, name) for item in value]

    return read_list


def one_of(*choices: str) -> Read:
    def read_choice(value: Any, name: str) -> str:
        if value not in choices or type(value) is not str:
            raise ProtocolError(f"{name} is not one of {', '.join(choices)}.")
        return value

    return read_choice


def method_name(value: Any) -> str:
    """The name of a method."""
    name = text(value, "method", 256, 1)
    if not _METHOD.match(name):
        raise ProtocolError("method is not the name of a method.")
    return name


class Shape:
    """A map with known fields. Unknown fields are dropped and nil ones absent; absent lists and the like get their default."""

    def __init__(
        self,
        name: str,
        required: dict[str, Read],
        optional: dict[str, Read] | None = None,
        defaults: dict[str, Callable[[], Any]] | None = None,
    ) -> None:
        self._name = name
        self._required = required
        self._optional = optional or {}
        self._defaults = defaults or {}

    def __call__(self, value: Any, name: str = "") -> dict[str, Any]:
        given = mapping(value, name or self._name)
        result: dict[str, Any] = {}
        for field, read in self._required.items():
            result[field] = read(given.get(field), f"{self._name}.{field}")
        for field, read in self._optional.items():
            if given.get(field) is not None:
                result[field] = read(given[field], f"{self._name}.{field}")
            elif field in self._defaults:
                result[field] = self._defaults[field]()
        return result
