"""Reads the params of a call by the annotation of its handler: dataclass, TypedDict, pydantic model, dict, or anything."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from .errors import InvalidArgument
from .issues import Issue, Path, invalid_params
from .value_readers import (
    SCALARS,
    Read,
    Wrong,
    choice_reader,
    dict_reader,
    list_reader,
    read_datetime,
    read_each,
    read_map,
    read_none,
    union_reader,
    wrong,
)
from .wire.plain import wire_name

#: Class attribute of a dataclass whose unknown fields are ignored: its shape belongs to the host, which may add to it.
IGNORE_UNKNOWN = "__synapse_ignore_unknown__"


def params_reader(annotation: Any) -> Callable[[str, Any], Any]:
    """A function (method, params) → value that raises `InvalidParams` naming all that is wrong. Unknown annotations fail here."""
    try:
        read = _reader(annotation, {})
    except NameError as error:
        raise InvalidArgument(
            f"A type in {annotation!r} cannot be resolved ({error}); define it at the top of a module."
        ) from None
    # A call without params is a call with no fields, where fields are wanted.
    takes_nothing = annotation in (Any, None, type(None), *SCALARS)

    def read_params(method: str, params: Any) -> Any:
        given = {} if params is None and not takes_nothing else params
        try:
            return read(given, ())
        except Wrong as error:
            raise invalid_params(method, error.issues) from None

    return read_params


def _reader(annotation: Any, seen: dict[Any, Read]) -> Read:
    """`seen` holds the dataclasses that are being compiled further out: they may refer to themselves."""
    if annotation is Any or annotation is object:
        return lambda value, path: value
    if annotation is None or annotation is type(None):
        return read_none
    if annotation in SCALARS:
        return SCALARS[annotation]
    if annotation is datetime.datetime:
        return read_datetime
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return _dataclass_reader(annotation, seen)
    if typing.is_typeddict(annotation) or hasattr(annotation, "__required_keys__"):
        return _typed_dict_reader(annotation, seen)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return choice_reader({member.value: member for member in annotation})
    if _is_pydantic_model(annotation):
        return _pydantic_reader(annotation)
    return _generic_reader(annotation, seen)


def _generic_reader(annotation: Any, seen: dict[Any, Read]) -> Read:
    origin, args = get_origin(annotation) or annotation, get_args(annotation)
    if origin is typing.Annotated or getattr(origin, "_name", None) in ("Required", "NotRequired"):
        return _reader(args[0], seen)
    if origin is Literal:
        return choice_reader({choice: choice for choice in args})
    if origin is Union or origin is types.UnionType:
        arms = [_reader(arg, seen) for arg in args if arg is not type(None)]
        return union_reader(arms, type(None) in args)
    if origin in (list, Sequence):
        return list_reader(_reader(args[0], seen) if args else _reader(Any, seen))
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        items = list_reader(_reader(args[0], seen))
        return lambda value, path: tuple(items(value, path))
    if origin in (dict, Mapping):
        if args and args[0] not in (str, Any):
            raise InvalidArgument("The keys of a dict in params are strings.")
        return dict_reader(_reader(args[1], seen) if args else _reader(Any, seen))
    raise InvalidArgument(
        f"{annotation!r} cannot be read from params; use a dataclass, TypedDict, pydantic model, dict or plain types."
    )


def _fields_reader(
    fields: dict[str, tuple[str, Read]], required: set[str], ignore_unknown: bool
) -> Callable[[Any, Path], dict[str, Any]]:
    """Reads a map of known fields: wire name → (Python name, reader)."""

    def read(value: Any, path: Path) -> dict[str, Any]:
        given = read_map(value, path)
        names: list[str] = []
        parts: list[tuple[str | int, Read, Any]] = []
        for key, (name, read_field) in fields.items():
            # "Absent" is nil on the wire, so a nil for a field with a default means the default.
            if key in given and not (given[key] is None and key not in required):
                names.append(name)
                parts.append((key, read_field, given[key]))
            elif key in required:
                parts.append((key, _missing, None))
        if not ignore_unknown:
            parts += [(key, _unknown, None) for key in given if key not in fields]
        return dict(zip(names, read_each(parts, path), strict=True))

    return read


def _missing(_: Any, path: Path) -> Any:
    raise wrong(path, "is missing")


def _unknown(_: Any, path: Path) -> Any:
    raise wrong(path, "is not a field of this method")


def _dataclass_reader(kind: type, seen: dict[Any, Read]) -> Read:
    if kind in seen:
        return lambda value, path: seen[kind](value, path)
    hints = typing.get_type_hints(kind)
    fields: dict[str, tuple[str, Read]] = {}
    required: set[str] = set()
    # Fields without a default that allow None: absent means None.
    absent: dict[str, None] = {}

    def read(value: Any, path: Path) -> Any:
        values = {**absent, **read_fields(value, path)}
        try:
            return kind(**values)
        except (ValueError, TypeError) as error:
            # A check of the author's own in __post_init__.
            raise wrong(path, f"is not acceptable: {error}") from None

    seen[kind] = read
    for field in dataclasses.fields(kind):
        if not field.init:
            continue
        fields[wire_name(field)] = (field.name, _reader(hints[field.name], seen))
        has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if not has_default and _allows_none(hints[field.name]):
            absent[field.name] = None
        elif not has_default:
            required.add(wire_name(field))
    read_fields = _fields_reader(fields, required, bool(getattr(kind, IGNORE_UNKNOWN, False)))
    return read


def _typed_dict_reader(kind: Any, seen: dict[Any, Read]) -> Read:
    hints = typing.get_type_hints(kind)
    fields = {name: (name, _reader(hint, seen)) for name, hint in hints.items()}
    return _fields_reader(fields, set(kind.__required_keys__), False)


def _allows_none(annotation: Any) -> bool:
    return annotation is Any or type(None) in get_args(annotation)


def _is_pydantic_model(annotation: Any) -> bool:
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel)


def _pydantic_reader(model: Any) -> Read:
    import pydantic

    def read(value: Any, path: Path) -> Any:
        try:
            return model.model_validate(read_map(value, path))
        except pydantic.ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=False)
            raise Wrong([Issue((*path, *one["loc"]), f"is not acceptable: {one['msg']}") for one in found]) from None

    return read
