"""The host's services as a context offers them; every method here is one call of section 10 of docs/protocol.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .context import Context
    from .kinds.messages import InboundMessage


class Events:
    """The topic bus."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def publish(self, topic: str, payload: Any = None, *, correlation_id: str | None = None) -> str:
        """Publishes an event and returns its id. Needs `events.publish` for the topic."""
        params = {"topic": topic, "payload": payload, "correlationId": correlation_id}
        result = await self._ctx.call("events.publish", _present(params))
        return str(_field(result, "id", ""))

    async def subscribe(self, pattern: str, handler: Callable[..., Any]) -> None:
        """Calls the handler (event, ctx) for each event whose topic matches, until unload. Needs `events.subscribe`."""
        dispatch = self._ctx._runtime.event_dispatch
        subscription = dispatch.make(pattern, handler)  # first: a bad pattern must not reach the host
        await self._ctx.call("events.subscribe", {"pattern": pattern})
        dispatch.add(subscription)

    async def unsubscribe(self, pattern: str) -> None:
        """Ends every subscription to exactly this pattern that was made with `subscribe`."""
        # The host knows one subscription by pattern; a handler registered with @plugin.on may still need it.
        if not self._ctx._runtime.event_dispatch.remove(pattern):
            await self._ctx.call("events.unsubscribe", {"pattern": pattern})


class Storage:
    """The plugin's own key-value storage."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def get(self, key: str, default: Any = None) -> Any:
        """The value, or the default when there is none. Needs `storage.read`."""
        result = await self._ctx.call("storage.get", {"key": key})
        return _field(result, "value", None) if _field(result, "found", False) else default

    async def set(self, key: str, value: Any) -> None:
        """Needs `storage.write`."""
        await self._ctx.call("storage.set", {"key": key, "value": value})

    async def delete(self, key: str) -> bool:
        """Whether there was a value. Needs `storage.write`."""
        return bool(_field(await self._ctx.call("storage.delete", {"key": key}), "deleted", False))

    async def list(self, prefix: str | None = None) -> list[str]:
        """All keys (with this prefix), sorted. Needs `storage.read` for everything below the prefix."""
        found: list[str] = []
        after: str | None = None
        while True:  # the host answers with a page at a time
            result = await self._ctx.call("storage.list", _present({"prefix": prefix, "after": after}))
            keys = _field(result, "keys", [])
            page = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []
            found += page
            # A host that does not advance must not keep the handler for ever.
            if not page or page[-1] == after or _field(result, "more", False) is not True:
                return found
            after = page[-1]


class Agents:
    """The agents behind the host."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def message(self, message: InboundMessage) -> bool:
        """Hands in a message that arrived from outside; whether it was accepted. Needs `agents.message`."""
        return bool(_field(await self._ctx.call("agents.message", message), "accepted", False))


def _present(params: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in params.items() if value is not None}


def _field(result: Any, name: str, default: Any) -> Any:
    return result.get(name, default) if isinstance(result, dict) else default
