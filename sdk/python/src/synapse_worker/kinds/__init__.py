"""The plugin kinds of the host project: channels and model providers."""

from .channel import Channel
from .messages import (
    ChatMessage,
    CompletionRequest,
    CompletionResponse,
    InboundMessage,
    ModelCapabilities,
    ModelInfo,
    OutboundMessage,
    StreamEnd,
)
from .model_provider import ModelProvider

__all__ = [
    "Channel",
    "ChatMessage",
    "CompletionRequest",
    "CompletionResponse",
    "InboundMessage",
    "ModelCapabilities",
    "ModelInfo",
    "ModelProvider",
    "OutboundMessage",
    "StreamEnd",
]
