"""A plugin under test: the real session code on both sides, joined in memory, on a clock that the test advances."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

from .. import async_bridge
from ..errors import WorkerError
from ..events import TopicPattern
from ..plugin import Plugin
from ..runtime import Runtime
from ..session.handshake import WorkerHandshake
from ..session.session import Session
from ..wire import messages as m
from .clock import SimulatedClock
from .faults import Faults
from .grants import GrantLike, normalise
from .host import HostHandshake, HostListener
from .memory import MemoryLink
from .services import Denial, LogLine, Published, Services
from .stream import PluginStream

_DEFAULT_TIMEOUT = 30.0


class PluginUnderTest:
    """What `test_plugin` gives: calls into the plugin, and everything that the plugin did to its host."""

    def __init__(
        self,
        plugin: Plugin,
        services: Services,
        welcome: dict[str, Any],
        real_timeout: float,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.clock = SimulatedClock()
        self._services = services
        self._real_timeout = real_timeout
        self._link = MemoryLink(loop)
        self.faults = Faults(self._link, services)
        self._listener = HostListener(self._link, services, self.faults)
        self._runtime = Runtime(plugin, loop, self.clock)
        who = welcome["plugin"]
        self._worker = Session(WorkerHandshake(who["id"], who["version"]), self._runtime, self.clock, self._link.wake)
        self._host = Session(HostHandshake(welcome), self._listener, self.clock, self._link.wake)
        self._runtime.attach(self._worker)
        self._listener.session = self._host
        self._link.worker, self._link.host = self._worker, self._host
        self.clock.attach(self._link)
        self._event_count = 0
        self._streams: list[PluginStream] = []
        #: What `plugin.load` answered: `{"methods", "streams", "events"}`.
        self.loaded: dict[str, Any] = {}

    # What the plugin did to its host

    @property
    def denials(self) -> list[Denial]:
        return self._services.denials

    @property
    def logs(self) -> list[LogLine]:
        return self._services.logs

    @property
    def published(self) -> list[Published]:
        return self._services.published

    @property
    def health(self) -> list[tuple[str, str | None]]:
        """Reports of `ctx.health`: (status, message)."""
        return self._services.health

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Messages handed to the agents, as they travelled."""
        return self._services.messages

    @property
    def storage(self) -> dict[str, Any]:
        """The plugin's storage; a test may fill it."""
        return self._services.storage

    # What the host does to the plugin

    async def call(
        self,
        method: str,
        params: Any = None,
        *,
        timeout: float | None = _DEFAULT_TIMEOUT,
        on_progress: Callable[[float | None, str | None], None] | None = None,
        idempotency_key: str | None = None,
        acting_for: str | None = None,
    ) -> Any:
        """Calls a method; `timeout` is in seconds of `clock`. Cancelling the await cancels the call."""
        call = self._host.outgoing.start(
            method, params, timeout=timeout, idempotency_key=idempotency_key, acting_for=acting_for
        )
        if on_progress is not None:
            report = on_progress
            call.on_progress = lambda progress: report(progress.fraction, progress.message)
        try:
            return await asyncio.wait_for(async_bridge.settled(self._host, call), self._real_timeout)
        except asyncio.TimeoutError:
            raise AssertionError(
                f"{method} did not end within {self._real_timeout:g} s of real time. The simulated clock stands still: "
                "start the call with asyncio.create_task and `await p.clock.advance(seconds)`."
            ) from None

    def stream(
        self,
        method: str,
        params: Any = None,
        *,
        items: AsyncIterable[Any] | Iterable[Any] | None = None,
        timeout: float | None = _DEFAULT_TIMEOUT,
    ) -> PluginStream:
        """Starts a stream; `items` are what the caller streams in."""
        flags = m.CALLER_EXPECTS_ITEMS | (0 if items is None else m.CALLER_SENDS_ITEMS)
        call = self._host.outgoing.start(method, params, timeout=timeout, flags=flags)
        stream = PluginStream(self._host, call, items)
        self._streams.append(stream)
        return stream

    async def publish_event(
        self, topic: str, payload: Any = None, *, source: str = "test", correlation_id: str | None = None
    ) -> bool:
        """Delivers an event, if the plugin has subscribed to its topic (else False). Handlers may still run: see `idle`."""
        if not any(TopicPattern(pattern).matches(topic) for pattern in self._services.patterns):
            return False
        self._event_count += 1
        event = {
            "id": f"delivered-{self._event_count}", "topic": topic, "source": source,
            "timestamp": "2026-01-01T00:00:00.000Z", "payload": payload, "correlationId": correlation_id,
        }  # fmt: skip
        sent = self._host.one_ways.try_send("events.deliver", event)
        await self._link.settle()
        return sent

    async def idle(self) -> None:
        """Until the event handlers have done what they were given."""
        await self._link.settle()
        await asyncio.wait_for(self._runtime.event_dispatch.idle(), self._real_timeout)
        await self._link.settle()

    async def settle(self) -> None:
        """Until nothing moves: for looking at what a call that was not awaited has done so far."""
        await self._link.settle()

    async def set_grants(self, grants: Iterable[GrantLike]) -> None:
        """Grants or revokes: the whole new list."""
        self._services.grants = normalise(grants)
        self._host.one_ways.try_send("grants.changed", {"grants": self._services.grants})
        await self._link.settle()

    async def drain(self, grace: float = 10.0) -> None:
        """The host is about to stop the plugin: `ctx.draining` turns true."""
        self._host.drain(grace, "The test drains.")
        await self._link.settle()

    # From the start to the end

    async def start(self) -> None:
        self._worker.start()
        self._host.start()
        await asyncio.wait_for(self._listener.opened.wait(), self._real_timeout)
        if self._host.end is not None:
            raise self._host.end.error or WorkerError(self._host.end.message)
        self.loaded = await self.call("plugin.load", {})

    def leaks(self) -> list[str]:
        """What the test left running."""
        found = [
            f"a stream of {stream.method} was neither read to its end nor cancelled"
            for stream in self._streams
            if not (stream.ended and stream.used)
        ]
        found += [
            f"a call of {call.method} was not awaited"
            for call in self._host.outgoing.in_flight.values()
            if call.inbound is None
        ]
        served = {call.request.method for call in self._worker.incoming.in_flight.values()}
        found += [f"a handler of {method} still runs" for method in sorted(served)]
        abandoned = self._worker.incoming.abandoned
        if abandoned:
            found.append(f"{abandoned} handlers still run although their calls are over")
        found += [f"a host call of {call.method} is pending" for call in self._worker.outgoing.in_flight.values()]
        found += [f"the handler of {topic} still runs" for topic in self._runtime.event_dispatch.running]
        return found

    async def leaks_after_settling(self) -> list[str]:
        await self._link.settle()
        for _ in range(20):
            # Threads of plain handlers end in their own time.
            if not (found := self.leaks()):
                break
            await asyncio.sleep(0.005)
        return found

    async def stop(self) -> None:
        """As a host stops a worker: drain, unload, goodbye."""
        self.faults.clear()
        with contextlib.suppress(WorkerError, AssertionError):
            self._host.drain(0, "The test is over.")
            await self.call("plugin.unload", {})
        self._host.goodbye("STOPPED", "The test is over.")
        await self._link.settle()
        for task in list(self._runtime.tasks):
            task.cancel()
        await self._link.settle()
        await self._listener.close()
        self._runtime.close()
