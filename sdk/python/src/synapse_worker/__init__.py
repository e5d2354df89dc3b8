"""Write Synapse plugins in Python: methods, streams and event handlers that run outside of the host's process."""

from . import process as _process  # first: takes the channel before any code of the plugin runs
from .config import Config
from .context import Context
from .errors import (
    Cancelled,
    CapabilityDenied,
    DeadlineExceeded,
    Draining,
    FrameTooLarge,
    HandlerError,
    HandshakeError,
    HostLost,
    InvalidArgument,
    InvalidConfig,
    InvalidParams,
    InvalidState,
    InvalidValue,
    MethodNotFound,
    Overloaded,
    PluginError,
    ProtocolError,
    WorkerError,
    WorkerLost,
)
from .events import Event
from .grants import Grant
from .kinds import (
    Channel,
    ChatMessage,
    CompletionRequest,
    CompletionResponse,
    InboundMessage,
    ModelCapabilities,
    ModelInfo,
    ModelProvider,
    OutboundMessage,
    StreamEnd,
)
from .log import Log
from .plugin import Plugin
from .version import __version__

del _process

__all__ = [
    "Cancelled",
    "CapabilityDenied",
    "Channel",
    "ChatMessage",
    "CompletionRequest",
    "CompletionResponse",
    "Config",
    "Context",
    "DeadlineExceeded",
    "Draining",
    "Event",
    "FrameTooLarge",
    "Grant",
    "HandlerError",
    "HandshakeError",
    "HostLost",
    "InboundMessage",
    "InvalidArgument",
    "InvalidConfig",
    "InvalidParams",
    "InvalidState",
    "InvalidValue",
    "Log",
    "MethodNotFound",
    "ModelCapabilities",
    "ModelInfo",
    "ModelProvider",
    "OutboundMessage",
    "Overloaded",
    "Plugin",
    "PluginError",
    "ProtocolError",
    "StreamEnd",
    "WorkerError",
    "WorkerLost",
    "__version__",
]
