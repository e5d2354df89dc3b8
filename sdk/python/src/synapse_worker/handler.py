"""What an author's function wants and how it is called.

A handler takes the params, the context, both, or neither:

- the parameter annotated `Context`, or named `ctx` or `context`, gets the context;
- the other one, if there is one, gets the params, read by its annotation (none = as they came).
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

from .context import Context
from .errors import InvalidArgument
from .params import params_reader

_CONTEXT_NAMES = ("ctx", "context")
_NOT_GIVEN: Any = object()


class Handler:
    """One registered function."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        stream: bool = False,
        params: Any = _NOT_GIVEN,
        scope: dict[str, Any] | None = None,
    ) -> None:
        self.function = function
        self.stream = stream
        #: The result of a stream that sets none.
        self.default_result: Any = None
        self.is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
        generates = inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)
        name = getattr(function, "__qualname__", repr(function))
        if stream and not generates:
            raise InvalidArgument(f"{name} is a stream but yields nothing; write an (async) generator.")
        if not stream and generates:
            raise InvalidArgument(f"{name} yields: register it with @plugin.stream.")
        self._context_name, self._params_name = self._parameters(name)
        self._read: Callable[[str, Any], Any] | None = None
        if self._params_name is not None:
            annotation = params if params is not _NOT_GIVEN else self._annotation(scope)
            self._read = params_reader(annotation)

    def _parameters(self, name: str) -> tuple[str | None, str | None]:
        context_name: str | None = None
        params_name: str | None = None
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            by_name = parameter.name in _CONTEXT_NAMES and parameter.annotation is parameter.empty
            if by_name or _names_context(parameter.annotation):
                context_name = parameter.name
            elif params_name is None:
                params_name = parameter.name
            elif parameter.default is parameter.empty:
                raise InvalidArgument(
                    f"{name} takes more than params and a context; name the context ctx or annotate it Context."
                )
        return context_name, params_name

    def _annotation(self, scope: dict[str, Any] | None) -> Any:
        assert self._params_name is not None
        raw = inspect.signature(self.function).parameters[self._params_name].annotation
        if raw is inspect.Parameter.empty:
            return Any
        if not isinstance(raw, str):
            return raw
        # `from __future__ import annotations` makes them strings; the types may be local to the decorator's caller.
        function = inspect.unwrap(self.function)
        try:
            return typing.get_type_hints(function, localns=scope)[self._params_name]
        except NameError as error:
            raise InvalidArgument(
                f"The annotation {raw!r} cannot be resolved ({error}); give the type as params=…"
            ) from None

    def read_params(self, method: str, params: Any) -> Any:
        """The params as the author wants them. Raises `InvalidParams`."""
        return None if self._read is None else self._read(method, params)

    def arguments(self, params: Any, ctx: Context | None) -> dict[str, Any]:
        """The keyword arguments of one call; `params` as `read_params` gave them."""
        arguments: dict[str, Any] = {}
        if self._params_name is not None:
            arguments[self._params_name] = params
        if self._context_name is not None:
            arguments[self._context_name] = ctx
        return arguments


def _names_context(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.split(".")[-1] == "Context"
    return isinstance(annotation, type) and issubclass(annotation, Context)
