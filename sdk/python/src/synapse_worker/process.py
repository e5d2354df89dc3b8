"""The launch of this process.

It is taken at the import of the package, not in `Plugin.run`, because the protocol wants it done before any code of the
plugin runs: what a plugin prints or spawns at the top of its module must find stdout moved aside and the channel closed
to children. Without the environment variable of a launched worker, the import does nothing.
"""

from __future__ import annotations

from typing import Final

from .launch import Launch, LaunchError, take_launch

launch: Final[Launch | LaunchError | None] = take_launch()
