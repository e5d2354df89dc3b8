"""The services of the test host: section 10 of docs/protocol.md over plain Python lists and dicts."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..errors import CapabilityDenied, MethodNotFound
from ..issues import Issue, invalid_params
from ..nearest import did_you_mean
from .grants import allows

Service = Callable[[Any], Any | Awaitable[Any]]

# Which capability a method needs, and which dimension of its scope which param is.
_NEEDS = {
    "events.publish": ("events.publish", "topics", "topic"),
    "events.subscribe": ("events.subscribe", "topics", "pattern"),
    "storage.get": ("storage.read", "keys", "key"),
    "storage.list": ("storage.read", "keys", "prefix"),
    "storage.set": ("storage.write", "keys", "key"),
    "storage.delete": ("storage.write", "keys", "key"),
    "agents.message": ("agents.message", "channels", "channelId"),
}
# Keys of one answer to `storage.list`, as on a real host.
_PAGE = 1_000
_BASELINE = ("config.get", "health.report", "events.unsubscribe")


@dataclasses.dataclass(frozen=True)
class Denial:
    """A host call of the plugin that was denied."""

    method: str
    capability: str
    scope: Any
    decision_id: str


@dataclasses.dataclass(frozen=True)
class LogLine:
    """A line of the plugin in the host's log."""

    level: str
    message: str
    fields: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Published:
    """An event that the plugin published."""

    topic: str
    payload: Any
    correlation_id: str | None


class Services:
    def __init__(self, config: Mapping[str, Any], grants: list[dict[str, Any]], custom: Mapping[str, Service]) -> None:
        self.config = dict(config)
        self.grants = grants
        self.custom = dict(custom)
        self.denied: set[str] = set()
        self.denials: list[Denial] = []
        self.logs: list[LogLine] = []
        self.published: list[Published] = []
        self.health: list[tuple[str, str | None]] = []
        self.messages: list[dict[str, Any]] = []
        self.storage: dict[str, Any] = {}
        self.patterns: list[str] = []
        self._decisions = itertools.count(1)

    def check(self, method: str, params: Any) -> None:
        """The test host's one door: raises `CapabilityDenied` and remembers it."""
        capability, scope = self._need(method, params)
        if capability is None:
            return
        faulty = method in self.denied or capability in self.denied
        if faulty or not allows(self.grants, capability, scope):
            shown = {dimension: [wanted] for dimension, wanted in scope.items()}
            denial = Denial(method, capability, shown, f"test-{next(self._decisions)}")
            self.denials.append(denial)
            raise CapabilityDenied(capability, shown, denial.decision_id, may_have_run=False)

    def _need(self, method: str, params: Any) -> tuple[str | None, dict[str, str]]:
        if method in self.custom:
            # A service of the test's own needs the capability of its own name; what else it needs, it may check itself.
            return _NEEDS.get(method, (method, None, None))[0], {}
        if method in _BASELINE:
            return (method if method in self.denied else None), {}
        if method not in _NEEDS:
            hint = did_you_mean(method, (*_NEEDS, *_BASELINE, *self.custom))
            raise MethodNotFound(
                f'The test host has no method "{method}"; give it as services={{{method!r}: handler}}.{hint}',
                may_have_run=False,
            )
        capability, dimension, param = _NEEDS[method]
        if dimension is None or param is None:
            return capability, {}
        wanted = params.get(param) if isinstance(params, dict) else None
        if method == "storage.list":
            # A list touches every key below the prefix.
            wanted = f"{wanted or ''}*"
        if not isinstance(wanted, str):
            raise invalid_params(method, [Issue((param,), "must be a string")])
        return capability, {dimension: wanted}

    async def run(self, method: str, params: Any) -> Any:
        """What the method does, once it is allowed."""
        custom = self.custom.get(method)
        if custom is not None:
            result = custom(params)
            return await result if inspect.isawaitable(result) else result
        given: dict[str, Any] = params if isinstance(params, dict) else {}
        match method:
            case "config.get":
                return {"config": self.config}
            case "health.report":
                self.health.append((given["status"], given.get("message")))
            case "events.publish":
                event = Published(given["topic"], given.get("payload"), given.get("correlationId"))
                self.published.append(event)
                return {"id": f"event-{len(self.published)}"}
            case "events.subscribe":
                if given["pattern"] not in self.patterns:
                    self.patterns.append(given["pattern"])
            case "events.unsubscribe":
                self.patterns = [p for p in self.patterns if p != given.get("pattern")]
            case "storage.get":
                found = given["key"] in self.storage
                return {"found": found, "value": self.storage.get(given["key"])}
            case "storage.list":
                return self._page(given.get("prefix") or "", given.get("after") or "")
            case "storage.set":
                self.storage[given["key"]] = given.get("value")
            case "storage.delete":
                return {"deleted": self.storage.pop(given["key"], self) is not self}
            case "agents.message":
                self.messages.append(given)
                return {"accepted": True}
        return None

    def _page(self, prefix: str, after: str) -> dict[str, Any]:
        keys = sorted(key for key in self.storage if key.startswith(prefix) and key > after)
        return {"keys": keys[:_PAGE], "more": len(keys) > _PAGE}

    def log(self, params: Any) -> None:
        if isinstance(params, dict):
            self.logs.append(LogLine(str(params.get("level")), str(params.get("message")), params.get("fields") or {}))
