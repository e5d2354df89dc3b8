"""What a worker speaks over: a socket (descriptor 3, a Unix socket), a pair of pipes (stdio), or a WebSocket (see `websocket`)."""

from __future__ import annotations

import os
import socket
import struct
from typing import Protocol

_READ_BYTES = 262_144
_CREDENTIALS = struct.Struct("3i")
#: How long an attempt to connect may take.
DIAL_SECONDS = 10.0


class Connection(Protocol):
    """A non-blocking mover of frames over descriptors, so that one thread can wait for it and for its waker."""

    @property
    def read_fd(self) -> int: ...

    @property
    def write_fd(self) -> int: ...

    @property
    def ended(self) -> str | None:
        """Why nothing more will arrive, although the descriptor may still be open; None while something may."""
        ...

    @property
    def can_write(self) -> bool:
        """Room in the descriptor would help what waits to leave."""
        ...

    def read(self) -> bytes | None:
        """What has arrived; b"" at the end, None when there is nothing now. Raises `OSError`, or `ProtocolError` for what may never arrive."""
        ...

    def write(self, data: memoryview) -> int:
        """How many bytes were taken; 0 when the other side is not keeping up. `data` begins with what was not taken before."""
        ...

    def flush(self) -> bool:
        """Moves on what was taken. False while some of it waits."""
        ...

    def close(self) -> None: ...

    def forget(self) -> None:
        """Closes this process's copy alone: for a forked child."""
        ...


class FdConnection:
    """Over descriptors of the process. Both may be the same (a socket)."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self.read_fd = read_fd
        self.write_fd = write_fd
        self.ended: str | None = None
        self.can_write = True
        for fd in {read_fd, write_fd}:
            os.set_inheritable(fd, False)
            os.set_blocking(fd, False)

    def read(self) -> bytes | None:
        try:
            return os.read(self.read_fd, _READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return None

    def write(self, data: memoryview) -> int:
        try:
            return os.write(self.write_fd, data)
        except (BlockingIOError, InterruptedError):
            return 0

    def flush(self) -> bool:
        return True

    def close(self) -> None:
        self.forget()

    def forget(self) -> None:
        for fd in {self.read_fd, self.write_fd}:
            try:
                os.close(fd)
            except OSError:
                pass


class SocketConnection(FdConnection):
    """Over a connected stream socket. It is shut down before it is closed, so that a leaked copy cannot hold it open."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        super().__init__(sock.fileno(), sock.fileno())

    def peer_uid(self) -> int | None:
        """The user of the process that listens at the other end of a Unix socket; None where the system does not tell."""
        if not hasattr(socket, "SO_PEERCRED"):
            return None
        credentials = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        uid: int = _CREDENTIALS.unpack(credentials)[1]
        return uid

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def forget(self) -> None:
        self._socket.close()


def connect_unix(path: str) -> SocketConnection:
    """Dials a Unix socket."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(DIAL_SECONDS)
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return SocketConnection(sock)
