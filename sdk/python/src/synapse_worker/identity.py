"""Who a worker that dials in says it is: plugin, version, and the manifest that it runs (docs/protocol.md, sections 4 and 13)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import stat
import sys

from .launch import MANIFEST, PLUGIN_ID, PLUGIN_VERSION, LaunchError

_FILE_NAMES = ("manifest.yml", "manifest.yaml", "manifest.json")
_MAX_MANIFEST_BYTES = 65_536

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}(/[a-z0-9][a-z0-9-]{0,63})?\Z")
_VERSION = re.compile(r"\d+\.\d+\.\d+[!-~]*\Z")
_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*):(?:[ \t]+(.*))?\Z")
_SCALAR = re.compile(r"""(?:"([^"\\]*)"|'([^']*)'|([A-Za-z0-9][^\s#:{}\[\],&*!|>'"%@`]*))[ \t]*(?:[ \t]#.*)?\Z""")


@dataclasses.dataclass(frozen=True)
class Identity:
    plugin_id: str
    plugin_version: str
    manifest_digest: str
    #: The manifest itself, where the host shall take it from here.
    manifest: str | None = dataclasses.field(default=None, repr=False)


def find_identity(id: str | None, version: str | None, manifest: str | None, bring_manifest: bool) -> Identity:
    """Reads the manifest (beside the program, unless a path is given). Raises `LaunchError` with what to do about it."""
    path = manifest if manifest is not None else _beside_the_program()
    try:
        raw = _read(path)
    except OSError as error:
        raise LaunchError(f"the manifest {path} cannot be read: {error.strerror}; name it in {MANIFEST}") from None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise LaunchError(f"the manifest {path} is not UTF-8") from None
    if id is None or version is None:
        told = _from_json(text, path) if path.endswith(".json") else _from_yaml(text, path)
        id, version = id or told[0], version or told[1]
    if not _ID.match(id):
        raise LaunchError(f"{id!r} is not the id of a plugin: lower-case letters, digits and hyphens, after an author/ or not")
    if not _VERSION.match(version):
        raise LaunchError(f"{version!r} is not a version: three numbers, then anything, like 1.0.0")
    return Identity(id, version, hashlib.sha256(raw).hexdigest(), text if bring_manifest else None)


def _beside_the_program() -> str:
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    folder = os.path.dirname(os.path.abspath(file)) if file else os.getcwd()
    for name in _FILE_NAMES:  # in the order in which a host looks for them
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    raise LaunchError(f"there is no {_FILE_NAMES[0]} in {folder}; name the manifest in {MANIFEST} or as plugin.run(manifest=…)")


def _read(path: str) -> bytes:
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise LaunchError(f"the manifest {path} is not a plain file")
        raw = file.read(_MAX_MANIFEST_BYTES + 1)
    if len(raw) > _MAX_MANIFEST_BYTES:
        raise LaunchError(f"the manifest {path} has more than {_MAX_MANIFEST_BYTES} bytes")
    return raw


def _from_json(text: str, path: str) -> tuple[str, str]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise LaunchError(f"the manifest {path} is not JSON: {error}") from None
    found = (value.get("id"), value.get("version")) if isinstance(value, dict) else (None, None)
    if not (isinstance(found[0], str) and isinstance(found[1], str)):
        raise LaunchError(f"the manifest {path} has no id and version that are strings")
    return found[0], found[1]


def _from_yaml(text: str, path: str) -> tuple[str, str]:
    """`id:` and `version:` at the start of a line. Whatever could give these lines another meaning is refused, not guessed at:
    a YAML parser would be a dependency, and one that may be installed or not would make this depend on the machine.
    """
    found: dict[str, str] = {}
    keys = False
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip() or line[0] in " \t#":
            continue
        if line.rstrip() == "---" and not keys:
            continue
        keys = True
        key = _KEY.match(line)
        if key is None or not _is_closed(key[2] or ""):
            if re.match(r"-(?:[ \t]|\Z)", line):
                continue  # an item of a list that is not indented
            raise _unsure(path, number)
        if key[1] not in ("id", "version"):
            continue
        scalar = _SCALAR.match(key[2] or "")
        if scalar is None or key[1] in found:
            raise _unsure(path, number)
        found[key[1]] = next(group for group in scalar.groups() if group is not None)
    if len(found) < 2:
        raise _unsure(path, None)
    return found["id"], found["version"]


def _is_closed(value: str) -> bool:
    """A value ends on its line (or is a block below it), so that the next line stands for itself."""
    value = re.sub(r"(?:^|[ \t])#.*\Z", "", value).rstrip() if value[:1] not in ("'", '"') else value.rstrip()
    if value[:1] == '"':
        return re.match(r'"(?:[^"\\]|\\.)*"[ \t]*(?:[ \t]#.*)?\Z', value) is not None
    if value[:1] == "'":
        return re.match(r"'(?:[^']|'')*'[ \t]*(?:[ \t]#.*)?\Z", value) is not None
    if value[:1] in ("{", "["):
        return value.count("{") == value.count("}") and value.count("[") == value.count("]") and not {'"', "'"} & set(value)
    return True


def _unsure(path: str, line: int | None) -> LaunchError:
    where = f"line {line} of the manifest {path}" if line is not None else f"the manifest {path}"
    return LaunchError(
        f"the plugin's id and version cannot be read with certainty from {where}; set {PLUGIN_ID} and {PLUGIN_VERSION}, "
        "or give them as plugin.run(id=…, version=…)"
    )
