"""Runs an author's function: on the loop when it is async, on a thread of the pool when it is a plain `def`."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .context import Context
from .handler import Handler

_END = object()


class Invoker:
    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    async def call(self, handler: Handler, params: Any, ctx: Context) -> Any:
        """The result of a function that is no stream."""
        arguments = handler.arguments(params, ctx)
        if handler.is_async:
            return await handler.function(**arguments)
        result = await self._on_thread(lambda: handler.function(**arguments))
        # A plain function may still hand out something to await, as functools.partial does.
        return await result if inspect.isawaitable(result) else result

    async def iterate(self, handler: Handler, params: Any, ctx: Context) -> AsyncIterator[Any]:
        """The items of a stream. The generator is closed in any case, so that its `finally` runs."""
        generator = handler.function(**handler.arguments(params, ctx))
        if inspect.isasyncgen(generator):
            async with contextlib.aclosing(generator):
                async for value in generator:
                    yield value
            return
        iterator: Iterator[Any] = iter(generator)
        try:
            while (value := await self._on_thread(lambda: next(iterator, _END))) is not _END:
                yield value
        finally:
            await self._on_thread(generator.close)

    async def _on_thread(self, function: Callable[[], Any]) -> Any:
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: context.run(function))
