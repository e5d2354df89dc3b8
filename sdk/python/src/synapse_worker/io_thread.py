"""The thread that owns the connection.

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
from .session.clock import Clock
from .session.session import Session

# How long the last bytes (a goodbye) may take to leave.
_FLUSH_SECONDS = 1.0
# A deadline may lie further ahead than the system can wait for.
_MAX_WAIT_SECONDS = 3_600.0


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
    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        waker: Waker,
        *,
        on_terminate: Callable[[], None] = lambda: None,
        on_closed: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name="synapse-worker-io", daemon=True)
        self._connection = connection
        self._clock = clock
        self._waker = waker
        self._on_terminate = on_terminate
        self._on_closed = on_closed
        self._output = memoryview(b"")
        self._session: Session | None = None

    def serve(self, session: Session) -> None:
        """Starts the thread."""
        self._session = session
        self.start()

    def run(self) -> None:
        assert self._session is not None
        session = self._session
        why = "the IO thread failed"
        try:
            why = self._run(session)
        except OSError as error:
            why = f"the connection failed: {error.strerror or type(error).__name__}"
        except BaseException:
            traceback.print_exc()
        finally:
            session.connection_lost(why)
            self._connection.close()
            self._on_closed()

    def _run(self, session: Session) -> str:
        connection = self._connection
        with selectors.DefaultSelector() as selector:
            selector.register(self._waker.fd, selectors.EVENT_READ)
            watch = _Watch(selector, connection)
            session.start()
            give_up: float | None = None
            while True:
                blocked = self._write(session)
                now = self._clock.now()
                if session.end is not None:
                    give_up = now + _FLUSH_SECONDS if give_up is None else give_up
                    if not blocked or now >= give_up:
                        return session.end.message
                watch.set(reading=session.end is None, writing=blocked)
                due = session.next_due() if session.end is None else give_up
                timeout = None if due is None else min(_MAX_WAIT_SECONDS, max(0.0, due - now))
                for key, _ in selector.select(timeout):
                    if key.fd == self._waker.fd:
                        if {signal.SIGTERM, signal.SIGINT} & set(self._waker.drain()):
                            self._on_terminate()
                    elif key.fd == connection.read_fd and session.end is None:
                        data = connection.read()
                        if data == b"":
                            return "the host closed the connection"
                        if data is not None:
                            session.receive(data)
                session.tick()

    def _write(self, session: Session) -> bool:
        """Writes until there is nothing left (False) or the other side does not keep up (True)."""
        while True:
            if not self._output:
                self._output = memoryview(session.take_output())
                if not self._output:
                    return False
            written = self._connection.write(self._output)
            if not written:
                return True
            self._output = self._output[written:]


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
