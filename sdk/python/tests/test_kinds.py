"""Channels and model providers speak section 11.1 of the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from synapse_worker import (
    Channel,
    CompletionRequest,
    CompletionResponse,
    Context,
    InboundMessage,
    InvalidArgument,
    InvalidParams,
    MethodNotFound,
    ModelInfo,
    ModelProvider,
    OutboundMessage,
)
from synapse_worker.testing import test_plugin

INBOUND = {
    "channelId": "letters", "externalUserId": "u", "conversationId": "c", "text": "hi",
    "receivedAt": "2026-01-01T00:00:00.000Z", "metadata": {"a": 1},
}  # fmt: skip
OUTBOUND = {key: value for key, value in INBOUND.items() if key != "receivedAt"}
REQUEST = {
    "model": "m", "messages": [{"role": "user", "content": "say it"}], "temperature": 0.5,
    "maxTokens": 10, "extra": {}, "addedLater": True,
}  # fmt: skip


class Letters(Channel):
    channel_id = "letters"

    def __init__(self) -> None:
        self.sent: list[OutboundMessage] = []

    async def send_message(self, message: OutboundMessage, ctx: Context) -> None:
        self.sent.append(message)

    async def on_install(self, ctx: Context) -> None:
        ctx.log.info("installed")


def test_a_channel() -> None:
    async def body() -> None:
        letters = Letters()
        async with test_plugin(letters, grants=[{"capability": "agents.message", "channels": ["letters"]}]) as p:
            assert await p.call("channel.describe", {}) == {"channelId": "letters"}
            assert await p.call("channel.sendMessage", OUTBOUND) is None
            assert letters.sent == [OutboundMessage("letters", "u", "c", "hi", {"a": 1})]
            await p.call("channel.onMessage", INBOUND)
            assert p.messages == [INBOUND]
            await p.call("plugin.install")
            assert p.logs[-1].message == "installed"
            with pytest.raises(MethodNotFound):
                await p.call("plugin.uninstall")
            with pytest.raises(InvalidParams, match="receivedAt is missing"):
                await p.call("channel.onMessage", OUTBOUND)

    asyncio.run(body())


class Parrot(ModelProvider):
    provider_id = "parrot"

    async def configure(self, ctx: Context) -> None:
        self.suffix = ctx.config.get_string("suffix", "!")

    async def complete(self, request: CompletionRequest, ctx: Context) -> CompletionResponse:
        return CompletionResponse(request.messages[-1].content + self.suffix, request.model, 2, 3)

    async def list_models(self) -> list[ModelInfo]:
        return [ModelInfo("p1", "Parrot")]


class Streaming(Parrot):
    async def stream(self, request: CompletionRequest, ctx: Context) -> AsyncIterator[str]:
        yield "a"
        yield "b"


def test_a_model_provider() -> None:
    async def body() -> None:
        async with test_plugin(Parrot()) as p:
            assert await p.call("model.describe") == {"providerId": "parrot"}
            assert await p.call("model.complete", REQUEST) == {
                "content": "say it!", "model": "m", "promptTokens": 2, "completionTokens": 3, "finishReason": "stop",
            }  # fmt: skip
            assert (await p.call("model.capabilities"))["streaming"] is False
            assert await p.call("model.listModels") == {
                "models": [{"id": "p1", "displayName": "Parrot", "contextWindow": 128_000, "deprecated": False}]
            }
            stream = p.stream("model.stream", REQUEST)
            assert [chunk async for chunk in stream] == ["say it!"]
            assert await stream.result == {"finishReason": "stop", "totalTokens": 5}
        async with test_plugin(Streaming()) as p:
            assert await p.call("model.capabilities") == {
                "streaming": True, "toolCalling": False, "vision": False, "embeddings": False, "maxContextTokens": 128_000,
            }  # fmt: skip
            stream = p.stream("model.stream", REQUEST)
            assert [chunk async for chunk in stream] == ["a", "b"]
            assert await stream.result == {"finishReason": "stop", "totalTokens": -1}

    asyncio.run(body())


def test_a_kind_without_its_id() -> None:
    class Nameless(Channel):
        pass

    with pytest.raises(InvalidArgument, match="Nameless.channel_id"):
        Nameless().plugin()


def test_messages_there_and_back() -> None:
    assert InboundMessage("a", "b", "c", "d", "e").metadata == {}
