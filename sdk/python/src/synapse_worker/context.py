"""What a handler is given: its call, the host's services, and when to stop."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from .config import Config
from .errors import Cancelled, DeadlineExceeded, InvalidArgument, InvalidState
from .grants import Grant
from .host_api import Agents, Events, Storage
from .log import Log
from .session.calls import IncomingCall
from .session.outgoing import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from .kinds.messages import InboundMessage
    from .runtime import Runtime

T = TypeVar("T")

_MAX_PROGRESS_BYTES = 4_096


class Context:
    """The context of one call, hook or event. Its flags may be read from any thread; what is awaited runs on the worker's loop."""

    def __init__(self, runtime: Runtime, incoming: IncomingCall | None) -> None:
        self._runtime = runtime
        self._incoming = incoming
        self._result: Any = None
        self.events = Events(self)
        self.storage = Storage(self)
        self.agents = Agents(self)

    # Who and what

    @property
    def plugin_id(self) -> str:
        return self._runtime.plugin_id

    @property
    def config(self) -> Config:
        return self._runtime.config

    @property
    def log(self) -> Log:
        return self._runtime.log

    @property
    def grants(self) -> tuple[Grant, ...]:
        """What the host granted, as of now."""
        return self._runtime.grants

    @property
    def idempotency_key(self) -> str | None:
        """The caller's promise that two calls with this key are one."""
        return self._incoming.request.idempotency_key if self._incoming else None

    @property
    def acting_for(self) -> str | None:
        """On whose behalf the caller calls."""
        return self._incoming.request.acting_for if self._incoming else None

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context of the call, while a trace is active. Host calls pass it on."""
        return self._incoming.request.traceparent if self._incoming else None

    # When to stop

    @property
    def draining(self) -> bool:
        """The worker is about to stop: finish, and start nothing long."""
        return self._runtime.draining

    @property
    def cancelled(self) -> bool:
        """Nobody waits for this call any more: its caller cancelled it, its time is up, or the host is gone."""
        if self._incoming is None:
            return self._runtime.ended
        if self._incoming.cancel_error is not None:
            return True
        remaining = self.remaining
        return remaining is not None and remaining <= 0

    def raise_if_cancelled(self) -> None:
        """Raises `Cancelled`, `DeadlineExceeded` or `HostLost` once the call is cancelled."""
        if not self.cancelled:
            return
        if self._incoming is None:
            raise Cancelled("The session is over.")
        raise self._incoming.cancel_error or DeadlineExceeded(f"{self._incoming.request.method} did not end in time.")

    @property
    def deadline(self) -> float | None:
        """The instant on `time.monotonic()` at which the call must have ended; None = no limit."""
        return self._incoming.deadline if self._incoming else None

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, never below 0; None = no limit."""
        deadline = self.deadline
        return None if deadline is None else max(0.0, deadline - self._runtime.clock.now())

    async def sleep(self, seconds: float) -> None:
        """Waits on the session's clock, which tests can advance."""
        if not seconds >= 0:
            raise InvalidArgument(f"{seconds} is not a number of seconds.")
        await self._runtime.sleep(seconds)

    # The call

    @property
    def items(self) -> AsyncIterator[Any]:
        """What the caller streams in. Empty when the caller does not stream."""
        return self._runtime.read_items(self._incoming)

    def set_result(self, result: Any) -> None:
        """The result of a stream: what the caller gets when the generator has ended."""
        self._result = result

    async def progress(self, fraction: float | None = None, message: str | None = None, data: Any = None) -> None:
        """Tells the caller how far the call is: a fraction from 0 to 1 (None = unknown) and a short text."""
        if self._incoming is None:
            raise InvalidState("Only a call has progress.")
        if fraction is not None and not (math.isfinite(fraction) and 0 <= fraction <= 1):
            raise InvalidArgument(f"A progress of {fraction} is not a fraction from 0 to 1.")
        if message is not None:
            message = message.encode("utf-8", "backslashreplace")[:_MAX_PROGRESS_BYTES].decode("utf-8", "ignore")
        await self._runtime.progress(self._incoming, fraction, message, data)

    # The host

    async def call(
        self,
        method: str,
        params: Any = None,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        idempotency_key: str | None = None,
        acting_for: str | None = None,
    ) -> Any:
        """Calls a method of the host. It gets at most the time that this call has left, and is cancelled with it."""
        return await self._runtime.call_host(self._incoming, method, params, timeout, idempotency_key, acting_for)

    async def health(self, status: Literal["ok", "degraded", "failing"], message: str | None = None) -> None:
        """Reports how this worker is."""
        if status not in ("ok", "degraded", "failing"):
            raise InvalidArgument(f"{status!r} is not a health status: ok, degraded or failing.")
        params = {"status": status} if message is None else {"status": status, "message": message}
        await self.call("health.report", params)

    async def route_message(self, message: InboundMessage) -> bool:
        """The same as `agents.message`, by the name of the host project's plugin API."""
        return await self.agents.message(message)

    def wait(self, awaitable: Coroutine[Any, Any, T]) -> T:
        """For plain `def` handlers: runs what is awaited on the worker's loop and blocks until it is done.

        `page = ctx.wait(ctx.storage.get("page"))`
        """
        loop = self._runtime.loop
        try:
            running: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is loop:
            awaitable.close()
            raise InvalidState("ctx.wait is for plain def handlers; in an async one, await.")
        return asyncio.run_coroutine_threadsafe(awaitable, loop).result()
