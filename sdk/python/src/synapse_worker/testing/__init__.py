"""Testing plugins without processes, sockets and sleeps: `async with test_plugin(plugin) as p: await p.call(…)`."""

from ..wire.codec import Limits
from .clock import SimulatedClock
from .faults import Faults
from .grants import GrantLike
from .harness import test_plugin
from .plugin_under_test import PluginUnderTest
from .services import Denial, LogLine, Published, Service
from .stream import PluginStream

__all__ = [
    "Denial",
    "Faults",
    "GrantLike",
    "Limits",
    "LogLine",
    "PluginStream",
    "PluginUnderTest",
    "Published",
    "Service",
    "SimulatedClock",
    "test_plugin",
]
