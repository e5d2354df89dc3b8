"""What a session needs to go on over another connection (docs/protocol.md, section 8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ProtocolError
from .handshake import RESUME, ResumeClaim
from .link import Link
from .receipts import Receipts
from .timers import Timer

# More than this is not kept for a resume, whatever a welcome allows.
_MAX_KEPT_BYTES = 64 * 1024 * 1024


class Resuming:
    """The terms of the welcome, and the books of both sides. Everything under the session's lock."""

    def __init__(self, link: Link, receipts: Receipts) -> None:
        self._link = link
        self._receipts = receipts
        self._identity = ("", 0)
        self._token: str | None = None
        self._timer: Timer | None = None
        #: How long the session waits for another connection.
        self.window = 0.0

    def open(self, welcome: dict[str, Any], allowed: bool) -> None:
        """Takes the terms, where this side and the host have agreed on the feature."""
        self._identity = (welcome["session"], welcome["generation"])
        if allowed and RESUME in welcome["features"] and "resume" in welcome:
            self._take_terms(welcome)
            self._link.outbox.keep(min(welcome["resume"]["maxBytes"], _MAX_KEPT_BYTES))

    @property
    def claim(self) -> ResumeClaim | None:
        """What a hello must show; None without the feature."""
        return None if self._token is None else ResumeClaim(self._identity[0], self._token, self._receipts.received)

    @property
    def possible(self) -> bool:
        """All that the other side may not have received is here."""
        replay = self._link.outbox.replay
        return self._token is not None and replay is not None and replay.complete

    def suspend(self, on_over: Callable[[], None]) -> None:
        """Waits for another connection; `on_over` when that took too long."""
        self._link.outbox.suspend()
        self._timer = self._link.after(self.window, on_over)

    def resume(self, welcome: dict[str, Any]) -> None:
        """Goes on as the host's books say. Raises `ProtocolError` where they cannot be true."""
        if self._timer is not None:
            self._timer.cancel()
        if (welcome["session"], welcome["generation"]) != self._identity:
            raise ProtocolError("A resume of another session.")
        received = welcome["resumed"]["received"]
        self._receipts.check(received, self._link.outbox.sent)
        self._receipts.resume()
        self._take_terms(welcome)
        self._link.outbox.confirm(received)
        self._link.outbox.resume()

    def _take_terms(self, welcome: dict[str, Any]) -> None:
        if "resume" in welcome:
            self._token, self.window = welcome["resume"]["token"], welcome["resume"]["windowMs"] / 1000
