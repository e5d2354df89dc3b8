"""The plugin that an author writes: a registry of handlers, filled by decorators."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar, overload

from .errors import InvalidArgument, ProtocolError
from .events import TopicPattern
from .handler import _NOT_GIVEN, Handler
from .wire.fields import method_name

F = TypeVar("F", bound=Callable[..., Any])

_RESERVED = ("plugin.", "events.", "grants.")
_DEFAULT_GRACE = 10.0


class Plugin:
    """Methods, streams, event handlers and hooks. `run()` serves the host that launched the process."""

    def __init__(self) -> None:
        self.methods: dict[str, Handler] = {}
        self.streams: dict[str, Handler] = {}
        self.events: list[tuple[TopicPattern, Handler]] = []
        self.hooks: dict[str, list[Handler]] = {}

    @overload
    def method(self, function: F, /, *, name: str | None = ..., params: Any = ...) -> F: ...
    @overload
    def method(self, /, *, name: str | None = ..., params: Any = ...) -> Callable[[F], F]: ...
    def method(
        self, function: F | None = None, /, *, name: str | None = None, params: Any = _NOT_GIVEN
    ) -> F | Callable[[F], F]:
        """Registers a method, by the function's name unless another is given."""
        return self._register(self.methods, function, name, params, sys._getframe(1).f_locals)

    @overload
    def stream(self, function: F, /, *, name: str | None = ..., params: Any = ...) -> F: ...
    @overload
    def stream(self, /, *, name: str | None = ..., params: Any = ...) -> Callable[[F], F]: ...
    def stream(
        self, function: F | None = None, /, *, name: str | None = None, params: Any = _NOT_GIVEN
    ) -> F | Callable[[F], F]:
        """Registers a generator whose items are streamed; `ctx.set_result(…)` gives the result."""
        return self._register(self.streams, function, name, params, sys._getframe(1).f_locals)

    def on(self, pattern: str) -> Callable[[F], F]:
        """Registers a handler (event, ctx) for the topics that match; the worker subscribes when it is loaded."""
        compiled = TopicPattern(pattern)

        def decorate(function: F) -> F:
            # The event is made by the runtime, so its annotation is for the reader alone.
            self.events.append((compiled, Handler(function, params=Any)))
            return function

        return decorate

    def on_load(self, function: F) -> F:
        """Runs once before the first call, with the context. An error fails the start."""
        return self._hook("load", function)

    def on_unload(self, function: F) -> F:
        """Runs once after the last call."""
        return self._hook("unload", function)

    def on_install(self, function: F) -> F:
        """Runs when the plugin is installed."""
        return self._hook("install", function)

    def on_uninstall(self, function: F) -> F:
        """Runs when the plugin is removed."""
        return self._hook("uninstall", function)

    def run(
        self,
        *,
        grace: float = _DEFAULT_GRACE,
        channel: str | None = None,
        token_file: str | None = None,
        id: str | None = None,
        version: str | None = None,
        manifest: str | None = None,
        bring_manifest: bool = False,
        dial_timeout: float = 60.0,
        host_uid: int | None = None,
    ) -> None:
        """Serves the host that launched this process, or one that it dials, then exits.

        `grace`: seconds for calls in flight after SIGTERM. The others are for a worker that nobody launched; what the
        environment says takes their place. `channel`: `unix:PATH` or `wss://HOST:PORT/PATH`; `token_file`: a file of mode
        0600 with the token; `manifest`: its path, if it does not lie beside the program; `bring_manifest`: sends all of it,
        for a host that has not installed the plugin; `id` and `version`, if they cannot be read from it; `dial_timeout`:
        seconds in which the host must be reached the first time; `host_uid`: the user that a host on a Unix socket runs
        under, if it is neither this process's own nor root.
        """
        from .run import RunOptions, run_plugin

        run_plugin(
            self,
            RunOptions(grace, channel, token_file, id, version, manifest, bring_manifest, dial_timeout, host_uid),
        )

    def _register(
        self,
        table: dict[str, Handler],
        function: F | None,
        name: str | None,
        params: Any,
        scope: dict[str, Any],
    ) -> F | Callable[[F], F]:
        def decorate(function: F) -> F:
            chosen = name if name is not None else function.__name__
            self._check_name(chosen)
            table[chosen] = Handler(function, stream=table is self.streams, params=params, scope=scope)
            return function

        return decorate if function is None else decorate(function)

    def _check_name(self, name: str) -> None:
        try:
            method_name(name)
        except ProtocolError:
            raise InvalidArgument(
                f"{name!r} is not the name of a method: a letter or _, then letters, digits, _ . / -"
            ) from None
        if name.startswith(_RESERVED):
            raise InvalidArgument(f"{name!r} is reserved for the runtime.")
        if name in self.methods or name in self.streams:
            raise InvalidArgument(f"{name!r} is registered twice.")

    def _hook(self, kind: str, function: F) -> F:
        # A hook's only argument is the context, whatever it is called.
        self.hooks.setdefault(kind, []).append(Handler(function, params=Any))
        return function
