"""The thread that owns the connection, and looks for another one where that is possible.

Everything that must go on while a handler computes happens here: frames, handshake, pongs, acks, cancels, credit,
deadlines. Handlers run elsewhere and reach the session under its lock.
"""

from __future__ import annotations

import selectors
import signal
import socket
import threading
import traceback
from collections.abc import Callable

from .connection import Connection
from .dial import Dialling, describe
from .errors import ProtocolError
from .session.clock import Clock
from .session.listener import SessionEnd
from .session.session import Session
from .sessions import Sessions

# How long the last bytes (a goodbye) may take to leave.
_FLUSH_SECONDS = 1.0
# A deadline may lie further ahead than the system can wait for.
_MAX_WAIT_SECONDS = 3_600.0
# A connection that was lost sooner does not count as success: the pauses between the attempts go on growing.
_STABLE_SECONDS = 5.0


class Waker:
    """Interrupts the thread's wait: for output from another thread, or for a signal (whose number arrives as the byte)."""

    def __init__(self) -> None:
        self._reader, self.writer = socket.socketpair()
        self._reader.setblocking(False)
        self.writer.setblocking(False)
        self._pending = False

    @property
    def fd(self) -> int:
        return self._reader.fileno()

    def wake(self) -> None:
        # Whoever finds the flag set may rely on the thread: it clears the flag only before it looks at the output.
        if not self._pending:
            self._pending = True
            try:
                self.writer.send(b"\0")
            except OSError:
                pass  # full: a wake is due anyway; closed: nobody is waiting

    def drain(self) -> bytes:
        try:
            data = self._reader.recv(4_096)
        except OSError:
            data = b""
        # After the read: cleared before it, a byte sent in between would be eaten and the flag stay set for ever.
        self._pending = False
        return data

    def close(self) -> None:
        self._reader.close()
        self.writer.close()


class IoThread(threading.Thread):
    """Serves a connection that is there (`connection`), or dials as often as it takes (`dialling`)."""

    def __init__(
        self,
        sessions: Sessions,
        clock: Clock,
        waker: Waker,
        *,
        connection: Connection | None = None,
        dialling: Dialling | None = None,
        patience: float = 60.0,
        on_terminate: Callable[[Session], None] = lambda _: None,
        on_problem: Callable[[str], None] = lambda _: None,
        on_closed: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name="synapse-worker-io", daemon=True)
        self._sessions = sessions
        self._clock = clock
        self._waker = waker
        self._connection = connection
        self._dialling = dialling
        self._patience = patience
        self._on_terminate = on_terminate
        self._on_problem = on_problem
        self._on_closed = on_closed
        self._output = memoryview(b"")
        self._selector: selectors.BaseSelector
        self._asked_to_stop = False
        self._welcomed = False
        # Patience is for an address where nobody is; a host that answers, if only "not now", is worth waiting for.
        self._answered = False
        self._told = ""
        #: How everything ended; set before `on_closed` is called.
        self.end = SessionEnd("INTERNAL_ERROR", "the IO thread failed")

    def run(self) -> None:
        try:
            with selectors.DefaultSelector() as self._selector:
                self._selector.register(self._waker.fd, selectors.EVENT_READ)
                self.end = self._serve()
        except BaseException:
            traceback.print_exc()
        finally:
            self._sessions.close(self.end.message)
            self._close()
            self._on_closed()

    def forget(self) -> None:
        """In a forked child: it must not hold the channel open after this process has ended."""
        if self._connection is not None:
            self._connection.forget()

    def _serve(self) -> SessionEnd:
        started = self._clock.now()
        while True:
            if self._connection is None:
                found = self._dial(started + self._patience)
                if isinstance(found, SessionEnd):
                    return found
                self._connection = found
            began = self._clock.now()
            why = self._converse(self._connection)
            greeted = not self._sessions.greeting
            end = self._sessions.disconnected(why)
            self._close()
            if end is not None:
                return end
            assert self._dialling is not None
            if greeted and (not self._welcomed or self._clock.now() - began >= _STABLE_SECONDS):
                self._dialling.backoff.reset()
            self._welcomed = self._welcomed or greeted
            self._answered = self._answered or self._sessions.answered
            if not greeted:
                self._tell_once(why)
            self._dialling.problem = why

    def _tell_once(self, problem: str) -> None:
        if problem != self._told:
            self._told = problem
            self._on_problem(problem)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # Without a connection

    def _dial(self, patience_ends: float) -> Connection | SessionEnd:
        dialling = self._dialling
        assert dialling is not None
        dialling.begin(self._clock.now())
        failures = dialling.failures
        try:
            while True:
                now = self._clock.now()
                if self._asked_to_stop:
                    return SessionEnd("STOPPED", "the worker was asked to stop while it had no connection", clean=True)
                if (over := self._sessions.over) is not None:
                    return over
                if (connection := dialling.poll(now)) is not None:
                    return connection
                impatient = not self._welcomed and not self._answered
                if impatient and (dialling.hopeless or now >= patience_ends):
                    return SessionEnd("CONNECTION_FAILED", f"the host cannot be reached: {dialling.problem}")
                if dialling.failures != failures:
                    failures = dialling.failures
                    self._tell_once(f"the host cannot be reached: {dialling.problem}")
                dues = [dialling.due, self._sessions.next_due(), patience_ends if impatient else None]
                self._wait(min((due for due in dues if due is not None), default=None))
                self._sessions.tick()
        finally:
            dialling.stop()

    def _wait(self, due: float | None) -> list[int]:
        """Waits until then, or until something happens; returns the connection's descriptors that are ready."""
        timeout = None if due is None else min(_MAX_WAIT_SECONDS, max(0.0, due - self._clock.now()))
        ready = [key.fd for key, _ in self._selector.select(timeout)]
        if self._waker.fd in ready and {signal.SIGTERM, signal.SIGINT} & set(self._waker.drain()):
            if self._connection is None:
                self._asked_to_stop = True
            else:
                self._on_terminate(self._sessions.active)
        return ready

    # On a connection

    def _converse(self, connection: Connection) -> str:
        """Until the connection is of no use any more; returns why."""
        sessions = self._sessions
        self._output = memoryview(b"")
        watch = _Watch(self._selector, connection)
        sessions.connected()
        heard = self._clock.now()
        give_up: float | None = None
        try:
            while True:
                blocked = self._write(connection)
                now = self._clock.now()
                if sessions.closing:
                    give_up = now + _FLUSH_SECONDS if give_up is None else give_up
                    if not blocked or now >= give_up:
                        return sessions.active.end.message if sessions.active.end is not None else ""
                watch.set(reading=not sessions.closing, writing=blocked and connection.can_write)
                limit = None if sessions.closing else sessions.silence_limit
                dues = [give_up, sessions.next_due(), None if limit is None else heard + limit]
                ready = self._wait(min((due for due in dues if due is not None), default=None))
                if connection.read_fd in ready and not sessions.closing:
                    data = connection.read()
                    if data:
                        sessions.receive(data)
                    if data is not None:
                        heard = self._clock.now()
                    if data == b"" or connection.ended is not None:
                        return connection.ended or "the host closed the connection"
                elif limit is not None and self._clock.now() - heard >= limit:
                    return f"nothing was heard from the host for {limit:g} s"
                sessions.tick()
        except ProtocolError as error:
            sessions.broken(error)
            try:
                self._write(connection)
            except OSError:
                pass  # the goodbye is a courtesy
            return error.message
        except OSError as error:
            return f"the connection failed: {describe(error)}"
        finally:
            watch.set(reading=False, writing=False)

    def _write(self, connection: Connection) -> bool:
        """Writes until there is nothing left (False) or the other side does not keep up (True)."""
        while connection.flush():
            if not self._output:
                self._output = memoryview(self._sessions.take_output())
                if not self._output:
                    return False
            written = connection.write(self._output)
            if not written:
                return True
            self._output = self._output[written:]
        return True


class _Watch:
    """Which of the connection's descriptors are waited for; they may be one and the same."""

    def __init__(self, selector: selectors.BaseSelector, connection: Connection) -> None:
        self._selector = selector
        self._read_fd, self._write_fd = connection.read_fd, connection.write_fd
        self._events: dict[int, int] = {}

    def set(self, *, reading: bool, writing: bool) -> None:
        wanted: dict[int, int] = {}
        if reading:
            wanted[self._read_fd] = selectors.EVENT_READ
        if writing:
            wanted[self._write_fd] = wanted.get(self._write_fd, 0) | selectors.EVENT_WRITE
        if wanted == self._events:
            return
        for fd in self._events.keys() - wanted.keys():
            self._selector.unregister(fd)
        for fd, events in wanted.items():
            if fd not in self._events:
                self._selector.register(fd, events)
            elif self._events[fd] != events:
                self._selector.modify(fd, events)
        self._events = wanted
