"""A small check of grants, so that tests meet denials. The host's policy engine is the authority: it knows more kinds of
scope, conditions and expiry; this check knows that a capability must be there and its patterns must cover the attempt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

GrantLike = str | Mapping[str, Any]


def normalise(grants: Iterable[GrantLike]) -> list[dict[str, Any]]:
    """`"capability"`, `{capability, scope: {…}}` and the manifest's flat `{capability, topics: […]}` as grants of the wire."""
    result: list[dict[str, Any]] = []
    for grant in grants:
        if isinstance(grant, str):
            result.append({"capability": grant, "scope": {}})
            continue
        flat = {
            key: value
            for key, value in grant.items()
            if key not in ("capability", "scope", "expiresAt", "reason", "optional")
        }
        made = {"capability": grant["capability"], "scope": {**flat, **(grant.get("scope") or {})}}
        if grant.get("expiresAt") is not None:
            made["expiresAt"] = grant["expiresAt"]
        result.append(made)
    return result


def allows(grants: Iterable[Mapping[str, Any]], capability: str, attempt: Mapping[str, Any]) -> bool:
    """Whether one grant covers the whole attempt. A dimension that a grant does not name is not restricted by it."""
    return any(
        grant["capability"] == capability
        and all(
            any(covers(dimension, pattern, wanted) for pattern in grant["scope"][dimension])
            for dimension, wanted in attempt.items()
            if grant["scope"].get(dimension) is not None
        )
        for grant in grants
    )


def covers(dimension: str, pattern: str, wanted: str) -> bool:
    """Whether what is wanted (a name, or for topics also a pattern) is within the granted pattern."""
    if dimension == "topics":
        return _covers_topic(pattern.split("."), wanted.split("."))
    text = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(text, wanted, re.DOTALL) is not None


def _covers_topic(pattern: list[str], wanted: list[str]) -> bool:
    for index, segment in enumerate(pattern):
        if segment == "**":
            return len(wanted) > index
        if index >= len(wanted) or wanted[index] == "**":
            return False
        if segment != "*" and segment != wanted[index]:
            return False
    return len(pattern) == len(wanted)
