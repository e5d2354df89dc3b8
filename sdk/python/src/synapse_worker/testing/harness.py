"""The entry: loads a plugin on a host in memory, and checks that the test leaves nothing behind."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from ..kinds.base import PluginKind
from ..plugin import Plugin
from ..wire.codec import Limits
from .grants import GrantLike, normalise
from .plugin_under_test import PluginUnderTest
from .services import Service, Services


@contextlib.asynccontextmanager
async def test_plugin(
    plugin: Plugin | PluginKind,
    *,
    config: Mapping[str, Any] | None = None,
    secret_config_keys: Iterable[str] = (),
    grants: Iterable[GrantLike] = (),
    services: Mapping[str, Service] | None = None,
    plugin_id: str = "plugin-under-test",
    limits: Limits = Limits(),
    debug: bool = True,
    real_timeout: float = 10.0,
) -> AsyncIterator[PluginUnderTest]:
    """Loads a plugin on a host in memory and unloads it afterwards. Fails if the test leaves calls, streams or handlers behind.

    `grants` are strings (`"events.publish"`: any scope) or mappings (`{"capability": "events.publish", "topics": ["mail.*"]}`);
    nothing is granted by default. `services` are host methods of your own, each guarded by the capability of its name.
    The check of grants is a simple one; the host's policy engine is the authority.
    """
    made = normalise(grants)
    welcome: dict[str, Any] = {
        "version": 1,
        "session": "test",
        "generation": 1,
        "plugin": {"id": plugin_id, "version": "1.0.0"},
        "features": [],
        "grants": made,
        "config": dict(config or {}),
        "secretConfigKeys": list(secret_config_keys),
        "limits": {
            "maxFrameBytes": limits.max_frame_bytes,
            "maxDepth": limits.max_depth,
            "maxElements": limits.max_elements,
            "maxConcurrency": limits.max_concurrency,
        },
        "heartbeatMs": 5_000,
        "debug": debug,
    }
    p = PluginUnderTest(
        plugin.plugin() if isinstance(plugin, PluginKind) else plugin,
        Services(welcome["config"], made, services or {}),
        welcome,
        real_timeout,
    )
    leaks: list[str] = []
    try:
        await p.start()
        yield p
        leaks = await p.leaks_after_settling()
    finally:
        await p.stop()
    assert not leaks, "The test left something behind: " + "; ".join(leaks) + "."


# pytest would take it for a test of its own wherever it is imported.
test_plugin.__test__ = False  # type: ignore[attr-defined]
