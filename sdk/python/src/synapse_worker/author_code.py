"""The border between the author's code and this package: what is raised beyond it is the handler's, not the call's."""

from __future__ import annotations

import asyncio
from types import TracebackType


class AuthorFailed(Exception):
    """The author's code raised `error`. The runtime unpacks it; nobody else meets it."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


class AuthorCode:
    """`with AuthorCode():` around every piece of the author's code whose failure is told to a caller.

    An error of this package that comes out of it speaks of a call that the handler made, and one that comes from elsewhere
    speaks of the handler's own call: a result that cannot be sent, or params that do not fit.
    """

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # SystemExit is a failure too: a stray exit() ends a call, not the worker.
        if error is not None and not isinstance(error, (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit)):
            raise AuthorFailed(error) from error
