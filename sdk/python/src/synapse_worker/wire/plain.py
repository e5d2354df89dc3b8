"""What a handler may give besides plain values, and how it becomes plain: the packer's hook for all else."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import sys
import uuid
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidValue

#: Key of a dataclass field's metadata that holds its name on the wire, where that differs.
WIRE_NAME = "synapse_wire_name"


def wire_name(field: dataclasses.Field[Any]) -> str:
    """The name of a dataclass field on the wire: its own, unless its metadata says otherwise."""
    name = field.metadata.get(WIRE_NAME, field.name)
    assert isinstance(name, str)
    return name


def to_plain(value: Any) -> Any:
    """One step from a Python object to what MessagePack knows; the packer calls it again for what is inside.

    Called only for what is not exactly None, bool, int, float, str, bytes, list or dict.
    """
    if isinstance(value, tuple):
        return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {wire_name(field): getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if type(value) is int:
        raise InvalidValue("An integer outside of int64 and uint64 cannot be sent.")
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise InvalidValue("A datetime without a time zone cannot be sent; use datetime.now(timezone.utc).")
        return value.isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if is_pydantic(value):
        return value.model_dump()
    raise InvalidValue(
        f"A {type(value).__qualname__} cannot be sent; give a dataclass, dict, list, str, number, bytes, bool or None."
    )


def is_pydantic(value: Any) -> bool:
    """Whether the value is a pydantic model. pydantic is optional: without it in the process nothing is one."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(value, pydantic.BaseModel)
