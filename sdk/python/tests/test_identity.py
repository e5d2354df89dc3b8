"""Id and version of a worker that dials in, read from its manifest with certainty or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from synapse_worker.identity import find_identity
from synapse_worker.launch import LaunchError


def read(folder: Path, text: str, name: str = "manifest.yml") -> tuple[str, str]:
    path = folder / name
    path.write_text(text, "utf-8")
    identity = find_identity(None, None, str(path), False)
    assert identity.manifest_digest == hashlib.sha256(path.read_bytes()).hexdigest() and identity.manifest is None
    return identity.plugin_id, identity.plugin_version


@pytest.mark.parametrize(
    "text",
    [
        "id: p\nversion: 1.0.0\n",
        "version: '1.0.0'\nid: \"p\"",
        "# first\n---\nname: A plugin: with a colon\nid:   p   # why\n\nversion: 1.0.0 # it is\nruntime: { type: external }\n",
        "\ufeffid: p\nversion: 1.0.0\n",
        "id: p\r\nversion: 1.0.0\r\n",
        "description: |\n  id: other\n  version: 2.0.0\nid: p\nversion: 1.0.0\nlist:\n- a\n- id: x\n",
        "runtime:\n  id: other\nname: \"it's # all\"\nid: p\nversion: 1.0.0\n",
        "name: 'it''s'\nid: p\nversion: 1.0.0\ntags: [a, b]\n",
    ],
)
def test_what_is_certain(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) == ("p", "1.0.0")


@pytest.mark.parametrize(
    "text",
    [
        "", "id: p\n", "version: 1.0.0\n", "id: p\nid: p\nversion: 1.0.0\n", "id: &a p\nversion: 1.0.0\n",
        "id: !!str p\nversion: 1.0.0\n", "id: *a\nversion: 1.0.0\n", "id: |\n  p\nversion: 1.0.0\n", "id: [p]\nversion: 1.0.0\n",
        "{ id: p, version: 1.0.0 }\n", "id: \"p\\u0041\"\nversion: 1.0.0\n", "id: p q\nversion: 1.0.0\n",
        "name: \"open\nid: p\nversion: 1.0.0\n  \"\n", "name: 'open\nid: p\nversion: 1.0.0\n  '\n", "a: [\nid: p\nversion: 1.0.0\n  ]\n",
        "? id\n: p\n", "--- |\nid: p\nversion: 1.0.0\n", "id: p\nversion: 1.0.0\n---\nid: q\n", "%YAML 1.2\n---\nid: p\nversion: 1.0.0\n",
        "id: P\nversion: 1.0.0\n", "id: p\nversion: 1.0\n", "id: ../p\nversion: 1.0.0\n", "\"id\": p\nversion: 1.0.0\n", "id:p\nversion: 1.0.0\n",
        "- id: p\n- version: 1.0.0\n", "id: p\nversion: 1.0.0\n...\n",
    ],
)  # fmt: skip
def test_what_is_not_certain_is_refused_with_the_way_out(text: str, tmp_path: Path) -> None:
    with pytest.raises(LaunchError) as raised:
        read(tmp_path, text)
    assert "SYNAPSE_WORKER_PLUGIN_ID" in str(raised.value) or "is not" in str(raised.value)


def test_json(tmp_path: Path) -> None:
    assert read(tmp_path, '{"version": "1.0.0", "id": "a/p", "x": {"id": "q"}}', "manifest.json") == ("a/p", "1.0.0")
    for text in ("{", "[]", '{"id": 1, "version": "1.0.0"}', '{"id": "p"}'):
        with pytest.raises(LaunchError):
            read(tmp_path, text, "manifest.json")


def test_given_values_need_nothing_of_the_manifest_but_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yml"
    path.write_text("? complicated", "utf-8")
    identity = find_identity("p", "1.0.0", str(path), True)
    assert (identity.plugin_id, identity.manifest) == ("p", "? complicated") and "complicated" not in repr(identity)
    path.write_text("version: 3.0.0\nid: q\n", "utf-8")
    assert find_identity("p", None, str(path), False).plugin_version == "3.0.0"


def test_files_that_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"#" * 65_537)
    (tmp_path / "latin").write_bytes(b"name: \xe9\n")
    for name, said in (("pipe", "plain file"), ("large", "65536"), ("latin", "UTF-8"), ("none", "cannot be read"), (".", "plain file|read")):
        with pytest.raises(LaunchError, match=said):
            find_identity("p", "1.0.0", str(tmp_path / name), False)
