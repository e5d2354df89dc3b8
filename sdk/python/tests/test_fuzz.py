"""Mutated frames: whatever arrives, the session either goes on or ends with a protocol error; it never raises."""

from __future__ import annotations

import random

import pytest
from raw import RawHost
from vectors import load, to_bytes

from synapse_worker.errors import ProtocolError
from synapse_worker.wire.codec import Limits
from synapse_worker.wire.frames import header
from synapse_worker.wire.read_message import read_message

BODIES = [
    to_bytes(v["hex"]) for name in ("messages.json", "values.json") for v in load(name) if len(str(v["hex"])) < 2_000
]


def mutate(random_: random.Random, body: bytes) -> bytes:
    data = bytearray(body)
    for _ in range(random_.randint(1, 4)):
        at = random_.randrange(len(data) + 1)
        match random_.randrange(4):
            case 0 if data:
                data[at % len(data)] = random_.randrange(256)
            case 1:
                data[at:at] = bytes([random_.randrange(256)])
            case 2 if len(data) > 1:
                del data[at % len(data)]
            case _:
                data[at:at] = random_.choice(BODIES)[:64]
    return bytes(data) or b"\xc0"


@pytest.mark.skipif(not BODIES, reason="not in the repository")
@pytest.mark.parametrize("seed", range(4))
def test_mutated_bodies(seed: int) -> None:
    random_ = random.Random(seed)
    limits = Limits()
    host = RawHost()
    for _ in range(600):
        body = mutate(random_, random_.choice(BODIES))
        try:
            read_message(body, limits)
        except ProtocolError as error:
            assert len(error.message) < 300
        host.session.receive(header(len(body)) + body)
        host.advance(random_.random())
        host.read()
        if host.session.end is not None:
            host = RawHost()
