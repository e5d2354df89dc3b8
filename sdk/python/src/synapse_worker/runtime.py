"""One plugin on one session: finds the handler of each call, runs it on the loop, and answers exactly once."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import async_bridge
from .author_code import AuthorCode, AuthorFailed
from .config import Config
from .context import Context
from .dial import printable
from .errors import WorkerError
from .event_dispatch import EventDispatch, Subscription
from .events import Event, read_event
from .find_handler import find_handler
from .grants import Grant, read_grants
from .handler import Handler
from .invoke import Invoker
from .lifecycle import Lifecycle
from .log import Log
from .plugin import Plugin
from .session.calls import IncomingCall
from .session.clock import Clock
from .session.listener import SessionEnd
from .session.session import Session
from .wire import messages as m
from .wire.codec import encode
from .wire_error import to_wire

_log = logging.getLogger("synapse_worker")
_END: Any = object()
# What the handlers of a lost session, and then its `on_unload`, are given before the plugin is loaded for the next one.
_CANCEL_SECONDS = 1.0
_UNLOAD_SECONDS = 5.0


class Runtime:
    """The session's listener. Its `on_…` methods come on the IO thread and only hand over; the rest runs on the loop."""

    def __init__(
        self,
        plugin: Plugin,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        predecessor: Runtime | None = None,
    ) -> None:
        #: Of the session that this one takes the place of: it is unloaded before the plugin is loaded anew.
        self.predecessor = predecessor
        self.plugin = plugin
        self.loop = loop
        self.clock = clock
        self.plugin_id = ""
        self.config = Config({})
        self.grants: tuple[Grant, ...] = ()
        self.log: Log
        self.session: Session
        self.invoker: Invoker
        self.lifecycle = Lifecycle(self)
        self.tasks: set[asyncio.Task[None]] = set()
        self._debug = False
        self._pool: ThreadPoolExecutor | None = None

    def attach(self, session: Session) -> None:
        self.session = session
        self.event_dispatch = EventDispatch(self._run_event, session.one_ways.consume)
        for pattern, handler in self.plugin.events:
            self.event_dispatch.add(Subscription(pattern, handler, permanent=True))

    # The listener: on the IO thread, under the session's lock

    def on_open(self, welcome: dict[str, Any]) -> None:
        self.config = Config(welcome["config"], welcome["secretConfigKeys"])
        self.grants = read_grants(welcome["grants"])
        self.plugin_id = welcome["plugin"]["id"]
        self._debug = welcome["debug"]
        self.log = Log(self.session.one_ways, self.config)
        # Room for every call in flight and for as many handlers that outlive their answer.
        threads = min(64, 2 * self.session.link.limits.max_concurrency)
        self._pool = ThreadPoolExecutor(threads, "synapse-worker-handler")
        self.invoker = Invoker(self._pool)

    def on_request(self, call: IncomingCall) -> None:
        # Refusals need no loop, so a handler that spins cannot delay them.
        try:
            handler = find_handler(self.plugin, self.plugin_id, self.lifecycle, call.request)
        except WorkerError as error:
            self.fail(call, error)
            self.session.incoming.finished(call)
        else:
            self.post(self._start, call, handler)

    def on_one_way(self, message: m.OneWay, size: int) -> None:
        if message.method == "events.deliver" and (event := read_event(message.params)):
            self.post(self.event_dispatch.deliver, event, size)
            return
        if message.method == "grants.changed" and isinstance(message.params, dict):
            self.grants = read_grants(message.params.get("grants"))
        self.session.one_ways.consume(size)

    def on_drain(self, grace_ms: int | None, reason: str | None) -> None:
        """Handlers see it as `ctx.draining`."""

    def on_violation(self, what: str) -> None:
        # Not logged here: standard error may be full, and the IO thread must not wait for it.
        self.post(_log.warning, "A protocol error of the host: %s", what)

    def on_idle(self) -> None:
        self.lifecycle.idle()

    def on_suspend(self, why: str) -> None:
        self.post(_log.warning, "The connection to the host is lost (%s); dialling again.", printable(why))

    def on_resume(self, welcome: dict[str, Any]) -> None:
        self.grants = read_grants(welcome["grants"])
        self.post(_log.warning, "The session with the host goes on.")

    def on_end(self, end: SessionEnd) -> None:
        if end.lost and self.session.claim is not None:
            self.post(_log.warning, "The session with the host is lost (%s); asking for a new one.", printable(end.message))

    def post(self, function: Callable[..., object], *arguments: Any) -> None:
        try:
            self.loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            pass  # The loop is closed: the process is about to end.

    # Handlers: on the loop

    def _start(self, call: IncomingCall, handler: Handler | None) -> None:
        if call.settled:
            # Cancelled, or out of time, before the loop came to it.
            self.session.incoming.finished(call)
            return
        task = self.loop.create_task(self._serve(call, handler))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        if handler is None or handler.is_async:
            # A thread cannot be interrupted: a plain function looks at ctx.cancelled.
            with self.session.link.lock:
                call.when_cancelled(lambda: self.post(task.cancel))

    async def _serve(self, call: IncomingCall, handler: Handler | None) -> None:
        try:
            result = await self._result(call, handler)
            self.session.incoming.respond(call, None, result)
        except asyncio.CancelledError:
            if call.cancel_error is None:
                self.fail(call, WorkerError("The handler cancelled itself.", code="HANDLER_ERROR"))
        except KeyboardInterrupt:
            raise
        except AuthorFailed as failed:
            self.fail(call, failed.error, of_handler=True)
        except BaseException as error:
            self.fail(call, error)
        finally:
            self.session.incoming.finished(call)

    async def _result(self, call: IncomingCall, handler: Handler | None) -> Any:
        request, ctx = call.request, Context(self, call)
        if handler is None:
            self.lifecycle.admit(request.method)
            with AuthorCode():
                return await self.lifecycle.run(request.method, ctx)
        params = handler.read_params(request.method, request.params)
        if not handler.stream:
            with AuthorCode():
                return await self.invoker.call(handler, params, ctx)
        ctx.set_result(handler.default_result)
        items = self.invoker.iterate(handler, params, ctx)
        try:
            while True:
                with AuthorCode():
                    value = await anext(items, _END)
                if value is _END:
                    break
                await async_bridge.send_item(self.session, call, value)
        finally:
            with AuthorCode():
                await items.aclose()  # type: ignore[attr-defined]  # it is an async generator
        return ctx._result

    def fail(self, call: IncomingCall, error: BaseException, *, of_handler: bool = False) -> None:
        """Answers with an error. What the caller cannot be told in full, it is told in short."""
        method = call.request.method
        # Where it was raised is known only here; what a cancelled handler raises is no news.
        if not isinstance(error, WorkerError) and call.cancel_error is None:
            self.report(f'The handler of "{method}" failed.', error, method=method)
        wire = to_wire(error, debug=self._debug, redact=self.config.redact, of_handler=of_handler)
        try:
            self.session.incoming.respond(call, wire)
        except WorkerError:
            short = {key: value for key, value in wire.items() if key not in ("details", "stack")}
            self.session.incoming.respond(call, short)

    async def _run_event(self, handler: Handler, event: Event) -> None:
        try:
            await self.invoker.call(handler, event, Context(self, None))
        except (Exception, SystemExit) as error:
            self.report(f'The handler of the event "{event.topic}" failed.', error, topic=event.topic)
        except asyncio.CancelledError:
            if self.ended:
                raise

    def report(self, what: str, error: BaseException, **fields: Any) -> None:
        """The whole story in one record of the host's log, without secrets; on standard error once there is no host to tell."""
        if self.session.is_open and not self.ended:
            self.log.error(what, err=error, **fields)
            return
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        _log.error("%s\n%s", what, self.config.redact(trace))

    # What contexts need

    @property
    def draining(self) -> bool:
        return self.session.link.received_drain or self.session.link.sent_drain

    @property
    def ended(self) -> bool:
        return self.session.end is not None

    async def call_host(
        self,
        parent: IncomingCall | None,
        method: str,
        params: Any,
        timeout: float | None,
        idempotency_key: str | None,
        acting_for: str | None,
    ) -> Any:
        call = self.session.outgoing.start(
            method, params, timeout=timeout, parent=parent,
            traceparent=parent.request.traceparent if parent is not None else None,
            idempotency_key=idempotency_key, acting_for=acting_for,
        )  # fmt: skip
        return await async_bridge.settled(self.session, call)

    async def read_items(self, call: IncomingCall | None) -> AsyncIterator[Any]:
        if call is not None:
            async for value in async_bridge.read_items(self.session, call):
                yield value

    async def progress(self, call: IncomingCall, fraction: float | None, message: str | None, data: Any) -> None:
        body = encode(self.session.link.limits, m.PROGRESS, call.request.id, fraction, message, data)
        await async_bridge.send_progress(
            self.session, call, lambda: self.session.link.send_control_body(body, m.PROGRESS)
        )

    async def sleep(self, seconds: float) -> None:
        signal = async_bridge.Signal()
        with self.session.link.lock:
            timer = self.session.link.after(max(0.0, seconds), signal.set)
        try:
            await signal.wait()
        finally:
            with self.session.link.lock:
                timer.cancel()

    async def wind_down(self) -> None:
        """The session is over and another one begins: handlers stop, `on_unload` runs. Takes a bounded time, whatever they do."""
        if self.predecessor is not None:
            await self.predecessor.wind_down()
            self.predecessor = None
        # The handlers of calls were told when the session ended; cancelled again, they could not clean up.
        of_events = self.event_dispatch.stop()
        for task in of_events:
            task.cancel()
        if tasks := {*self.tasks, *of_events} - {asyncio.current_task()}:
            await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)
        await self.lifecycle.unload_after_loss(_UNLOAD_SECONDS)
        self.close()

    def close(self) -> None:
        """Lets go of the threads; one that spins is left to the end of the process."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
