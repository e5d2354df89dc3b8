"""What the environment says about the host, taken before any code of the plugin runs (docs/protocol.md, sections 12 and 13)."""

from __future__ import annotations

import dataclasses
import io
import os
import re
import socket
import stat
import sys
from collections.abc import Callable, MutableMapping

from .connection import Connection, FdConnection, SocketConnection, connect_unix
from .dial import DialError

CHANNEL = "SYNAPSE_WORKER_CHANNEL"
PLUGIN_ID = "SYNAPSE_WORKER_PLUGIN_ID"
PLUGIN_VERSION = "SYNAPSE_WORKER_PLUGIN_VERSION"
TOKEN_FD = "SYNAPSE_WORKER_TOKEN_FD"
TOKEN_FILE = "SYNAPSE_WORKER_TOKEN_FILE"
MANIFEST = "SYNAPSE_WORKER_MANIFEST"
# Left in place: processes that the plugin starts are recognised by it.
_MARKER = "SYNAPSE_WORKER_ID"

_MAX_TOKEN_BYTES = 4_096


class LaunchError(Exception):
    """The environment names a channel that cannot be used."""


@dataclasses.dataclass(frozen=True)
class Channel:
    """Either a connection that is there (`take`), or an address to dial, as often as it takes (`dial`)."""

    name: str
    take: Callable[[], Connection] | None = None
    dial: Callable[[], Connection] | None = None


@dataclasses.dataclass(frozen=True)
class Launch:
    """What the environment told, taken out of it."""

    channel: Channel
    plugin_id: str | None
    plugin_version: str | None
    token: str | None = dataclasses.field(default=None, repr=False)
    manifest: str | None = None
    #: A host has launched this process; otherwise somebody has, who wants it to dial in.
    by_host: bool = True


def take_launch(environ: MutableMapping[str, str] = os.environ) -> Launch | LaunchError | None:
    """Takes the channel and the token, closes them to child processes and moves stdout aside.

    None without a channel. A second call finds nothing: the variables are gone.
    """
    names = (CHANNEL, PLUGIN_ID, PLUGIN_VERSION, TOKEN_FD, TOKEN_FILE, MANIFEST)
    taken = {name: environ.pop(name, None) or None for name in names}
    text = taken[CHANNEL]
    if text is None:
        return None
    try:
        channel = take_channel(text)
        _move_stdout_aside()
        token = take_token(taken[TOKEN_FD], taken[TOKEN_FILE])
    except (LaunchError, OSError, ValueError) as error:
        return error if isinstance(error, LaunchError) else LaunchError(f"{text}: {error}")
    by_host = channel.dial is None or (_MARKER in environ and taken[MANIFEST] is None)
    return Launch(channel, taken[PLUGIN_ID], taken[PLUGIN_VERSION], token, taken[MANIFEST], by_host)


def take_channel(channel: str) -> Channel:
    """The channel of a name. Raises `LaunchError`."""
    if channel.startswith(("fd:", "stdio")):
        return Channel(channel, take=_take_descriptors(channel))
    return Channel(channel, dial=_dialler(channel))


def _dialler(channel: str) -> Callable[[], Connection]:
    if channel.startswith("unix:") and len(channel) > 5:
        # A path that is relative means the folder in which the process was started, also after a chdir.
        path = os.path.abspath(channel[5:])
        return lambda: connect_unix(path)
    if channel.startswith(("wss:", "ws:")):
        try:
            from .websocket import websocket_dialler

            return websocket_dialler(channel)
        except DialError as error:
            raise LaunchError(str(error)) from error
    raise LaunchError(f"{channel!r} is not a channel (fd:N, unix:PATH, wss://HOST:PORT/PATH or stdio)")


def _take_descriptors(channel: str) -> Callable[[], Connection]:
    if match := re.fullmatch(r"fd:(\d{1,9})", channel):
        fd = int(match[1])
        os.set_inheritable(fd, False)
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            raise LaunchError(f"{channel}: descriptor {fd} is not a socket")
        sock = socket.socket(fileno=fd)
        return lambda: SocketConnection(sock)
    if channel == "stdio":
        # The protocol keeps the pipes; whoever reads stdin from now on finds it empty.
        reading, writing = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        return lambda: FdConnection(reading, writing)
    raise LaunchError(f"{channel!r} is not a channel (fd:N, unix:PATH, wss://HOST:PORT/PATH or stdio)")


def _move_stdout_aside() -> None:
    """Whatever the plugin or a child of it prints goes to standard error, line by line."""
    stdout = sys.stdout
    # A stream that was opened on a file (/dev/null, say) seeks before it writes, which a pipe does not take: it is replaced.
    # What waits in it belongs to that file, which cannot be the channel.
    seeks = isinstance(stdout, io.TextIOWrapper) and stdout.seekable()
    if seeks:
        stdout.flush()
    try:
        os.dup2(2, 1)
    except OSError:
        # A worker without a standard error: prints go nowhere.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
    reconfigure = getattr(stdout, "reconfigure", None)
    if seeks:
        raw = io.BufferedWriter(io.FileIO(1, "w", closefd=False))
        sys.stdout = io.TextIOWrapper(raw, stdout.encoding, "backslashreplace", line_buffering=True)
    elif reconfigure is not None:
        reconfigure(line_buffering=True, errors="backslashreplace")


def take_token(fd: str | None, path: str | None) -> str | None:
    """The token behind a descriptor or in a file that nobody else can read. Raises `LaunchError` or `OSError`."""
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
