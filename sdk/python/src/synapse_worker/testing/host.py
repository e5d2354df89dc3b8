"""The host's side of the session under test."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from ..errors import ProtocolError
from ..session.calls import IncomingCall
from ..session.handshake import Opening, read_limits
from ..session.listener import SessionEnd
from ..session.session import Session
from ..wire import messages as m
from ..wire_error import to_wire
from .faults import Faults
from .memory import MemoryLink
from .services import Services


@dataclasses.dataclass(frozen=True)
class HostHandshake:
    """Reads the hello and says welcome."""

    welcome: dict[str, Any]

    @property
    def is_host(self) -> bool:
        return True

    @property
    def can_resume(self) -> bool:
        return False

    def begin(self, session: Opening) -> None:
        """The worker speaks first."""

    def receive(self, session: Opening, message: m.Message) -> None:
        if not isinstance(message, m.Hello) or 1 not in message.fields["versions"]:
            raise ProtocolError("The worker did not say a hello of version 1.")
        session.send_handshake(m.WELCOME, self.welcome)
        session.open(self.welcome, read_limits(self.welcome))


class HostListener:
    """Answers the plugin's calls from the services, unless a fault says otherwise."""

    def __init__(self, link: MemoryLink, services: Services, faults: Faults) -> None:
        self._link = link
        self._services = services
        self._faults = faults
        self._tasks: set[asyncio.Task[None]] = set()
        self.session: Session
        self.opened = asyncio.Event()
        self.ended = asyncio.Event()

    def on_open(self, welcome: dict[str, Any]) -> None:
        self.opened.set()

    def on_request(self, call: IncomingCall) -> None:
        method = call.request.method
        if self._faults.take_crash_after(method):
            # The request has arrived, so it may have run; its answer never comes.
            asyncio.get_running_loop().call_soon(self._link.cut)
            return
        task = asyncio.get_running_loop().create_task(self._serve(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

        def cancel() -> None:
            task.cancel()

        call.when_cancelled(cancel)

    async def _serve(self, call: IncomingCall) -> None:
        request, incoming = call.request, self.session.incoming
        try:
            if request.method in self._faults.stalled:
                await asyncio.Event().wait()
            self._services.check(request.method, request.params)
            result = await self._services.run(request.method, request.params)
            if request.method in self._faults.dropped:
                await asyncio.Event().wait()
            incoming.respond(call, None, result)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            incoming.respond(call, to_wire(error, debug=True))
        finally:
            incoming.finished(call)

    def on_one_way(self, message: m.OneWay, size: int) -> None:
        if message.method == "log.write":
            self._services.log(message.params)
        self.session.one_ways.consume(size)

    def on_drain(self, grace_ms: int | None, reason: str | None) -> None:
        """The harness asks the session."""

    def on_violation(self, what: str) -> None:
        """The session counts them; a test can look."""

    def on_idle(self) -> None:
        """Nothing waits for it."""

    def on_suspend(self, why: str) -> None:
        """The test host does not offer to resume."""

    def on_resume(self, welcome: dict[str, Any]) -> None:
        """The test host does not offer to resume."""

    def on_end(self, end: SessionEnd) -> None:
        self.ended.set()
        self.opened.set()

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
