"""Dialling: the pauses between attempts, and attempts that nobody waits for any more."""

from __future__ import annotations

import threading
from collections.abc import Callable

from synapse_worker.connection import Connection
from synapse_worker.dial import Backoff, DialError, Dialling, printable


class FakeConnection:
    """Only notes that it was closed."""

    read_fd = write_fd = -1
    ended: str | None = None
    can_write = True

    def __init__(self) -> None:
        self.closed = threading.Event()

    def read(self) -> bytes | None:
        return None

    def write(self, data: memoryview) -> int:
        return 0

    def flush(self) -> bool:
        return True

    def close(self) -> None:
        self.closed.set()

    def forget(self) -> None: ...


def test_the_first_try_is_at_once_and_the_pauses_grow_up_to_ten_seconds() -> None:
    backoff = Backoff(lambda: 1.0)
    pauses = [backoff.pause() for _ in range(12)]
    assert pauses == [0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10, 10]
    for _ in range(10_000):
        backoff.pause()
    backoff.reset()
    assert backoff.pause() == 0


def test_jitter_is_full() -> None:
    backoff = Backoff(lambda: 0.25)
    assert [backoff.pause() for _ in range(3)] == [0, 0.025, 0.05]
    spread = Backoff()
    for _ in range(9):
        spread.pause()
    pauses = [spread.pause() for _ in range(200)]
    assert min(pauses) < 2 and max(pauses) > 8 and max(pauses) <= 10


def dialling(dial: Callable[[], Connection]) -> tuple[Dialling, threading.Event]:
    woken = threading.Event()
    return Dialling(dial, woken.set, Backoff(lambda: 1.0)), woken


def test_an_attempt_runs_beside_the_caller_and_failures_are_told() -> None:
    errors: list[Exception] = [FileNotFoundError(2, "No such file"), DialError("not a certificate"), OSError("odd")]
    made = FakeConnection()

    def dial() -> Connection:
        if errors:
            raise errors.pop(0)
        return made

    look, woken = dialling(dial)
    now = 100.0
    look.begin(now)
    told: list[tuple[str, bool, float]] = []
    for _ in range(4):
        assert look.due is not None
        assert look.poll(look.due - 0.01) is None and not woken.is_set()
        now = look.due
        assert look.poll(now) is None and look.due is None
        assert woken.wait(5)
        woken.clear()
        connection = look.poll(now)
        if connection is not None:
            assert connection is made
            break
        told.append((look.problem, look.hopeless, round(look.due - now, 3)))
    assert told == [("No such file", False, 0.1), ("not a certificate", True, 0.2), ("odd", False, 0.4)]
    assert not made.closed.is_set()


def test_what_an_attempt_still_brings_when_nobody_waits_is_closed() -> None:
    made, go = FakeConnection(), threading.Event()

    def dial() -> Connection:
        go.wait(5)
        return made

    look, woken = dialling(dial)
    look.begin(0)
    look.poll(0)
    look.stop()
    go.set()
    assert made.closed.wait(5)
    # And one that was there already, but not fetched.
    made = FakeConnection()
    look.begin(0)
    woken.clear()
    look.poll(look.due or 0)
    assert woken.wait(5)
    look.stop()
    assert made.closed.is_set()


def test_what_others_say_cannot_move_the_cursor() -> None:
    assert printable("a\x1b[2Jb\r\n\u202ec") == "a?[2Jb???c"
    assert len(printable("x" * 5_000)) == 1_000
