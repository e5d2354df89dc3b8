"""The code of the README runs, and what its tables say is so."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from synapse_worker.testing import test_plugin

README = Path(__file__).resolve().parents[1] / "README.md"
TEXT = README.read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
# Programs: they stand for themselves. The other blocks go on with the first one.
PROGRAMS = [block for block in BLOCKS if "__main__" in block]

LETTER = {"channelId": "letters", "externalUserId": "u", "conversationId": "c", "metadata": {}}


def run_block(block: str, names: dict[str, Any]) -> dict[str, Any]:
    # Not inherited: this file's `annotations` would hide what the block lacks.
    exec(compile(block, "README.md", "exec", dont_inherit=True), names)
    return names


def program(with_text: str) -> dict[str, Any]:
    (block,) = [block for block in PROGRAMS if with_text in block]
    return run_block(block, {"__name__": "readme"})


def test_the_code_of_the_readme() -> None:
    assert len(PROGRAMS) == 3 and len(BLOCKS) == 6
    names = program("plugin = Plugin()")
    for block in BLOCKS:
        if block not in PROGRAMS:
            run_block(block, names)
    asyncio.run(names["test_summary"](test_plugin))


@pytest.mark.parametrize("block", PROGRAMS, ids=["plugin", "channel", "model provider"])
def test_a_program_of_the_readme_runs_when_copied(block: str, tmp_path: Path) -> None:
    path = tmp_path / "plugin.py"
    path.write_text(block, "utf-8")
    environ = {key: value for key, value in os.environ.items() if not key.startswith("SYNAPSE_")}
    done = subprocess.run(
        [sys.executable, "-B", str(path)], env=environ, capture_output=True, text=True, timeout=10, check=False
    )
    assert done.returncode == 2 and "This program is a Synapse plugin." in done.stderr, done.stderr


def test_the_channel_of_the_readme() -> None:
    async def body() -> None:
        async with test_plugin(program("(Channel)")["letters"], grants=["agents.message", "storage.write"]) as p:
            inbound = {**LETTER, "text": "hi", "receivedAt": "2026-01-01T00:00:00Z"}
            await p.call("channel.onMessage", inbound)
            await p.call("channel.onMessage", {**inbound, "text": " "})
            assert p.messages == [inbound]
            await p.call("channel.sendMessage", {**LETTER, "text": "hello"})
            assert p.storage == {"sent/c": "hello"}
            assert await p.call("channel.describe") == {"channelId": "letters"}

    asyncio.run(body())


def test_the_model_provider_of_the_readme() -> None:
    async def body() -> None:
        async with test_plugin(program("(ModelProvider)")["echo"]) as p:
            request = {"model": "m", "messages": [{"role": "user", "content": "a b"}]}
            assert (await p.call("model.complete", request))["content"] == "a b"
            stream = p.stream("model.stream", request)
            assert [word async for word in stream] == ["a", "b"]
            assert await stream.result == {"finishReason": "stop", "totalTokens": -1}
            assert [model["id"] for model in (await p.call("model.listModels"))["models"]] == ["echo-1"]

    asyncio.run(body())


def test_the_names_on_the_wire() -> None:
    told = dict(re.findall(r"^\| `(\w+\.\w+)` \| `((?:channel|model)\.\w+)`", TEXT, re.MULTILINE))
    names = {**program("(Channel)"), **program("(ModelProvider)")}
    plugins = [names["letters"].plugin(), names["echo"].plugin()]
    assert sorted(told.values()) == sorted(name for plugin in plugins for name in (*plugin.methods, *plugin.streams))
    for in_python, on_the_wire in told.items():
        kind, member = in_python.split(".")
        assert hasattr(names[kind], member)
        camel = re.sub(r"_(.)", lambda match: match[1].upper(), member)
        assert on_the_wire.split(".")[1] in (camel, "describe")
