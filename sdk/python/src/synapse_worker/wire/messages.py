"""The sixteen messages of the protocol (docs/protocol.md, section 3) as Python objects."""

from __future__ import annotations

import dataclasses
from typing import Any, Union

REQUEST, RESPONSE, ONE_WAY, HELLO, WELCOME, REJECT, CANCEL, PROGRESS = range(8)
ITEM, END, CREDIT, PING, PONG, DRAIN, GOODBYE, ACK = range(8, 16)

#: Kinds from here on belong to later versions: ignored, but counted.
FIRST_IGNORED_KIND = 64

#: Flags of a request.
CALLER_SENDS_ITEMS = 1
CALLER_EXPECTS_ITEMS = 2


@dataclasses.dataclass(slots=True)
class Request:
    id: int
    method: str
    params: Any = None
    flags: int = 0
    deadline_ms: int | None = None
    traceparent: str | None = None
    parent_id: int | None = None
    idempotency_key: str | None = None
    acting_for: str | None = None


@dataclasses.dataclass(slots=True)
class Response:
    id: int
    error: dict[str, Any] | None = None
    result: Any = None


@dataclasses.dataclass(slots=True)
class OneWay:
    method: str
    params: Any = None
    traceparent: str | None = None


@dataclasses.dataclass(slots=True)
class Hello:
    fields: dict[str, Any]


@dataclasses.dataclass(slots=True)
class Welcome:
    fields: dict[str, Any]


@dataclasses.dataclass(slots=True)
class Reject:
    code: str
    message: str
    supported: dict[str, Any] | None = None


@dataclasses.dataclass(slots=True)
class Cancel:
    id: int
    reason: str | None = None


@dataclasses.dataclass(slots=True)
class Progress:
    id: int
    fraction: float | None = None
    message: str | None = None
    data: Any = None


@dataclasses.dataclass(slots=True)
class Item:
    id: int
    value: Any = None


@dataclasses.dataclass(slots=True)
class End:
    id: int
    error: dict[str, Any] | None = None


@dataclasses.dataclass(slots=True)
class Credit:
    id: int
    bytes: int


@dataclasses.dataclass(slots=True)
class Ping:
    nonce: int


@dataclasses.dataclass(slots=True)
class Pong:
    nonce: int


@dataclasses.dataclass(slots=True)
class Drain:
    grace_ms: int | None = None
    reason: str | None = None


@dataclasses.dataclass(slots=True)
class Goodbye:
    code: str
    message: str | None = None


@dataclasses.dataclass(slots=True)
class Ack:
    count: int


@dataclasses.dataclass(slots=True)
class Ignored:
    """A message of a kind from a later version."""

    kind: int


Message = Union[
    Request, Response, OneWay, Hello, Welcome, Reject, Cancel, Progress,
    Item, End, Credit, Ping, Pong, Drain, Goodbye, Ack, Ignored,
]  # fmt: skip
