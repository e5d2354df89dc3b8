"""Events of the topic bus: the event itself, and which handlers a topic concerns."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from .errors import InvalidArgument

_SEGMENT = re.compile(r"[^.*\s]+\Z")


@dataclasses.dataclass(frozen=True)
class Event:
    """An event as a handler gets it."""

    id: str
    topic: str
    source: str
    timestamp: str
    payload: Any = None
    correlation_id: str | None = None
    #: How many events were dropped before this one because the worker did not keep up.
    missed: int = 0


def read_event(params: Any) -> Event | None:
    """The event of an `events.deliver`; None when it is not one."""
    if not isinstance(params, dict) or not isinstance(params.get("topic"), str):
        return None

    def text(name: str) -> str:
        value = params.get(name)
        return value if isinstance(value, str) else ""

    missed = params.get("missed")
    return Event(
        id=text("id"),
        topic=params["topic"],
        source=text("source"),
        timestamp=text("timestamp"),
        payload=params.get("payload"),
        correlation_id=text("correlationId") or None,
        missed=int(missed) if isinstance(missed, (int, float)) else 0,
    )


class TopicPattern:
    """Segments parted by dots; `*` stands for exactly one segment, `**` (the last only) for one or more."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._segments = text.split(".")
        for index, segment in enumerate(self._segments):
            last = index == len(self._segments) - 1
            if segment == "*" or (segment == "**" and last) or _SEGMENT.match(segment):
                continue
            raise InvalidArgument(
                f"{text!r} is not a topic pattern: segments parted by dots, * for one, ** at the end for one or more."
            )

    def matches(self, topic: str) -> bool:
        given = topic.split(".")
        segments = self._segments
        if segments[-1] == "**":
            if len(given) < len(segments):
                return False
            segments = segments[:-1]
            given = given[: len(segments)]
        elif len(given) != len(segments):
            return False
        return all(wanted in ("*", part) for wanted, part in zip(segments, given, strict=True))
