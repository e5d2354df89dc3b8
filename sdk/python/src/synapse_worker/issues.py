"""What is wrong with the params of a call: `details.issues` of an INVALID_PARAMS, of the same shape as on the TypeScript side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .errors import InvalidParams

#: Where a value stands in the params: keys of maps and indexes of lists.
Path = tuple[str | int, ...]

_MAX_ISSUES = 32
_MAX_IN_SENTENCE = 3
_MAX_MESSAGE = 300
_MAX_PATH = 32
_MAX_KEY = 100


class Issue(NamedTuple):
    """One problem, and where it stands. The value itself is never shown."""

    path: Path
    message: str


def invalid_params(method: str, found: Iterable[Issue]) -> InvalidParams:
    """The error: its sentence names the first three issues, its details have up to 32."""
    all_found = list(found)
    issues = [_bounded(issue) for issue in all_found[:_MAX_ISSUES]]
    named = [f"{_text(path) or 'the params'} {message}" for path, message in issues[:_MAX_IN_SENTENCE]]
    more = len(all_found) - len(named)
    sentence = "; ".join(named) + (f"; and {more} more" if more else "")
    details: dict[str, Any] = {"issues": [{"path": list(path), "message": message} for path, message in issues]}
    return InvalidParams(f"{method}: {sentence}.", details=details)


def _bounded(issue: Issue) -> Issue:
    # Keys are the caller's, of any length.
    path = tuple(_cut(key, _MAX_KEY) if isinstance(key, str) else key for key in issue.path[:_MAX_PATH])
    return Issue(path, _cut(issue.message, _MAX_MESSAGE))


def _text(path: Path) -> str:
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"
