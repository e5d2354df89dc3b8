"""The golden vectors of the repository (test/vectors), read into Python values."""

from __future__ import annotations

import datetime
import json
import math
from pathlib import Path
from typing import Any

import msgpack

from synapse_worker.params import params_reader

FOLDER = Path(__file__).resolve().parents[3] / "test" / "vectors"


def load(name: str) -> list[dict[str, Any]]:
    path = FOLDER / name
    if not path.exists():
        return []  # an installed sdist: the vectors live in the repository
    vectors: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["vectors"]
    return vectors


def to_bytes(spec: Any) -> bytes:
    if isinstance(spec, str):
        return bytes.fromhex(spec)
    if isinstance(spec, dict):
        return bytes.fromhex(spec["repeat"]) * int(spec["times"])
    return b"".join(to_bytes(part) for part in spec)


def to_value(spec: Any) -> Any:
    if isinstance(spec, list):
        return [to_value(item) for item in spec]
    if not isinstance(spec, dict):
        return spec
    if "$bin" in spec:
        return to_bytes(spec["$bin"])
    if "$int" in spec:
        return int(spec["$int"])
    if "$float" in spec:
        return float(spec["$float"])
    if "$time" in spec:
        return Instant(spec["$time"])
    if "$text" in spec:
        return spec["$text"] * spec["times"]
    if "$join" in spec:
        return "".join(to_value(part) for part in spec["$join"])
    if "$list" in spec:
        return [to_value(spec["$list"])] * spec["times"]
    return {key: to_value(item) for key, item in spec.items()}


class Instant:
    """A point in time as text, compared by value with what the decoder gives."""

    def __init__(self, text: str) -> None:
        self._at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))

    def same(self, timestamp: msgpack.Timestamp) -> bool:
        return bool(params_reader(datetime.datetime)("m", timestamp) == self._at)


def same(decoded: Any, wanted: Any) -> bool:
    """Equal by value: a float with an integral value equals that integer, but True is no 1."""
    if isinstance(wanted, Instant):
        return isinstance(decoded, msgpack.Timestamp) and wanted.same(decoded)
    if isinstance(wanted, dict):
        return (
            isinstance(decoded, dict)
            and decoded.keys() == wanted.keys()
            and all(same(decoded[key], wanted[key]) for key in wanted)
        )
    if isinstance(wanted, list):
        return isinstance(decoded, list) and len(decoded) == len(wanted) and all(map(same, decoded, wanted))
    if isinstance(wanted, float) and math.isnan(wanted):
        return isinstance(decoded, float) and math.isnan(decoded)
    if isinstance(wanted, bool) or isinstance(decoded, bool):
        return decoded is wanted
    return bool(decoded == wanted)
