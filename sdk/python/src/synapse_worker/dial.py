"""Dialling, again and again: an attempt at a time on a thread of its own, with the pauses of docs/protocol.md, section 8."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from .connection import Connection

_FIRST_PAUSE_SECONDS = 0.1
_MAX_PAUSE_SECONDS = 10.0


class DialError(Exception):
    """Another attempt would not help: the address, the certificate, or what is installed here is wrong."""


class Backoff:
    """The first try at once, then exponential pauses with full jitter."""

    def __init__(self, fraction: Callable[[], float] = random.random) -> None:
        self._fraction = fraction
        self._tries = 0

    def pause(self) -> float:
        """Seconds to wait before the next try."""
        tries, self._tries = self._tries, min(self._tries + 1, 32)
        if tries == 0:
            return 0.0
        return self._fraction() * min(_MAX_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** (tries - 1))

    def reset(self) -> None:
        """All is well again."""
        self._tries = 0


class Dialling:
    """Looks for a connection. Driven by the IO thread, which never waits for an attempt: timers and signals go on."""

    def __init__(self, dial: Callable[[], Connection], wake: Callable[[], None], backoff: Backoff | None = None) -> None:
        self._dial = dial
        self._wake = wake
        self.backoff = backoff or Backoff()
        #: When the next attempt is due; None while one is under way.
        self.due: float | None = None
        #: Why the last attempt came to nothing.
        self.problem = "it was not tried"
        #: That problem will not go away by itself.
        self.hopeless = False
        #: How many attempts came to nothing.
        self.failures = 0
        self._attempt: _Attempt | None = None

    def begin(self, now: float) -> None:
        """Plans the next attempt."""
        self.due = now + self.backoff.pause()

    def poll(self, now: float) -> Connection | None:
        """Moves on; returns the connection once there is one."""
        attempt = self._attempt
        if attempt is None:
            if self.due is not None and now >= self.due:
                self.due = None
                self._attempt = _Attempt(self._dial, self._wake)
                self._attempt.start()
            return None
        if not attempt.done.is_set():
            return None
        self._attempt = None
        if attempt.connection is not None:
            return attempt.connection
        error = attempt.error
        self.failures += 1
        self.hopeless = isinstance(error, DialError)
        self.problem = describe(error)
        self.begin(now)
        return None

    def stop(self) -> None:
        """Nobody waits any more; what an attempt still brings is closed."""
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.abandon()


class _Attempt(threading.Thread):
    """One attempt. It blocks, at most for as long as names take to resolve and a connection may take to be made."""

    def __init__(self, dial: Callable[[], Connection], wake: Callable[[], None]) -> None:
        super().__init__(name="synapse-worker-dial", daemon=True)
        self._dial = dial
        self._wake = wake
        self._lock = threading.Lock()
        self._abandoned = False
        self.done = threading.Event()
        self.connection: Connection | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        connection: Connection | None = None
        try:
            connection = self._dial()
        except Exception as error:
            self.error = error
        with self._lock:
            if not self._abandoned:
                self.connection = connection
            elif connection is not None:
                connection.close()
            self.done.set()
        self._wake()

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()


def printable(text: str) -> str:
    """What another program said, without the characters that would do something to a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text[:1_000])


def describe(error: BaseException | None) -> str:
    """An error of a dial in a few words."""
    if isinstance(error, OSError):
        return str(error.strerror or error or type(error).__name__)
    return str(error) or type(error).__name__
