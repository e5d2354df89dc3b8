"""What a session tells whoever uses it."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from ..errors import HandshakeError, WorkerError
from ..wire import messages as m
from .calls import IncomingCall


@dataclasses.dataclass(frozen=True)
class SessionEnd:
    """How a session ended."""

    code: str
    message: str
    #: A goodbye was said, by either side, for a reason that is no error.
    clean: bool = False
    #: This side said the goodbye.
    ours: bool = False
    #: The connection ended under it, or the host began another session; nobody was at fault.
    lost: bool = False
    error: WorkerError | None = None

    @property
    def rejected(self) -> bool:
        """The host said that it does not take this side, with a reason."""
        return isinstance(self.error, HandshakeError) and "supported" in self.error.details


class SessionListener(Protocol):
    """Called under the session's lock, on the thread that moves the bytes: hand over and return; never block, never run a plugin's code."""

    def on_open(self, welcome: dict[str, Any]) -> None:
        """The handshake is done."""

    def on_request(self, call: IncomingCall) -> None:
        """A call of the other side; it must be answered and then reported as finished."""

    def on_one_way(self, message: m.OneWay, size: int) -> None:
        """A one-way message; its size must be consumed."""

    def on_drain(self, grace_ms: int | None, reason: str | None) -> None:
        """The other side is about to stop."""

    def on_violation(self, what: str) -> None:
        """The other side broke a rule in a way that harms nobody; it was counted."""

    def on_idle(self) -> None:
        """The last call of the other side in flight was answered."""

    def on_suspend(self, why: str) -> None:
        """The connection is gone, but the session may go on over another one."""

    def on_resume(self, welcome: dict[str, Any]) -> None:
        """The session goes on; the welcome holds the grants in force."""

    def on_end(self, end: SessionEnd) -> None:
        """The session is over, exactly once; every call is settled."""
