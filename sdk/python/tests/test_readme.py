"""The code of the README runs."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from synapse_worker.testing import test_plugin

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_code_of_the_readme() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    names: dict[str, Any] = {"__name__": "readme"}
    for number, block in enumerate(blocks):
        exec(compile(block, f"README.md, block {number + 1}", "exec", dont_inherit=True), names)
    asyncio.run(names["test_summary"](test_plugin))

    async def echo() -> None:
        async with test_plugin(names["echo"]) as p:
            request = {"model": "m", "messages": [{"role": "user", "content": "a b"}], "extra": {}}
            assert (await p.call("model.complete", request))["content"] == "a b"
            stream = p.stream("model.stream", request)
            assert [word async for word in stream] == ["a", "b"]
            assert await stream.result == {"finishReason": "stop", "totalTokens": -1}

    asyncio.run(echo())
