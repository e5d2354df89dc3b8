"""A model provider: completions, at once or streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from ..context import Context
from ..errors import InvalidArgument
from .base import PluginKind
from .messages import (
    CompletionRequest,
    CompletionResponse,
    ModelCapabilities,
    ModelInfo,
    StreamEnd,
)

if TYPE_CHECKING:
    from ..plugin import Plugin


class ModelProvider(PluginKind):
    """Mirrors the model provider of the host project's plugin API. Set `provider_id` and implement `complete`."""

    provider_id: str = ""

    async def configure(self, ctx: Context) -> None:
        """Reads `ctx.config`; runs before `on_load`."""

    async def complete(self, request: CompletionRequest, ctx: Context) -> CompletionResponse:
        """The whole answer."""
        raise NotImplementedError

    async def stream(self, request: CompletionRequest, ctx: Context) -> AsyncIterator[str]:
        """The answer in pieces, an async generator; `ctx.set_result(StreamEnd(…))` says how it ended.

        By default the whole answer of `complete` in one piece.
        """
        response = await self.complete(request, ctx)
        tokens = (response.prompt_tokens, response.completion_tokens)
        ctx.set_result(StreamEnd(response.finish_reason, -1 if min(tokens) < 0 else sum(tokens)))
        yield response.content

    async def capabilities(self) -> ModelCapabilities:
        """What the models can do. By default: streaming, if `stream` is overridden."""
        return ModelCapabilities(streaming=type(self).stream is not ModelProvider.stream)

    async def list_models(self) -> list[ModelInfo]:
        """The models on offer."""
        return []

    def _register(self, plugin: Plugin) -> None:
        if not self.provider_id:
            raise InvalidArgument(f"{type(self).__name__}.provider_id is not set.")
        plugin.on_load(self.configure)
        super()._register(plugin)
        plugin.method(self.complete, name="model.complete", params=CompletionRequest)
        plugin.stream(self.stream, name="model.stream", params=CompletionRequest)
        # A stream that says nothing about its end stopped, with an unknown count of tokens.
        plugin.streams["model.stream"].default_result = StreamEnd()
        plugin.method(self.capabilities, name="model.capabilities")
        plugin.method(self._list, name="model.listModels")
        plugin.method(self._describe, name="model.describe")

    async def _list(self) -> dict[str, Any]:
        return {"models": await self.list_models()}

    async def _describe(self) -> dict[str, str]:
        return {"providerId": self.provider_id}
