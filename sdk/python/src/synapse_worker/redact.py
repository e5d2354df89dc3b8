"""Values for logs and errors: plain, bounded in depth, and without secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .wire.plain import to_plain

_MAX_DEPTH = 8


def redacted(value: Any, redact: Callable[[str], str], depth: int = 0) -> Any:
    """The value as something that can always be sent, every string in it passed through `redact`.

    What MessagePack cannot carry is shown by its repr: a log line or an error must not fail for what is in it.
    """
    if value is None or isinstance(value, (bool, float, bytes)):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        return int(value)
    if isinstance(value, str):
        return clean(value, redact)
    if depth < _MAX_DEPTH:
        if isinstance(value, dict):
            return {clean(str(key), redact): redacted(item, redact, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [redacted(item, redact, depth + 1) for item in value]
        try:
            return redacted(to_plain(value), redact, depth + 1)
        except Exception:
            pass
    try:
        return clean(repr(value), redact)
    except Exception:
        return f"a {type(value).__name__} without a repr"


def clean(text: str, redact: Callable[[str], str]) -> str:
    """Text without secrets and without lone surrogates (`os.fsdecode` makes them)."""
    return redact(str.__str__(text)).encode("utf-8", "backslashreplace").decode("utf-8")
