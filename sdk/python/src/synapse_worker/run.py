"""The process of a worker: the loop on the main thread, the connection on the IO thread, and an end that always comes."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import signal
import sys
import threading
from typing import Any, NoReturn

from .connection import Connection, SocketConnection
from .dial import DialError, Dialling, printable
from .identity import find_identity
from .io_thread import IoThread, Waker
from .launch import TOKEN_FILE, Launch, LaunchError, take_channel, take_token
from .plugin import Plugin
from .process import launch as taken_launch
from .runtime import Runtime
from .session.clock import SystemClock
from .session.handshake import WorkerHandshake
from .session.listener import SessionEnd
from .session.session import Session
from .sessions import Sessions

# How long handlers may take to notice the end of the session before the process ends under them.
_EXIT_GRACE_SECONDS = 1.0

_log = logging.getLogger("synapse_worker")

_USAGE = """\
This program is a Synapse plugin. It does not run by itself: a Synapse host launches it and talks to it over a channel
that it names in the environment variable SYNAPSE_WORKER_CHANNEL.

To run it:   synapse-worker run <folder of the plugin> --call METHOD --params JSON
To test it:  synapse_worker.testing, see the README of synapse-worker
To dial in:  SYNAPSE_WORKER_CHANNEL=wss://HOST:PORT SYNAPSE_WORKER_TOKEN_FILE=FILE, to a host that listens elsewhere
"""

_WHAT_TO_DO = {
    "UNAUTHENTICATED": "Ask the operator of the host for a new token, and check that the host has this very manifest.",
    "UNSUPPORTED_VERSION": "Install a version of synapse-worker that speaks the host's protocol.",
    "MISSING_FEATURE": "Install a version of synapse-worker that has it, or take the requirement off the host.",
}


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """What `Plugin.run` was given."""

    grace: float
    channel: str | None = None
    token_file: str | None = None
    id: str | None = None
    version: str | None = None
    manifest: str | None = None
    bring_manifest: bool = False
    dial_timeout: float = 60.0
    host_uid: int | None = None


def run_plugin(plugin: Plugin, options: RunOptions) -> NoReturn:
    """Serves until the session ends. Exit status: 0 after a goodbye, 1 without, 2 when there is no usable channel."""
    try:
        launch = _find_launch(options)
        if launch is None:
            print(_USAGE, end="", file=sys.stderr)
            sys.exit(2)
        hello = _make_hello(launch, options)
    except (LaunchError, OSError, ValueError) as error:
        print(f"This Synapse plugin cannot use its channel: {error}.", file=sys.stderr)
        sys.exit(2)
    sys.exit(_Process(plugin, launch, hello, options).run())


def _find_launch(options: RunOptions) -> Launch | None:
    # The environment is first: the same program can be launched by a host.
    if isinstance(taken_launch, LaunchError):
        raise taken_launch
    if taken_launch is not None or options.channel is None:
        return taken_launch
    channel = take_channel(options.channel)
    if channel.dial is None:
        raise LaunchError(f"{channel.name}: only a host that launches a plugin can give it a descriptor; name an address")
    return Launch(channel, None, None, by_host=False)


def _make_hello(launch: Launch, options: RunOptions) -> WorkerHandshake:
    dials = launch.channel.dial is not None
    if launch.by_host:
        return WorkerHandshake(launch.plugin_id, launch.plugin_version, launch.token, can_resume=dials)
    token = launch.token or take_token(None, options.token_file)
    if token is None:
        raise LaunchError(f"a worker that dials in needs a token; put it into a file of mode 0600 and name that in {TOKEN_FILE}")
    identity = find_identity(
        launch.plugin_id or options.id,
        launch.plugin_version or options.version,
        launch.manifest or options.manifest,
        options.bring_manifest,
    )
    return WorkerHandshake(
        identity.plugin_id, identity.plugin_version, token, can_resume=dials,
        manifest_digest=identity.manifest_digest, manifest=identity.manifest,
    )  # fmt: skip


class _Process:
    def __init__(self, plugin: Plugin, launch: Launch, hello: WorkerHandshake, options: RunOptions) -> None:
        self._plugin = plugin
        self._channel = launch.channel
        self._by_host = launch.by_host
        self._options = options
        self._clock = SystemClock()
        self._waker = Waker()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._sessions = Sessions(self._make_session, hello, outlives_window=not launch.by_host)

    def run(self) -> int:
        loop, waker, sessions = self._loop, self._waker, self._sessions
        try:
            connection = self._channel.take() if self._channel.take is not None else None
        except OSError as error:
            print(f"This Synapse plugin cannot reach its host: {error}.", file=sys.stderr)
            return 1
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(lambda _, context: self._report(context))
        io = self._io = IoThread(
            sessions, self._clock, waker,
            connection=connection,
            dialling=None if self._channel.dial is None else Dialling(self._dial, waker.wake),
            patience=self._options.dial_timeout,
            on_terminate=self._terminate,
            on_problem=self._tell_problem,
            on_closed=self._end_process,
        )  # fmt: skip
        # A child that is forked (not spawned) must not hold the channel open after this process has ended.
        os.register_at_fork(after_in_child=io.forget)
        _take_signals(waker)
        io.start()
        try:
            loop.run_until_complete(self._until_over())
        except BaseException:
            # A task of the author's own has ended the loop, by sys.exit() say.
            sessions.goodbye("INTERNAL_ERROR", "The plugin has ended its loop.")
            io.join(_EXIT_GRACE_SECONDS)
            raise
        finally:
            if (runtime := self._runtime()) is not None:
                runtime.close()
        io.join(_EXIT_GRACE_SECONDS)
        _tell(io.end)
        return _status(io.end)

    def _dial(self) -> Connection:
        """On a thread of its own."""
        assert self._channel.dial is not None
        connection = self._channel.dial()
        # A host that launched this process is trusted already, and may have put it under another user.
        if not self._by_host and isinstance(connection, SocketConnection):
            uid = connection.peer_uid()
            if uid not in (None, 0, os.geteuid(), self._options.host_uid):
                connection.close()
                raise DialError(
                    f"{self._channel.name} is listened at by the user {uid}, to whom the token is not told; if that user runs "
                    f"the host, say so: plugin.run(host_uid={uid})"
                )
        return connection

    def _make_session(self, hello: WorkerHandshake) -> Session:
        """On the IO thread, for each connection: a session with the plugin behind it."""
        runtime = Runtime(self._plugin, self._loop, self._clock, predecessor=self._runtime())
        session = Session(hello, runtime, self._clock, self._waker.wake)
        runtime.attach(session)
        return session

    def _runtime(self) -> Runtime | None:
        """That of the current session."""
        current = self._sessions.current
        return current.listener if current is not None and isinstance(current.listener, Runtime) else None

    def _terminate(self, session: Session) -> None:
        assert isinstance(session.listener, Runtime)
        session.listener.lifecycle.terminate(self._options.grace)

    def _tell_problem(self, problem: str) -> None:
        # Told by the loop: standard error may be full, and the IO thread must not wait for it.
        try:
            self._loop.call_soon_threadsafe(_log.warning, "Not connected yet (%s); trying again.", printable(problem))
        except RuntimeError:
            pass

    async def _until_over(self) -> None:
        await self._over.wait()
        # Handlers have been told; give their `finally` blocks a moment.
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_EXIT_GRACE_SECONDS / 2)

    def _end_process(self) -> None:
        """On the IO thread, after the channel is closed: the process ends, even if a handler spins or a thread is stuck."""
        threading.Thread(target=self._exit_hard, name="synapse-worker-exit", daemon=True).start()
        try:
            self._loop.call_soon_threadsafe(self._over.set)
        except RuntimeError:
            pass  # The loop is closed already.

    def _exit_hard(self) -> None:
        # The main thread normally ends the process long before this does.
        threading.Event().wait(_EXIT_GRACE_SECONDS)
        # A stuck writer may hold the stream's lock, and must not hold up the end.
        flusher = threading.Thread(target=_flush, daemon=True)
        flusher.start()
        flusher.join(0.5)
        os._exit(_status(self._io.end))

    def _report(self, context: dict[str, Any]) -> None:
        """Errors in tasks that nobody awaits, told without secrets."""
        runtime = self._runtime()
        error = context.get("exception")
        what = str(context.get("message", "An error in the loop"))
        if runtime is not None and isinstance(error, BaseException):
            runtime.report(what, error)
        else:
            print(runtime.config.redact(what) if runtime is not None else what, file=sys.stderr)


def _take_signals(waker: Waker) -> None:
    """SIGTERM and SIGINT reach the IO thread as a byte, written in C: even while the main thread is stuck in a handler."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(waker.writer.fileno(), warn_on_full_buffer=False)


def _status(end: SessionEnd) -> int:
    return 0 if end.clean else 1


def _tell(end: SessionEnd) -> None:
    if end.code not in ("STOPPED", "DRAINED"):
        advice = f" {_WHAT_TO_DO[end.code]}" if end.code in _WHAT_TO_DO else ""
        # The sentence on a reject names the code already.
        message, code = printable(end.message), f"({printable(end.code)})"
        named = message if message.endswith(code) else f"{message} {code}"
        print(f"synapse-worker: the session ended: {named}{advice}", file=sys.stderr)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
