"""Every golden vector: messages, values and hostile input, the frames also byte by byte."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Any

import pytest
from vectors import load, same, to_bytes, to_value

from synapse_worker.errors import ProtocolError
from synapse_worker.wire import messages as m
from synapse_worker.wire.codec import Limits, decode, encode, pack
from synapse_worker.wire.frames import HANDSHAKE_FRAME_BYTES, FrameSplitter
from synapse_worker.wire.read_message import read_message

LIMITS = Limits()


def names(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def as_vector(message: m.Message) -> dict[str, Any]:
    """A message in the vectors' notation: absent members are left out."""
    kind = type(message).__name__
    shown: dict[str, Any] = {"kind": kind[0].lower() + kind[1:]}
    for field in dataclasses.fields(message):
        value = getattr(message, field.name)
        if field.name == "flags" and value == 0:
            continue  # absent means none
        if value is not None or (kind == "Item" and field.name == "value"):
            shown[camel(field.name)] = value
    return shown


@pytest.mark.parametrize("vector", load("messages.json"), ids=names)
def test_message(vector: dict[str, Any]) -> None:
    message = read_message(to_bytes(vector["hex"]), LIMITS)
    if vector.get("ignored"):
        assert isinstance(message, m.Ignored)
        return
    shown, wanted = as_vector(message), to_value(vector["message"])
    assert same(shown, wanted), f"{shown} is not {wanted}"


@pytest.mark.parametrize("vector", load("values.json"), ids=names)
def test_value(vector: dict[str, Any]) -> None:
    body = to_bytes(vector["hex"])
    value = decode(body, LIMITS)
    if "value" in vector:
        wanted = to_value(vector["value"])
        assert same(value, wanted)
        if vector.get("canonical"):
            assert pack(value) == body
    # What is received may be sent on.
    encode(Limits(max_depth=33, max_elements=100_003), m.ITEM, 2, value)


@pytest.mark.parametrize("vector", load("hostile.json"), ids=names)
def test_hostile(vector: dict[str, Any]) -> None:
    assert vector["error"] == "PROTOCOL_ERROR"
    if "frame" in vector:
        data = to_bytes(vector["frame"])
        for chunks in ([data], [data[i : i + 1] for i in range(len(data))]):
            limit = HANDSHAKE_FRAME_BYTES if vector.get("phase") == "handshake" else LIMITS.max_frame_bytes
            splitter = FrameSplitter(limit)
            delivered = 0
            with pytest.raises(ProtocolError):
                for chunk in chunks:
                    splitter.feed(chunk)
                    while (body := splitter.next_body()) is not None:
                        read_message(body, LIMITS)
                        delivered += 1
            assert delivered == vector.get("before", 0)
    else:
        with pytest.raises(ProtocolError) as caught:
            read_message(to_bytes(vector["hex"]), LIMITS)
        assert len(caught.value.message) < 200


@pytest.mark.requirement("python.vectors")
def test_vectors_are_there() -> None:
    if not load("messages.json") and not os.environ.get("CI"):
        pytest.skip("not in the repository")
    assert {len(load(name)) > 20 for name in ("messages.json", "values.json", "hostile.json")} == {True}
