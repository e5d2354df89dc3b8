"""Which handler a request is for, or why it is refused before anything of the plugin runs."""

from __future__ import annotations

from .errors import InvalidArgument, InvalidState, MethodNotFound
from .handler import Handler
from .lifecycle import Lifecycle
from .nearest import did_you_mean
from .plugin import Plugin
from .wire import messages as m


def find_handler(plugin: Plugin, plugin_id: str, lifecycle: Lifecycle, request: m.Request) -> Handler | None:
    """The handler of a request; None for the runtime's own methods. The refusals are written for the caller."""
    method = request.method
    if lifecycle.has(method):
        return None
    handler = plugin.streams.get(method)
    if handler is not None and not request.flags & m.CALLER_EXPECTS_ITEMS:
        raise InvalidArgument(
            f'"{method}" is a stream, not a method: use plugin.stream() (or ctx.stream) in place of a call.',
            may_have_run=False,
        )
    handler = handler or plugin.methods.get(method)
    if handler is None:
        hint = did_you_mean(method, [*plugin.methods, *plugin.streams])
        raise MethodNotFound(f'The plugin "{plugin_id}" has no method "{method}".{hint}', may_have_run=False)
    if not lifecycle.loaded:
        raise InvalidState(f"{method} was called before plugin.load had ended.", may_have_run=False)
    return handler
