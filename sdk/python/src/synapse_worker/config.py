"""The plugin's configuration, with the accessors of the host project's plugin API."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, overload

from .errors import InvalidConfig

T = TypeVar("T")

# What stands in the place of a secret.
_SECRET = "[secret]"
_REQUIRED: Any = object()
# Shorter secrets are replaced only where they are the whole text: anywhere else they would make a riddle of it, and its
# solution the secret.
_MIN_LENGTH_WITHIN = 4


class Config(Mapping[str, Any]):
    """A read-only mapping. Blank strings count as absent. Its repr and its errors never show a secret value."""

    def __init__(self, values: Mapping[str, Any], secret_keys: Iterable[str] = ()) -> None:
        self._values = dict(values)
        self.secret_keys = frozenset(secret_keys)
        self._whole = self._find_secrets()
        # Longest first: one secret may be a part of another.
        self._within = sorted((text for text in self._whole if len(text) >= _MIN_LENGTH_WITHIN), key=len, reverse=True)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        shown = {key: _SECRET if key in self.secret_keys else value for key, value in self._values.items()}
        return f"Config({shown!r})"

    def has(self, key: str) -> bool:
        """Whether there is a value that is not blank."""
        value = self._values.get(key)
        return value is not None and not (isinstance(value, str) and not value.strip())

    @overload
    def get_string(self, key: str) -> str: ...
    @overload
    def get_string(self, key: str, default: T) -> str | T: ...
    def get_string(self, key: str, default: Any = _REQUIRED) -> Any:
        """The value as a string. Without a default, a value that is absent raises `InvalidConfig`."""
        value = self._find(key, default)
        return value if value is default or isinstance(value, str) else self._wrong(key, "a string")

    @overload
    def get_bool(self, key: str) -> bool: ...
    @overload
    def get_bool(self, key: str, default: T) -> bool | T: ...
    def get_bool(self, key: str, default: Any = _REQUIRED) -> Any:
        """The value as a bool; the strings "true" and "false" count."""
        value = self._find(key, default)
        if value is default or isinstance(value, bool):
            return value
        word = value.strip().lower() if isinstance(value, str) else ""
        return word == "true" if word in ("true", "false") else self._wrong(key, "a boolean")

    @overload
    def get_int(self, key: str) -> int: ...
    @overload
    def get_int(self, key: str, default: T) -> int | T: ...
    def get_int(self, key: str, default: Any = _REQUIRED) -> Any:
        """The value as an int; a string of digits counts."""
        value = self._find(key, default)
        if value is default or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        try:
            return int(value) if isinstance(value, str) else self._wrong(key, "an integer")
        except ValueError:
            return self._wrong(key, "an integer")

    def get_secret(self, key: str) -> str:
        """A secret that must be there."""
        return self.get_string(key)

    def get_secret_optional(self, key: str) -> str | None:
        """A secret, or None when it is absent or blank."""
        return self.get_string(key, None)

    def redact(self, text: str) -> str:
        """The text with `[secret]` in the place of every secret value: as it is, trimmed, URL-encoded or escaped."""
        if text in self._whole:
            return _SECRET
        for secret in self._within:
            text = text.replace(secret, _SECRET)
        return text

    def _find_secrets(self) -> frozenset[str]:
        found: set[str] = set()

        def collect(value: Any) -> None:
            if isinstance(value, Mapping):
                for item in value.values():
                    collect(item)
            elif isinstance(value, (list, tuple)):
                for item in value:
                    collect(item)
            elif isinstance(value, str):
                found.update(_forms(value))
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                found.add(str(value))

        for key in self.secret_keys:
            collect(self._values.get(key))
        return frozenset(found)

    def _find(self, key: str, default: Any) -> Any:
        if self.has(key):
            return self._values[key]
        if default is _REQUIRED:
            raise InvalidConfig(f"The config has no value for {key!r}.")
        return default

    def _wrong(self, key: str, wanted: str) -> Any:
        raise InvalidConfig(f"The config value of {key!r} is not {wanted}.")


def _forms(secret: str) -> Iterator[str]:
    """A secret as it may stand in a text."""
    if not secret.strip():
        return
    for text in (secret, secret.strip()):
        yield text
        yield repr(text)[1:-1]
        for ascii_only in (False, True):
            yield json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield urllib.parse.quote(text, safe="!'()*", errors="replace")
