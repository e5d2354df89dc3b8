"""Readers of single values in params: each returns the value or raises `Wrong`, naming everything that does not fit and where."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Any

from msgpack import Timestamp

from .issues import Issue, Path

Read = Callable[[Any, Path], Any]

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Wrong(Exception):
    """A value that does not fit: one issue or more."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("A value does not fit.")
        self.issues = issues


def wrong(path: Path, message: str) -> Wrong:
    return Wrong([Issue(path, message)])


def read_each(parts: Iterable[tuple[str | int, Read, Any]], path: Path) -> list[Any]:
    """Reads the parts of a value, each (key, reader, value), and raises what is wrong with all of them."""
    values: list[Any] = []
    issues: list[Issue] = []
    for key, read, value in parts:
        try:
            values.append(read(value, (*path, key)))
        except Wrong as error:
            issues += error.issues
    if issues:
        raise Wrong(issues)
    return values


def describe(value: Any) -> str:
    names = {dict: "a map", list: "a list", str: "a string", bool: "a boolean", int: "an integer",
             float: "a number", bytes: "binary data", type(None): "absent"}  # fmt: skip
    return names.get(type(value), type(value).__name__)


def _scalar(kind: type, wanted: str) -> Read:
    def read(value: Any, path: Path) -> Any:
        if type(value) is kind:
            return value
        raise wrong(path, f"must be {wanted}, not {describe(value)}")

    return read


def read_int(value: Any, path: Path) -> int:
    if type(value) is int:
        return value
    # On the wire a float with an integral value equals that integer.
    if type(value) is float and value.is_integer():
        return int(value)
    raise wrong(path, f"must be an integer, not {describe(value)}")


def read_float(value: Any, path: Path) -> float:
    if type(value) in (int, float):
        return float(value)
    raise wrong(path, f"must be a number, not {describe(value)}")


def read_none(value: Any, path: Path) -> None:
    if value is not None and not (path == () and value == {}):
        raise wrong(path, "must be absent")


def read_datetime(value: Any, path: Path) -> datetime.datetime:
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
    raise wrong(path, "must be a time as an ISO 8601 string")


SCALARS: dict[Any, Read] = {
    str: _scalar(str, "a string"),
    bool: _scalar(bool, "a boolean"),
    bytes: _scalar(bytes, "binary data"),
    int: read_int,
    float: read_float,
}


def read_map(value: Any, path: Path) -> dict[str, Any]:
    if type(value) is not dict:
        raise wrong(path, f"must be a map, not {describe(value)}")
    return value


def list_reader(read_item: Read) -> Callable[[Any, Path], list[Any]]:
    def read(value: Any, path: Path) -> list[Any]:
        if type(value) is not list:
            raise wrong(path, f"must be a list, not {describe(value)}")
        return read_each(((index, read_item, item) for index, item in enumerate(value)), path)

    return read


def dict_reader(read_item: Read) -> Read:
    def read(value: Any, path: Path) -> dict[str, Any]:
        given = read_map(value, path)
        return dict(zip(given, read_each(((key, read_item, item) for key, item in given.items()), path), strict=True))

    return read


def choice_reader(choices: dict[Any, Any]) -> Read:
    wanted = ", ".join(map(repr, choices))

    def read(value: Any, path: Path) -> Any:
        for choice, result in choices.items():
            # True == 1 in Python, but not on the wire.
            if value == choice and isinstance(value, bool) == isinstance(choice, bool):
                return result
        raise wrong(path, f"must be one of {wanted}")

    return read


def union_reader(readers: list[Read], optional: bool) -> Read:
    def read(value: Any, path: Path) -> Any:
        if value is None and optional:
            return None
        errors: list[Wrong] = []
        for read_arm in readers:
            try:
                return read_arm(value, path)
            except Wrong as error:
                errors.append(error)
        raise errors[0] if len(errors) == 1 else wrong(path, "fits none of the allowed types")

    return read
