"""Values for logs and errors: plain, bounded in depth, and without secrets."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from .errors import WorkerError
from .wire.plain import to_plain

_MAX_DEPTH = 8
_MAX_ERROR_TEXT = 8_192


def redacted(value: Any, redact: Callable[[str], str], depth: int = 0) -> Any:
    """The value as something that can always be sent, every string in it passed through `redact`.

    What MessagePack cannot carry is shown by its repr: a log line or an error must not fail for what is in it.
    """
    if value is None or isinstance(value, (bool, bytes)):
        return value
    if isinstance(value, float) or (isinstance(value, int) and -(2**63) <= value < 2**64):
        number = float(value) if isinstance(value, float) else int(value)
        text = str(number)
        # A secret may be a number.
        return number if (shown := redact(text)) == text else shown
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


def error_fields(error: BaseException, redact: Callable[[str], str]) -> dict[str, Any]:
    """An error as the host's log has it: name, message, stack, and the code of a `WorkerError`."""
    stack = clean("".join(traceback.format_exception(type(error), error, error.__traceback__)), redact)
    fields: dict[str, Any] = {
        "name": type(error).__name__,
        "message": _shortened(clean(text_of(error), redact)),
        # The last lines of a traceback say the most.
        "stack": stack if len(stack) <= _MAX_ERROR_TEXT else "…" + stack[-_MAX_ERROR_TEXT:],
    }
    if isinstance(error, WorkerError):
        fields["code"] = error.code
    return fields


def text_of(error: BaseException) -> str:
    """What the error says; empty when it cannot even say that."""
    try:
        return str(error)
    except Exception:
        return ""


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_ERROR_TEXT else text[:_MAX_ERROR_TEXT] + "…"
