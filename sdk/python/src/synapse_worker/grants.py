"""What the host granted to this plugin."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Grant:
    """One grant. It is for information: the host decides each call anew."""

    capability: str
    scope: Any = None
    expires_at: str | None = None


def read_grants(value: Any) -> tuple[Grant, ...]:
    """The grants of a welcome or of `grants.changed`; what is no grant is left out."""
    found = []
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict) and isinstance(item.get("capability"), str):
            expires = item.get("expiresAt")
            found.append(
                Grant(
                    item["capability"],
                    item.get("scope"),
                    expires if isinstance(expires, str) else None,
                )
            )
    return tuple(found)
