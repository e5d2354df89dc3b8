"""The sending half of a stream."""

from __future__ import annotations

from .credit import SendWindow


class Outbound:
    def __init__(self) -> None:
        self.window = SendWindow()
        self.ended = False

    def end(self) -> None:
        """Nothing more may be sent; whoever waits for credit is told."""
        self.ended = True
        self.window.wake()
