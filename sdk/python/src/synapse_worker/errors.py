"""Typed errors: one base class, one subclass for each outcome that a plugin author handles differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Codes whose very same request may succeed when it is repeated. Every other code is not retryable.
_RETRYABLE = frozenset(
    {
        "CONFIRMATION_REQUIRED",
        "DEADLINE_EXCEEDED",
        "OVERLOADED",
        "DRAINING",
        "WORKER_UNAVAILABLE",
        "START_FAILED",
        "CONNECTION_CLOSED",
        "HANDSHAKE_TIMEOUT",
    }
)


class WorkerError(Exception):
    """Base of every error of this package. Match on the class or on ``code``, never on the message."""

    default_code = "INTERNAL_ERROR"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retryable: bool | None = None,
        may_have_run: bool | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        #: A code of docs/errors.md; one that a newer host sent is kept as it stands.
        self.code = code if code is not None else self.default_code
        #: Whether repeating the same request may succeed.
        self.retryable = retryable if retryable is not None else self.code in _RETRYABLE
        #: Whether the call may have had an effect; None where the question does not arise.
        self.may_have_run = may_have_run
        self.details: dict[str, Any] = dict(details or {})

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, message={self.message!r})"


class CapabilityDenied(WorkerError):
    """The policy denied what a host call needs. The message names the capability and the scope that were missing."""

    default_code = "CAPABILITY_DENIED"

    def __init__(
        self,
        capability: str,
        scope: Any = None,
        decision_id: str | None = None,
        *,
        message: str | None = None,
        retryable: bool | None = None,
        may_have_run: bool | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        described = describe_scope(scope)
        if message is None:
            message = f"{capability} is not granted" + (f" for {described}" if described else "")
        else:
            # The host's own sentence stands first, but a denial without a name helps nobody.
            missing = [] if capability in message else [capability]
            if not all(value in message for value in _scope_values(scope)):
                missing.append(described)
            if missing:
                message = f"{message} ({' for '.join(missing)})"
        known = {"capability": capability, "scope": scope, "decisionId": decision_id}
        super().__init__(
            message,
            retryable=retryable,
            may_have_run=may_have_run,
            details={**known, **(details or {})},
        )
        self.capability = capability
        self.scope = scope
        self.decision_id = decision_id


class InvalidParams(WorkerError):
    """The params do not fit the method; the message names the field."""

    default_code = "INVALID_PARAMS"


class InvalidValue(WorkerError):
    """A value that the protocol cannot carry, refused before it was sent."""

    default_code = "INVALID_VALUE"


class FrameTooLarge(WorkerError):
    """A message over the frame limit, refused before it was sent. Use a stream for large data."""

    default_code = "FRAME_TOO_LARGE"


class DeadlineExceeded(WorkerError):
    """The call did not end within its time limit."""

    default_code = "DEADLINE_EXCEEDED"


class Cancelled(WorkerError):
    """The call, or the call in whose course it was made, was cancelled."""

    default_code = "CANCELLED"


class Overloaded(WorkerError):
    """A limit on calls in flight or on queued bytes is reached; nothing was started."""

    default_code = "OVERLOADED"


class Draining(WorkerError):
    """The other side is about to stop and takes no new calls."""

    default_code = "DRAINING"


class HostLost(WorkerError):
    """The connection to the host ended while the call was in flight; ``may_have_run`` says whether it may have had an effect."""

    default_code = "HOST_LOST"


class WorkerLost(WorkerError):
    """The host's view of a worker that ended. Only tests meet it (``synapse_worker.testing``)."""

    default_code = "WORKER_LOST"


class ProtocolError(WorkerError):
    """The other side broke a rule of the protocol."""

    default_code = "PROTOCOL_ERROR"


class HandshakeError(WorkerError):
    """The host refused this worker, or its welcome is not acceptable; ``code`` says why."""

    default_code = "HANDSHAKE_INVALID"


class MethodNotFound(WorkerError):
    """The other side has no method of this name."""

    default_code = "METHOD_NOT_FOUND"


class InvalidConfig(WorkerError):
    """A config value is absent or of another type. The message names the key, never the value."""

    default_code = "INVALID_CONFIG"


class InvalidArgument(WorkerError):
    """An argument given to this package is not acceptable."""

    default_code = "INVALID_ARGUMENT"


class InvalidState(WorkerError):
    """The operation is not possible in the present state."""

    default_code = "INVALID_STATE"


class HandlerError(WorkerError):
    """The handler on the other side failed; ``handler_code`` is its author's own code where one was given."""

    default_code = "HANDLER_ERROR"

    def __init__(
        self,
        message: str,
        *,
        handler_code: str | None = None,
        code: str | None = None,
        retryable: bool | None = None,
        may_have_run: bool | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code=code, retryable=retryable, may_have_run=may_have_run, details=details)
        self.handler_code = handler_code


class PluginError(HandlerError):
    """Raise it in a handler to tell the caller a code of your own: it travels as ``HANDLER_ERROR`` with ``handlerCode``."""

    def __init__(
        self,
        handler_code: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        *,
        retryable: bool = False,
    ) -> None:
        super().__init__(message, handler_code=handler_code, details=details, retryable=retryable)


def _scope_values(scope: Any) -> list[str]:
    """Every single value that a scope names."""
    if not isinstance(scope, Mapping):
        return [] if scope is None else [str(scope)]
    values: list[str] = []
    for value in scope.values():
        values += map(str, value) if isinstance(value, (list, tuple)) else [str(value)]
    return values


def describe_scope(scope: Any) -> str:
    """A scope as a person reads it: ``topics=mail.received, mail.sent``."""
    if not isinstance(scope, Mapping):
        return "" if scope is None else str(scope)
    parts = []
    for key, value in scope.items():
        shown = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        parts.append(f"{key}={shown}")
    return "; ".join(parts)
