"""The host project's data types (docs/protocol.md, section 11.1): snake_case here, camelCase on the wire."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ..wire.plain import WIRE_NAME


def _wire(name: str) -> dict[str, str]:
    """The metadata of a field that has another name on the wire."""
    return {WIRE_NAME: name}


class _HostShape:
    """Belongs to the host, which may add fields: unknown ones are ignored."""

    __synapse_ignore_unknown__: ClassVar[bool] = True


@dataclasses.dataclass
class OutboundMessage(_HostShape):
    """A message that leaves through a channel."""

    channel_id: str = dataclasses.field(metadata=_wire("channelId"))
    external_user_id: str = dataclasses.field(metadata=_wire("externalUserId"))
    conversation_id: str = dataclasses.field(metadata=_wire("conversationId"))
    text: str
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class InboundMessage(_HostShape):
    """A message that arrived through a channel. `received_at` is an ISO 8601 string."""

    channel_id: str = dataclasses.field(metadata=_wire("channelId"))
    external_user_id: str = dataclasses.field(metadata=_wire("externalUserId"))
    conversation_id: str = dataclasses.field(metadata=_wire("conversationId"))
    text: str
    received_at: str = dataclasses.field(metadata=_wire("receivedAt"))
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class ChatMessage(_HostShape):
    """One message of a conversation with a model."""

    role: str
    content: str


@dataclasses.dataclass
class CompletionRequest(_HostShape):
    """What a model is asked."""

    model: str
    messages: list[ChatMessage]
    temperature: float | None = None
    max_tokens: int | None = dataclasses.field(default=None, metadata=_wire("maxTokens"))
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class CompletionResponse(_HostShape):
    """What a model answered. Token counts of −1 are unknown."""

    content: str
    model: str
    prompt_tokens: int = dataclasses.field(default=-1, metadata=_wire("promptTokens"))
    completion_tokens: int = dataclasses.field(default=-1, metadata=_wire("completionTokens"))
    finish_reason: str = dataclasses.field(default="stop", metadata=_wire("finishReason"))


@dataclasses.dataclass
class StreamEnd(_HostShape):
    """How a streamed answer ended: the argument of `ctx.set_result` in `ModelProvider.stream`."""

    finish_reason: str = dataclasses.field(default="stop", metadata=_wire("finishReason"))
    total_tokens: int = dataclasses.field(default=-1, metadata=_wire("totalTokens"))


@dataclasses.dataclass
class ModelCapabilities(_HostShape):
    """What the models of a provider can do."""

    streaming: bool = False
    tool_calling: bool = dataclasses.field(default=False, metadata=_wire("toolCalling"))
    vision: bool = False
    embeddings: bool = False
    max_context_tokens: int = dataclasses.field(default=128_000, metadata=_wire("maxContextTokens"))


@dataclasses.dataclass
class ModelInfo(_HostShape):
    """One model of a provider."""

    id: str
    display_name: str = dataclasses.field(metadata=_wire("displayName"))
    context_window: int = dataclasses.field(default=128_000, metadata=_wire("contextWindow"))
    deprecated: bool = False
