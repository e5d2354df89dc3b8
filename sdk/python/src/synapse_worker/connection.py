"""The byte streams that a worker can speak over: a socket (descriptor 3, a Unix socket) or a pair of pipes (stdio)."""

from __future__ import annotations

import os
import socket
from typing import Protocol

_READ_BYTES = 262_144


class Connection(Protocol):
    """A non-blocking byte stream over descriptors, so that one thread can wait for it and for its waker."""

    @property
    def read_fd(self) -> int: ...

    @property
    def write_fd(self) -> int: ...

    def read(self) -> bytes | None:
        """What has arrived; b"" at the end, None when there is nothing now."""
        ...

    def write(self, data: memoryview) -> int:
        """How many bytes were taken; 0 when the other side is not keeping up."""
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
        sock.settimeout(10.0)
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return SocketConnection(sock)
