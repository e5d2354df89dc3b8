"""What both kinds share: a class whose methods become a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..context import Context

if TYPE_CHECKING:
    from ..plugin import Plugin


class PluginKind:
    """Subclass a kind, write its methods, and `run()` it. Hooks that are not overridden do nothing."""

    def plugin(self) -> Plugin:
        """The plugin that this object is: for `synapse_worker.testing`, or to add methods of your own."""
        from ..plugin import Plugin

        plugin = Plugin()
        self._register(plugin)
        return plugin

    def run(self, **options: Any) -> None:
        """Serves the host; does not return. The options are those of `Plugin.run`."""
        self.plugin().run(**options)

    async def on_load(self, ctx: Context) -> None:
        """Before the first call; an error fails the start."""

    async def on_unload(self, ctx: Context) -> None:
        """After the last call."""

    async def on_install(self, ctx: Context) -> None:
        """Once, when the plugin is installed."""

    async def on_uninstall(self, ctx: Context) -> None:
        """Once, when the plugin is removed."""

    def _register(self, plugin: Plugin) -> None:
        plugin.on_load(self.on_load)
        plugin.on_unload(self.on_unload)
        # A plugin without these hooks says so; an empty one would pretend to have them.
        if type(self).on_install is not PluginKind.on_install:
            plugin.on_install(self.on_install)
        if type(self).on_uninstall is not PluginKind.on_uninstall:
            plugin.on_uninstall(self.on_uninstall)
