"""A channel: messages from and to the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..context import Context
from ..errors import InvalidArgument
from .base import PluginKind
from .messages import InboundMessage, OutboundMessage

if TYPE_CHECKING:
    from ..plugin import Plugin


class Channel(PluginKind):
    """Mirrors the channel of the host project's plugin API. Set `channel_id` and implement the two methods."""

    channel_id: str = ""

    async def on_message(self, message: InboundMessage, ctx: Context) -> None:
        """A message arrived for this channel. By default it is routed to the agents."""
        await ctx.route_message(message)

    async def send_message(self, message: OutboundMessage, ctx: Context) -> None:
        """Sends a message out."""
        raise NotImplementedError

    def _register(self, plugin: Plugin) -> None:
        if not self.channel_id:
            raise InvalidArgument(f"{type(self).__name__}.channel_id is not set.")
        super()._register(plugin)
        plugin.method(self.on_message, name="channel.onMessage", params=InboundMessage)
        plugin.method(self.send_message, name="channel.sendMessage", params=OutboundMessage)
        plugin.method(self._describe, name="channel.describe")

    async def _describe(self) -> dict[str, str]:
        return {"channelId": self.channel_id}
