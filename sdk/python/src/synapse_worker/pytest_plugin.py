"""The pytest plugin of this package: the fixture `synapse_plugin`, and a loop for the async tests that ask for it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from .testing import PluginUnderTest

FIXTURE = "synapse_plugin"


@pytest.fixture
def synapse_plugin() -> Callable[..., AbstractAsyncContextManager[PluginUnderTest]]:
    """`synapse_worker.testing.test_plugin`: `async with synapse_plugin(plugin, grants=[…]) as p: …`."""
    # Imported here: this module is loaded by every pytest of the environment.
    from .testing import test_plugin

    return test_plugin


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    """Runs an async test that asks for the fixture, so that no other plugin is needed for it."""
    function = pyfuncitem.obj
    if FIXTURE not in pyfuncitem.fixturenames or not inspect.iscoroutinefunction(function):
        return None
    wanted: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(function(**wanted))
    return True
