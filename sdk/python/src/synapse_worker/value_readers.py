"""Readers of single values in params: each returns the value or raises `Wrong`, naming where it stands."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from msgpack import Timestamp

Read = Callable[[Any, str], Any]

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Wrong(Exception):
    """A value that does not fit, and where it stands. The value itself is never shown."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(problem)
        self.path = path
        self.problem = problem


def describe(value: Any) -> str:
    names = {dict: "a map", list: "a list", str: "a string", bool: "a boolean", int: "an integer",
             float: "a number", bytes: "binary data", type(None): "absent"}  # fmt: skip
    return names.get(type(value), type(value).__name__)


def _scalar(kind: type, wanted: str) -> Read:
    def read(value: Any, path: str) -> Any:
        if type(value) is kind:
            return value
        raise Wrong(path, f"must be {wanted}, not {describe(value)}")

    return read


def read_int(value: Any, path: str) -> int:
    if type(value) is int:
        return value
    # On the wire a float with an integral value equals that integer.
    if type(value) is float and value.is_integer():
        return int(value)
    raise Wrong(path, f"must be an integer, not {describe(value)}")


def read_float(value: Any, path: str) -> float:
    if type(value) in (int, float):
        return float(value)
    raise Wrong(path, f"must be a number, not {describe(value)}")


def read_none(value: Any, path: str) -> None:
    if value is not None and not (path == "" and value == {}):
        raise Wrong(path, "must be absent")


def read_datetime(value: Any, path: str) -> datetime.datetime:
    if isinstance(value, str):
        try:
            # "Z" is understood from Python 3.11 on.
            return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            pass
    elif isinstance(value, Timestamp):
        try:
            return _EPOCH + datetime.timedelta(seconds=value.seconds, microseconds=value.nanoseconds // 1000)
        except OverflowError:
            pass
    raise Wrong(path, "must be a time as an ISO 8601 string")


SCALARS: dict[Any, Read] = {
    str: _scalar(str, "a string"),
    bool: _scalar(bool, "a boolean"),
    bytes: _scalar(bytes, "binary data"),
    int: read_int,
    float: read_float,
}


def join(path: str, key: object) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def read_map(value: Any, path: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise Wrong(path, f"must be a map, not {describe(value)}")
    return value


def list_reader(read_item: Read) -> Callable[[Any, str], list[Any]]:
    def read(value: Any, path: str) -> list[Any]:
        if type(value) is not list:
            raise Wrong(path, f"must be a list, not {describe(value)}")
        return [read_item(item, join(path, index)) for index, item in enumerate(value)]

    return read


def dict_reader(read_item: Read) -> Read:
    return lambda value, path: {key: read_item(item, join(path, key)) for key, item in read_map(value, path).items()}


def choice_reader(choices: dict[Any, Any]) -> Read:
    wanted = ", ".join(map(repr, choices))

    def read(value: Any, path: str) -> Any:
        for choice, result in choices.items():
            # True == 1 in Python, but not on the wire.
            if value == choice and isinstance(value, bool) == isinstance(choice, bool):
                return result
        raise Wrong(path, f"must be one of {wanted}")

    return read


def union_reader(readers: list[Read], optional: bool) -> Read:
    def read(value: Any, path: str) -> Any:
        if value is None and optional:
            return None
        wrongs: list[Wrong] = []
        for read_arm in readers:
            try:
                return read_arm(value, path)
            except Wrong as wrong:
                wrongs.append(wrong)
        raise wrongs[0] if len(wrongs) == 1 else Wrong(path, "fits none of the allowed types")

    return read
