"""The runtime's own methods (`plugin.load` and the like), and the worker's own drain."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from .context import Context
from .errors import InvalidState

if TYPE_CHECKING:
    from .runtime import Runtime


_log = logging.getLogger("synapse_worker")
_HOOKS = {"plugin.install": "install", "plugin.uninstall": "uninstall"}


class Lifecycle:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.loaded = False
        self._load_started = False
        self._unload_started = False
        self._terminating = False
        self._finishing = False

    def has(self, method: str) -> bool:
        if method in _HOOKS:
            return _HOOKS[method] in self._runtime.plugin.hooks
        return method in ("plugin.load", "plugin.unload")

    def admit(self, method: str) -> None:
        """Raises `InvalidState` for a method that may not run now."""
        if method == "plugin.load":
            if self._load_started:
                raise InvalidState("plugin.load was called before.", may_have_run=False)
            self._load_started = True

    async def run(self, method: str, ctx: Context) -> Any:
        """What an admitted method does. Beside the hooks it makes calls in the author's name: their failure is the plugin's."""
        if method == "plugin.load":
            return await self._load(ctx)
        if method == "plugin.unload":
            return await self._unload(ctx)
        await self._run_hooks(_HOOKS[method], ctx)
        return None

    async def _load(self, ctx: Context) -> dict[str, Any]:
        predecessor, self._runtime.predecessor = self._runtime.predecessor, None
        if predecessor is not None:
            await predecessor.wind_down()
        await self._run_hooks("load", ctx)
        plugin = self._runtime.plugin
        patterns = list(dict.fromkeys(pattern.text for pattern, _ in plugin.events))
        # After on_load: handlers of events find the plugin ready.
        for pattern in patterns:
            await ctx.call("events.subscribe", {"pattern": pattern})
        self.loaded = True
        return {"methods": list(plugin.methods), "streams": list(plugin.streams), "events": patterns}

    async def _unload(self, ctx: Context) -> None:
        if self._unload_started or not self._load_started:
            return
        self._unload_started = True
        await self._run_hooks("unload", ctx)

    async def unload_after_loss(self, seconds: float) -> None:
        """Runs `on_unload` although no host asks for it any more."""
        try:
            await asyncio.wait_for(self._unload(Context(self._runtime, None)), seconds)
        except asyncio.TimeoutError:
            _log.error("on_unload did not end within %g s.", seconds)
        except Exception as error:
            self._runtime.report("on_unload failed.", error)

    async def _run_hooks(self, kind: str, ctx: Context) -> None:
        for handler in self._runtime.plugin.hooks.get(kind, ()):
            # The one argument of a hook is the context, whatever its name.
            await self._runtime.invoker.call(handler, ctx, ctx)

    # The worker's own wish to go: SIGTERM

    def terminate(self, grace: float) -> None:
        """On the IO thread: no new calls; when those in flight have ended, or after the grace, goodbye."""
        session = self._runtime.session
        with session.link.lock:
            if self._terminating:
                return
            self._terminating = True
            if not session.is_open:
                session.goodbye("STOPPED", "The worker was asked to stop.")
                return
            session.drain(grace, "The worker was asked to stop.")
            session.link.after(grace, lambda: session.goodbye("DRAINED", "The grace time is over."))
            if not session.incoming.in_flight:
                self.idle()

    def idle(self) -> None:
        """Under the session's lock: the last call in flight was answered."""
        if self._terminating and not self._finishing:
            self._finishing = True
            self._runtime.post(self._finish)

    def _finish(self) -> None:
        task = self._runtime.loop.create_task(self._unload_and_go())
        self._runtime.tasks.add(task)
        task.add_done_callback(self._runtime.tasks.discard)

    async def _unload_and_go(self) -> None:
        runtime = self._runtime
        await runtime.event_dispatch.idle()
        try:
            await self._unload(Context(runtime, None))
        except Exception as error:
            runtime.report("on_unload failed.", error)
        runtime.session.goodbye("DRAINED", "The worker has finished its calls.")
