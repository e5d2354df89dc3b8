"""The worker's side of the handshake (docs/protocol.md, section 4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

from ..errors import HandshakeError, ProtocolError
from ..version import __version__
from ..wire import messages as m
from ..wire.codec import Limits

PROTOCOL_VERSION = 1
HANDSHAKE_SECONDS = 10.0
SDK_NAME = "synapse-worker"
#: The feature of section 8.
RESUME = "resume"

# More than this the decoder's C stack does not take, whatever a welcome allows.
_MAX_DEPTH = 256


class Opening(Protocol):
    """What a handshake does to its session."""

    def send_handshake(self, *elements: Any) -> None: ...

    def open(self, welcome: dict[str, Any], limits: Limits) -> None: ...

    def hand_over(self, welcome: dict[str, Any]) -> None: ...


class Handshake(Protocol):
    """One side of a handshake."""

    @property
    def is_host(self) -> bool: ...

    @property
    def can_resume(self) -> bool:
        """This side can come back after a lost connection."""
        ...

    def begin(self, session: Opening) -> None: ...

    def receive(self, session: Opening, message: m.Message) -> None: ...


@dataclasses.dataclass(frozen=True)
class ResumeClaim:
    """What a worker shows to go on with a session over another connection."""

    session: str
    token: str = dataclasses.field(repr=False)
    received: int


@dataclasses.dataclass(frozen=True)
class WorkerHandshake:
    """Says hello and reads the welcome."""

    plugin_id: str | None = None
    plugin_version: str | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    is_host: bool = False
    #: Of a worker that dials in: which manifest it runs, by digest or in full.
    manifest_digest: str | None = None
    manifest: str | None = dataclasses.field(default=None, repr=False)
    can_resume: bool = False
    #: The session to go on with.
    resume: ResumeClaim | None = None
    #: Called just before a session opens that does not go on with another one.
    on_fresh: Callable[[], None] = lambda: None

    def begin(self, session: Opening) -> None:
        fields: dict[str, Any] = {
            "versions": [PROTOCOL_VERSION],
            "role": "worker",
            "sdk": {"name": SDK_NAME, "version": __version__, "language": "python"},
            "features": [RESUME] if self.can_resume else [],
            "requiredFeatures": [],
        }
        if self.plugin_id is not None:
            fields["plugin"] = {"id": self.plugin_id, "version": self.plugin_version or "0.0.0"}
        if self.manifest is not None:
            fields["manifest"] = self.manifest
        elif self.manifest_digest is not None:
            fields["manifestDigest"] = self.manifest_digest
        if self.resume is not None:
            claim = self.resume
            # The secret of the session takes the place of the registration token, which may be spent.
            fields["resume"] = {"session": claim.session, "token": claim.token, "received": claim.received}
        elif self.token is not None:
            fields["token"] = self.token
        session.send_handshake(m.HELLO, fields)

    def receive(self, session: Opening, message: m.Message) -> None:
        if isinstance(message, m.Reject):
            raise HandshakeError(
                f"The host refused this worker: {message.message} ({message.code})",
                code=message.code,
                details={"supported": message.supported or {}},
            )
        if not isinstance(message, m.Welcome):
            raise ProtocolError("A message before the welcome.")
        if message.fields["version"] != PROTOCOL_VERSION:
            raise HandshakeError(
                "The host chose a protocol version that this worker did not offer.",
                code="UNSUPPORTED_VERSION",
            )
        if "resumed" not in message.fields:
            self.on_fresh()
            session.open(message.fields, read_limits(message.fields))
        elif self.resume is None:
            raise ProtocolError("A welcome that resumes, but no resume was asked for.")
        else:
            session.hand_over(message.fields)


def read_limits(fields: dict[str, Any]) -> Limits:
    """The limits of a welcome."""
    given = fields["limits"]
    return Limits(
        max_frame_bytes=given["maxFrameBytes"],
        max_depth=min(_MAX_DEPTH, given["maxDepth"]),
        max_elements=given["maxElements"],
        max_concurrency=given["maxConcurrency"],
    )
