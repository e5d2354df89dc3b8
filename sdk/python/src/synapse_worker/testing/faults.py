"""Faults that a test can order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .memory import MemoryLink
    from .services import Services


class Faults:
    """What goes wrong between the plugin and its host, from now on."""

    def __init__(self, link: MemoryLink, services: Services) -> None:
        self._link = link
        self._services = services
        self._crash_after: str | None = None
        self.stalled: set[str] = set()
        self.dropped: set[str] = set()

    def deny(self, capability_or_method: str) -> None:
        """Host calls that need it are denied, whatever was granted."""
        self._services.denied.add(capability_or_method)

    def stall(self, method: str) -> None:
        """Host calls of this method are never answered, and have no effect."""
        self.stalled.add(method)

    def drop(self, method: str) -> None:
        """Host calls of this method take effect, but their answers are lost."""
        self.dropped.add(method)

    def crash(self, *, at: Literal["before-send", "after-send"], method: str | None = None) -> None:
        """The connection dies at the plugin's next host call (of this method): before its frame leaves, or after."""
        if at == "before-send":
            self._link.crash_before = method or ""
        elif at == "after-send":
            self._crash_after = method or ""
        else:
            raise ValueError(f"at={at!r} is neither 'before-send' nor 'after-send'")

    def clear(self) -> None:
        """Heals everything that has not happened yet."""
        self._services.denied.clear()
        self.stalled.clear()
        self.dropped.clear()
        self._link.crash_before = self._crash_after = None

    def take_crash_after(self, method: str) -> bool:
        """Whether this host call is the one that the connection dies at."""
        if self._crash_after is None or self._crash_after not in ("", method):
            return False
        self._crash_after = None
        return True
