"""The sessions of one process, one after the other, and what a new connection means for them (docs/protocol.md, section 8)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from .errors import ProtocolError
from .session.handshake import WorkerHandshake
from .session.listener import SessionEnd
from .session.session import Session

# After these a worker does not dial again.
_FINAL_REJECTS = frozenset({"UNAUTHENTICATED", "UNSUPPORTED_VERSION", "MISSING_FEATURE", "HANDSHAKE_INVALID"})
# A host pings at every heartbeat; after this many without a byte the connection is dead, whatever the system believes.
_SILENT_HEARTBEATS = 3


class Sessions:
    """At most one session is `current`: open, suspended, or over. A connection that has just been made is greeted by another
    one; its welcome tells whether that one takes the place of the current session or hands the connection over to it.
    """

    def __init__(
        self,
        make: Callable[[WorkerHandshake], Session],
        hello: WorkerHandshake,
        *,
        outlives_window: bool = True,
    ) -> None:
        self._make = make
        self._hello = hello
        # A launched worker is its host's child: it does not wait for a host that may never come back.
        self._outlives_window = outlives_window
        self._greeting: Session | None = None
        self.current: Session | None = None
        #: Whatever it said, a host has answered a hello.
        self.answered = False

    # What a connection brings

    def connected(self) -> None:
        """There is a new connection: says hello on it."""
        claim = self.current.claim if self.current is not None else None
        hello = dataclasses.replace(self._hello, resume=claim, on_fresh=self._replace)
        self._greeting = self._make(hello)
        self._greeting.start()

    @property
    def active(self) -> Session:
        """The session that speaks on the connection."""
        active = self._greeting or self.current
        assert active is not None
        return active

    @property
    def greeting(self) -> bool:
        """The welcome has not come yet."""
        return self._greeting is not None

    def receive(self, data: bytes) -> None:
        self.active.receive(data)
        greeting, current = self._greeting, self.current
        if greeting is None or greeting.handed_over is None or greeting.end is not None:
            return
        if current is not None and current.resume(greeting):
            self._greeting = None
        else:
            greeting.refuse_resume()

    def take_output(self) -> bytes:
        """Whole frames to write; empty when there is nothing."""
        return self.active.take_output()

    def broken(self, error: ProtocolError) -> None:
        """The connection itself found that the host broke a rule."""
        self.active.broken(error)

    @property
    def closing(self) -> bool:
        """Nothing more is read: what is queued leaves, and the connection is closed."""
        return self.active.end is not None

    @property
    def silence_limit(self) -> float | None:
        """Seconds without a byte after which the connection is given up; None where nothing would be gained by it."""
        current = self.current
        if self._greeting is not None or current is None or current.claim is None:
            return None
        return current.heartbeat * _SILENT_HEARTBEATS

    def _replace(self) -> None:
        """The host begins a fresh session."""
        old, self.current, self._greeting = self.current, self._greeting, None
        if old is not None:
            old.give_up("the host has begun a new session")

    def disconnected(self, why: str) -> SessionEnd | None:
        """The connection is gone. The end of everything, or None if a new connection may help."""
        greeting, self._greeting = self._greeting, None
        if greeting is not None:
            greeting.connection_lost(why)
            assert greeting.end is not None
            self.answered = self.answered or greeting.end.rejected
            return greeting.end if self._is_final(greeting.end) else self.over
        assert self.current is not None
        self.current.connection_lost(why)
        return self.over

    def _is_final(self, end: SessionEnd) -> bool:
        if not self._hello.can_resume or end.ours or end.code in _FINAL_REJECTS:
            return True
        # What broke the protocol at once is no host; one that broke it after a restart may have been caught unready.
        return end.code == "PROTOCOL_ERROR" and self.current is None

    @property
    def over(self) -> SessionEnd | None:
        """How the current session ended, if that is the end of everything."""
        current = self.current
        if current is None or current.end is None:
            return None
        again = current.end.lost and current.claim is not None and self._outlives_window
        return None if again else current.end

    # Time, and the end

    def next_due(self) -> float | None:
        """When `tick` is to be called."""
        dues = (session.next_due() for session in self._living())
        return min((due for due in dues if due is not None), default=None)

    def tick(self) -> None:
        """Runs the timers that are due: deadlines go on while there is no connection."""
        for session in self._living():
            session.tick()

    def goodbye(self, code: str, message: str) -> None:
        """From any thread: says goodbye wherever there is somebody to say it to."""
        for session in self._living():
            session.goodbye(code, message)

    def close(self, why: str) -> None:
        """Everything ends."""
        for session in self._living():
            session.give_up(why)

    def _living(self) -> list[Session]:
        return [s for s in (self._greeting, self.current) if s is not None and s.end is None]
