"""What a launched worker does before any code of its plugin runs (docs/protocol.md, section 12)."""

from __future__ import annotations

import dataclasses
import os
import re
import socket
import stat
import sys
from collections.abc import Callable, MutableMapping

from .connection import Connection, FdConnection, SocketConnection, connect_unix

CHANNEL = "SYNAPSE_WORKER_CHANNEL"
PLUGIN_ID = "SYNAPSE_WORKER_PLUGIN_ID"
PLUGIN_VERSION = "SYNAPSE_WORKER_PLUGIN_VERSION"
TOKEN_FD = "SYNAPSE_WORKER_TOKEN_FD"
TOKEN_FILE = "SYNAPSE_WORKER_TOKEN_FILE"

_MAX_TOKEN_BYTES = 4_096


class LaunchError(Exception):
    """The environment names a channel that cannot be used."""


@dataclasses.dataclass(frozen=True)
class Launch:
    """What the environment told, taken out of it."""

    connect: Callable[[], Connection]
    plugin_id: str | None
    plugin_version: str | None
    token: str | None = dataclasses.field(default=None, repr=False)


def take_launch(environ: MutableMapping[str, str] = os.environ) -> Launch | LaunchError | None:
    """Takes the channel and the token, closes them to child processes and moves stdout aside.

    None without a channel. A second call finds nothing: the variables are gone.
    """
    taken = {name: environ.pop(name, None) for name in (CHANNEL, PLUGIN_ID, PLUGIN_VERSION, TOKEN_FD, TOKEN_FILE)}
    channel = taken[CHANNEL]
    if not channel:
        return None
    try:
        connect = _take_channel(channel)
        _move_stdout_aside()
        token = _take_token(taken[TOKEN_FD], taken[TOKEN_FILE])
    except (LaunchError, OSError, ValueError) as error:
        return error if isinstance(error, LaunchError) else LaunchError(f"{channel}: {error}")
    return Launch(connect, taken[PLUGIN_ID], taken[PLUGIN_VERSION], token)


def _take_channel(channel: str) -> Callable[[], Connection]:
    if match := re.fullmatch(r"fd:(\d{1,9})", channel):
        fd = int(match[1])
        os.set_inheritable(fd, False)
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            raise LaunchError(f"{channel}: descriptor {fd} is not a socket")
        sock = socket.socket(fileno=fd)
        return lambda: SocketConnection(sock)
    if channel.startswith("unix:") and len(channel) > 5:
        return lambda: connect_unix(channel[5:])
    if channel == "stdio":
        # The protocol keeps the pipes; whoever reads stdin from now on finds it empty.
        reading, writing = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        return lambda: FdConnection(reading, writing)
    if channel.startswith("wss:"):
        raise LaunchError("wss: channels are not supported by this version of synapse-worker")
    raise LaunchError(f"{channel!r} is not a channel (fd:N, unix:PATH or stdio)")


def _move_stdout_aside() -> None:
    """Whatever the plugin or a child of it prints goes to standard error, line by line."""
    try:
        os.dup2(2, 1)
    except OSError:
        # A worker without a standard error: prints go nowhere.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(line_buffering=True, errors="backslashreplace")


def _take_token(fd: str | None, path: str | None) -> str | None:
    if fd:
        with os.fdopen(int(fd), "rb") as file:
            raw = file.read(_MAX_TOKEN_BYTES + 1)
    elif path:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise LaunchError("the token file may be read by others; its mode must be 0600")
            raw = file.read(_MAX_TOKEN_BYTES + 1)
    else:
        return None
    if len(raw) > _MAX_TOKEN_BYTES:
        raise LaunchError(f"the token has more than {_MAX_TOKEN_BYTES} bytes")
    return raw.decode().strip() or None
