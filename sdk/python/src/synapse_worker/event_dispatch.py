"""Hands events to handlers: each handler gets its events one at a time and in order; handlers do not wait for each other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from .events import Event, TopicPattern
from .handler import Handler


class _Delivery:
    """One event on its way to several handlers. It is consumed once the last of them has taken it."""

    __slots__ = ("event", "size", "waiting")

    def __init__(self, event: Event, size: int, waiting: int) -> None:
        self.event = event
        self.size = size
        self.waiting = waiting


class Subscription:
    """A handler and the events that wait for it. The session's one-way window bounds the queue."""

    def __init__(self, pattern: TopicPattern, handler: Handler, *, permanent: bool = False) -> None:
        self.pattern = pattern
        self.handler = handler
        #: Registered with `@plugin.on`, so it is there until unload.
        self.permanent = permanent
        self.queue: deque[_Delivery] = deque()
        self.task: asyncio.Task[None] | None = None


class EventDispatch:
    def __init__(
        self,
        run: Callable[[Handler, Event], Awaitable[None]],
        consume: Callable[[int], None],
    ) -> None:
        self._run = run
        self._consume = consume
        self._subscriptions: list[Subscription] = []

    def make(self, pattern: str, function: Callable[..., Any]) -> Subscription:
        """A subscription of a function (event, ctx); not added yet."""
        return Subscription(TopicPattern(pattern), Handler(function, params=Any))

    def add(self, subscription: Subscription) -> None:
        self._subscriptions.append(subscription)

    def remove(self, pattern: str) -> bool:
        """Ends the subscriptions to exactly this pattern that are not permanent. Whether the host's is still needed."""
        ended = [s for s in self._subscriptions if s.pattern.text == pattern and not s.permanent]
        for subscription in ended:
            self._subscriptions.remove(subscription)
            while subscription.queue:
                self._taken(subscription.queue.popleft())
        return any(s.pattern.text == pattern for s in self._subscriptions)

    def deliver(self, event: Event, size: int) -> None:
        """On the loop. Never waits: each handler's own task takes the event when it is ready."""
        concerned = [s for s in self._subscriptions if s.pattern.matches(event.topic)]
        if not concerned:
            self._consume(size)
            return
        delivery = _Delivery(event, size, len(concerned))
        for subscription in concerned:
            subscription.queue.append(delivery)
            if subscription.task is None:
                subscription.task = asyncio.get_running_loop().create_task(self._serve(subscription))

    async def idle(self) -> None:
        """Until no handler runs and no event waits."""
        while tasks := [s.task for s in self._subscriptions if s.task is not None]:
            await asyncio.wait(tasks)

    def stop(self) -> list[asyncio.Task[None]]:
        """What waits is dropped; returns the handlers that run. For the end of a session that another one follows."""
        for subscription in self._subscriptions:
            subscription.queue.clear()
        return [s.task for s in self._subscriptions if s.task is not None]

    @property
    def running(self) -> list[str]:
        """The patterns whose handlers run now."""
        return [s.pattern.text for s in self._subscriptions if s.task is not None]

    async def _serve(self, subscription: Subscription) -> None:
        try:
            while subscription.queue:
                delivery = subscription.queue.popleft()
                self._taken(delivery)
                await self._run(subscription.handler, delivery.event)
        finally:
            subscription.task = None

    def _taken(self, delivery: _Delivery) -> None:
        delivery.waiting -= 1
        if delivery.waiting == 0:
            self._consume(delivery.size)
