"""The maps inside messages: hello, welcome, reject and errors (docs/protocol.md, sections 3.2 and 4)."""

from __future__ import annotations

import re
from typing import Any

from ..errors import ProtocolError
from .fields import (
    Shape,
    boolean,
    integer,
    list_of,
    long_text,
    mapping,
    one_of,
    positive,
    text,
)

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def _digest(value: Any, name: str) -> str:
    if type(value) is not str or not _DIGEST.match(value):
        raise ProtocolError(f"{name} is not a SHA-256 in lower-case hex.")
    return value


def _manifest(value: Any, name: str) -> str:
    return text(value, name, 65_536)


error = Shape(
    "error",
    {"code": text, "message": long_text},
    {
        "retryable": boolean,
        "mayHaveRun": boolean,
        "details": mapping,
        "handlerCode": text,
        "stack": long_text,
    },
)

_plugin = Shape("plugin", {"id": text, "version": text})

hello = Shape(
    "hello",
    {
        "versions": list_of(integer),
        "role": one_of("worker", "controller"),
        "sdk": Shape("sdk", {"name": text, "version": text, "language": text}),
    },
    {
        "plugin": _plugin,
        "manifestDigest": _digest,
        "manifest": _manifest,
        "features": list_of(text),
        "requiredFeatures": list_of(text),
        "token": text,
        "resume": Shape("resume", {"session": text, "token": text, "received": integer}),
    },
    {"features": list, "requiredFeatures": list},
)

grant = Shape("grant", {"capability": text, "scope": mapping}, {"expiresAt": text})

welcome = Shape(
    "welcome",
    {
        "version": integer,
        "session": text,
        "generation": positive,
        "plugin": _plugin,
        "limits": Shape(
            "limits",
            {
                "maxFrameBytes": positive,
                "maxDepth": positive,
                "maxElements": positive,
                "maxConcurrency": positive,
            },
        ),
        "heartbeatMs": positive,
    },
    {
        "features": list_of(text),
        "grants": list_of(grant),
        "config": mapping,
        "secretConfigKeys": list_of(text),
        "debug": boolean,
        "resume": Shape("resume", {"token": text, "windowMs": integer, "maxBytes": integer}),
        "resumed": Shape("resumed", {"received": integer}),
    },
    {"features": list, "grants": list, "config": dict, "secretConfigKeys": list, "debug": bool},
)

supported = Shape(
    "supported",
    {},
    {"versions": list_of(integer), "features": list_of(text)},
    {"versions": list, "features": list},
)
