"""The process of a launched worker: the loop on the main thread, the connection on the IO thread, and an end that always comes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from typing import Any, NoReturn

from .io_thread import IoThread, Waker
from .launch import Launch, LaunchError
from .plugin import Plugin
from .process import launch
from .runtime import Runtime
from .session.clock import SystemClock
from .session.handshake import WorkerHandshake
from .session.listener import SessionEnd
from .session.session import Session

# How long handlers may take to notice the end of the session before the process ends under them.
_EXIT_GRACE_SECONDS = 1.0

_USAGE = """\
This program is a Synapse plugin. It does not run by itself: a Synapse host launches it and talks to it over a channel
that it names in the environment variable SYNAPSE_WORKER_CHANNEL.

To run it:   synapse-worker run <folder of the plugin> --call METHOD --params JSON
To test it:  synapse_worker.testing, see the README of synapse-worker
"""


def run_plugin(plugin: Plugin, grace: float) -> NoReturn:
    """Serves until the session ends. Exit status: 0 after a goodbye, 1 without, 2 when there is no usable channel."""
    if launch is None:
        print(_USAGE, end="", file=sys.stderr)
        sys.exit(2)
    if isinstance(launch, LaunchError):
        print(f"This Synapse plugin cannot use its channel: {launch}.", file=sys.stderr)
        sys.exit(2)
    sys.exit(_Process(plugin, launch, grace).run())


class _Process:
    def __init__(self, plugin: Plugin, launch: Launch, grace: float) -> None:
        self._plugin = plugin
        self._launch = launch
        self._grace = grace
        self._session: Session | None = None
        self._main_is_done = threading.Event()

    def run(self) -> int:
        try:
            connection = self._launch.connect()
        except OSError as error:
            print(f"This Synapse plugin cannot reach its host: {error}.", file=sys.stderr)
            return 1
        waker, clock = Waker(), SystemClock()
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        runtime = Runtime(self._plugin, loop, clock)
        loop.set_exception_handler(lambda _, context: _report(runtime, context))
        # A child that is forked (not spawned) must not hold the channel open after this process has ended.
        os.register_at_fork(after_in_child=connection.forget)
        handshake = WorkerHandshake(self._launch.plugin_id, self._launch.plugin_version, self._launch.token)
        session = self._session = Session(handshake, runtime, clock, waker.wake)
        runtime.attach(session)
        io = IoThread(
            connection, clock, waker,
            on_terminate=lambda: runtime.lifecycle.terminate(self._grace),
            on_closed=self._end_process,
        )  # fmt: skip
        _take_signals(waker)
        io.serve(session)
        try:
            loop.run_until_complete(_until_over(runtime))
        except BaseException:
            # A task of the author's own has ended the loop, by sys.exit() say.
            session.goodbye("INTERNAL_ERROR", "The plugin has ended its loop.")
            io.join(_EXIT_GRACE_SECONDS)
            raise
        finally:
            runtime.close()
        io.join(_EXIT_GRACE_SECONDS)
        end = session.end
        _tell(end)
        return _status(end)

    def _end_process(self) -> None:
        """On the IO thread, after the channel is closed: the process ends, even if a handler spins or a thread is stuck."""
        threading.Thread(target=self._exit_hard, name="synapse-worker-exit", daemon=True).start()

    def _exit_hard(self) -> None:
        # The main thread normally ends the process long before this does.
        threading.Event().wait(_EXIT_GRACE_SECONDS)
        end = self._session.end if self._session is not None else None
        # A stuck writer may hold the stream's lock, and must not hold up the end.
        flusher = threading.Thread(target=_flush, daemon=True)
        flusher.start()
        flusher.join(0.5)
        os._exit(_status(end))


async def _until_over(runtime: Runtime) -> None:
    await runtime.over.wait()
    # Handlers have been told; give their `finally` blocks a moment.
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_EXIT_GRACE_SECONDS / 2)


def _take_signals(waker: Waker) -> None:
    """SIGTERM and SIGINT reach the IO thread as a byte, written in C: even while the main thread is stuck in a handler."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(waker.writer.fileno(), warn_on_full_buffer=False)


def _report(runtime: Runtime, context: dict[str, Any]) -> None:
    """Errors in tasks that nobody awaits, told without secrets."""
    error = context.get("exception")
    what = str(context.get("message", "An error in the loop"))
    if isinstance(error, BaseException):
        runtime.report(what, error)
    else:
        print(runtime.config.redact(what), file=sys.stderr)


def _status(end: SessionEnd | None) -> int:
    return 0 if end is not None and end.clean else 1


def _tell(end: SessionEnd | None) -> None:
    if end is not None and end.code not in ("STOPPED", "DRAINED"):
        print(f"synapse-worker: the session ended: {end.message} ({end.code})", file=sys.stderr)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
