"""Errors as they travel (docs/protocol.md, section 3.2), there and back."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from .errors import (
    Cancelled,
    CapabilityDenied,
    DeadlineExceeded,
    Draining,
    FrameTooLarge,
    HandlerError,
    HandshakeError,
    HostLost,
    InvalidArgument,
    InvalidConfig,
    InvalidParams,
    InvalidState,
    InvalidValue,
    MethodNotFound,
    Overloaded,
    ProtocolError,
    WorkerError,
    WorkerLost,
)
from .redact import clean, redacted, text_of

_MAX_MESSAGE = 4_096
_MAX_STACK = 16_384

# Codes that mean the same to the caller whoever in the chain of calls met with them.
_TRAVELLING = frozenset({"HANDLER_ERROR", "CAPABILITY_DENIED", "CONFIRMATION_REQUIRED"})

_BY_CODE: dict[str, type[WorkerError]] = {
    kind.default_code: kind
    for kind in (
        Cancelled,
        DeadlineExceeded,
        Draining,
        FrameTooLarge,
        HandshakeError,
        HostLost,
        InvalidArgument,
        InvalidConfig,
        InvalidParams,
        InvalidState,
        InvalidValue,
        MethodNotFound,
        Overloaded,
        ProtocolError,
        WorkerLost,
    )
}


def to_wire(
    error: BaseException, *, debug: bool = False, redact: Callable[[str], str] = str, of_handler: bool = False
) -> dict[str, Any]:
    """Turns an error into its wire form. A stack travels only in debug mode; secrets never do.

    `of_handler`: a handler raised it. A denial by the host and a `PluginError` go on as they are. Any other error of this
    package speaks of a call that the handler made: its METHOD_NOT_FOUND is not the caller's, and its "has not run" would be
    a lie about the handler, which has. It becomes a HANDLER_ERROR with the original code as `handlerCode`.
    """
    handler_code: str | None = None
    if isinstance(error, WorkerError):
        message, code, retryable = error.message, error.code, error.retryable
        handler_code = error.handler_code if isinstance(error, HandlerError) else None
        if of_handler and code not in _TRAVELLING:
            code, handler_code = "HANDLER_ERROR", code
    else:
        text = text_of(error)
        message = f"{type(error).__name__}: {text}" if text else type(error).__name__
        code, retryable = "HANDLER_ERROR", False
    wire: dict[str, Any] = {
        "code": code,
        "message": _cut(clean(message, redact), _MAX_MESSAGE),
        "retryable": retryable,
    }
    if isinstance(error, WorkerError):
        if error.may_have_run is not None and not (of_handler and error.may_have_run is False):
            wire["mayHaveRun"] = error.may_have_run
        if error.details:
            wire["details"] = redacted(error.details, redact)
    if handler_code is not None:
        wire["handlerCode"] = clean(handler_code, redact)
    if debug and error.__traceback__ is not None:
        stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        wire["stack"] = _cut(clean(stack, redact), _MAX_STACK)
    return wire


def from_wire(wire: dict[str, Any]) -> WorkerError:
    """Reads an error that the other side sent. Whatever shape it has, the result is a `WorkerError`."""
    raw_code = wire.get("code")
    code = raw_code if isinstance(raw_code, str) and 0 < len(raw_code) <= 256 else "HANDLER_ERROR"
    raw_message = wire.get("message")
    message = (
        raw_message[:_MAX_MESSAGE] if isinstance(raw_message, str) else "The other side failed without saying how."
    )
    raw_details = wire.get("details")
    details: dict[str, Any] = raw_details if isinstance(raw_details, dict) else {}
    retryable = _bool(wire.get("retryable"))
    may_have_run = _bool(wire.get("mayHaveRun"))
    if code == "CAPABILITY_DENIED":
        capability = details.get("capability")
        decision = details.get("decisionId")
        return CapabilityDenied(
            capability if isinstance(capability, str) else "a capability",
            details.get("scope"),
            decision if isinstance(decision, str) else None,
            message=message,
            retryable=retryable,
            may_have_run=may_have_run,
            details=details,
        )
    if code == "HANDLER_ERROR":
        handler_code = wire.get("handlerCode")
        return HandlerError(
            message,
            handler_code=handler_code if isinstance(handler_code, str) else None,
            retryable=retryable,
            may_have_run=may_have_run,
            details=details,
        )
    kind = _BY_CODE.get(code, WorkerError)
    return kind(message, code=code, retryable=retryable, may_have_run=may_have_run, details=details)


def _bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "…"
