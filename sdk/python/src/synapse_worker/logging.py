"""Standard `logging` records in the host's log."""

from __future__ import annotations

import logging

from .log import Log

# Fields that every record has; what else a record carries was given as `extra`.
_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class WorkerHandler(logging.Handler):
    """Forwards records to the host. Add it in `on_load`: `logging.getLogger().addHandler(WorkerHandler(ctx.log))`.

    `extra` becomes the line's fields. Records of this package itself stay on standard error.
    """

    def __init__(self, log: Log, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "synapse_worker" or record.name.startswith("synapse_worker."):
            return
        try:
            fields = {key: value for key, value in vars(record).items() if key not in _KNOWN}
            fields["logger"] = record.name
            self._log.write(_level(record.levelno), self.format(record), fields)
        except Exception:
            self.handleError(record)


def _level(number: int) -> str:
    if number >= logging.CRITICAL:
        return "fatal"
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warn"
    return "info" if number >= logging.INFO else "debug"
