"""Lines for the host's log. Writing one never waits and never raises."""

from __future__ import annotations

import datetime
import threading
from typing import Any

from .config import Config
from .errors import WorkerError
from .redact import clean, error_fields, redacted
from .session.one_way import OneWays

_MAX_MESSAGE = 16_384


class Log:
    """Sends lines to the host as `log.write`. Over the credit of the session, lines are dropped and counted."""

    def __init__(self, one_ways: OneWays, config: Config) -> None:
        self._one_ways = one_ways
        self._config = config
        self._lock = threading.Lock()
        self._dropped = 0
        self._waiting = False

    def debug(self, message: str, **fields: Any) -> None:
        self.write("debug", message, fields)

    def info(self, message: str, **fields: Any) -> None:
        self.write("info", message, fields)

    def warn(self, message: str, **fields: Any) -> None:
        self.write("warn", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        self.write("error", message, fields)

    def fatal(self, message: str, **fields: Any) -> None:
        self.write("fatal", message, fields)

    def write(self, level: str, message: str, fields: dict[str, Any] | None = None) -> None:
        """One line of any level (debug, info, warn, error, fatal). A field that is an exception is shown with its stack."""
        line: dict[str, Any] = {"level": level, "message": self._text(message)}
        if fields:
            redact = self._config.redact
            line["fields"] = redacted(
                {
                    key: error_fields(value, redact) if isinstance(value, BaseException) else value
                    for key, value in fields.items()
                },
                redact,
            )
        line["time"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        try:
            sent = self._one_ways.try_send("log.write", line)
        except WorkerError:
            # Too large: the line goes without its fields.
            line["fields"] = {"omitted": "too large"}
            try:
                sent = self._one_ways.try_send("log.write", line)
            except WorkerError:
                sent = False
        if not sent:
            self._drop()

    def _text(self, message: object) -> str:
        text = clean(str(message), self._config.redact)
        return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + "… (cut)"

    def _drop(self) -> None:
        with self._lock:
            self._dropped += 1
            if self._waiting:
                return
            self._waiting = True
        self._one_ways.when_open(self._tell)

    def _tell(self) -> None:
        """There is credit again: one line says how many are missing."""
        with self._lock:
            dropped, self._dropped, self._waiting = self._dropped, 0, False
        if dropped:
            self.warn(f"{dropped} log lines were dropped: the host did not keep up.", dropped=dropped)
