"""What an author meets before anything runs: registration, params, config, logs, errors."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import enum
import logging
import uuid
from typing import Any, Literal, Optional, TypedDict

import pydantic
import pytest

from synapse_worker import (
    CapabilityDenied,
    Config,
    Context,
    HandlerError,
    InvalidArgument,
    InvalidConfig,
    InvalidParams,
    Plugin,
    PluginError,
    WorkerError,
)
from synapse_worker.events import TopicPattern
from synapse_worker.handler import Handler
from synapse_worker.logging import WorkerHandler
from synapse_worker.nearest import nearest
from synapse_worker.params import params_reader
from synapse_worker.testing import test_plugin
from synapse_worker.testing.grants import covers
from synapse_worker.wire.codec import Limits, decode, pack
from synapse_worker.wire_error import from_wire, to_wire

# Registration


@pytest.mark.parametrize("name", ["plugin.load", "events.x", "grants.changed", "1a", "a b", "", "a" * 257])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(InvalidArgument):
        Plugin().method(name=name)(lambda: None)


def test_functions_that_are_refused() -> None:
    plugin = Plugin()

    @plugin.method
    async def twice() -> None: ...

    with pytest.raises(InvalidArgument, match="registered twice"):
        plugin.stream(name="twice")(_generator)
    with pytest.raises(InvalidArgument, match="stream"):
        plugin.method(_generator)
    with pytest.raises(InvalidArgument, match="yields nothing"):
        plugin.stream(twice, name="other")
    with pytest.raises(InvalidArgument, match="more than params"):
        plugin.method(name="three")(lambda a, b, ctx: None)
    with pytest.raises(InvalidArgument, match="cannot be read"):
        plugin.method(name="sets", params=set)(lambda params: None)
    with pytest.raises(InvalidArgument, match="topic pattern"):
        plugin.on("a.**.b")


async def _generator() -> Any:
    yield 1


def test_parameters_are_told_apart() -> None:
    def names(function: Any) -> tuple[str | None, str | None]:
        handler = Handler(function, params=Any)
        return handler._params_name, handler._context_name

    def annotated(c: Context, what: dict[str, Any]) -> None: ...

    assert names(lambda params, ctx: None) == ("params", "ctx")
    assert names(lambda ctx: None) == (None, "ctx")
    assert names(lambda x: None) == ("x", None)
    assert names(lambda: None) == (None, None)
    assert names(annotated) == ("what", "c")


# Params


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Node:
    name: str
    color: Color = Color.RED
    size: Literal["s", "l"] | None = None
    weight: float | None = None
    at: Optional[datetime.datetime] = None  # noqa: UP045
    children: list[Node] = dataclasses.field(default_factory=list)
    labels: dict[str, int] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name == "bad":
            raise ValueError("no such name")


class Partial(TypedDict, total=False):
    a: int


class Model(pydantic.BaseModel):
    inner: list[int]


def test_params_are_read() -> None:
    read = params_reader(Node)
    node = read("m", {
        "name": "n", "color": "red", "size": "l", "weight": 2, "at": "2026-01-01T00:00:00Z",
        "children": [{"name": "c"}], "labels": {"x": 1.0},
    })  # fmt: skip
    assert node.color is Color.RED and node.children[0].name == "c" and node.labels == {"x": 1}
    assert isinstance(node.weight, float) and node.at.tzinfo is not None
    assert params_reader(Partial)("m", None) == {}
    assert params_reader(Model)("m", {"inner": [1]}).inner == [1]
    assert params_reader(dict)("m", {"a": None}) == {"a": None}
    assert params_reader(int)("m", 2.0) == 2


@pytest.mark.parametrize(
    ("annotation", "params", "path"),  # the path of the first issue
    [
        (Node, {"name": "n", "color": "blue"}, ["color"]),
        (Node, {"name": "n", "size": "m"}, ["size"]),
        (Node, {"name": "n", "weight": "1"}, ["weight"]),
        (Node, {"name": "n", "children": [{"name": "c", "children": [{}]}]}, ["children", 0, "children", 0, "name"]),
        (Node, {"name": "n", "labels": {"x": 1.5}}, ["labels", "x"]),
        (Node, {"name": "bad"}, []),
        (Node, {"name": None}, ["name"]),
        (Partial, {"a": "1"}, ["a"]),
        (Partial, {"b": 1}, ["b"]),
        (Model, {"inner": ["a"]}, ["inner", 0]),
        (int, True, []),
        (None, {"a": 1}, []),
    ],
)
def test_params_that_do_not_fit(annotation: Any, params: Any, path: list[Any]) -> None:
    with pytest.raises(InvalidParams) as caught:
        params_reader(annotation)("m", params)
    issues = caught.value.details["issues"]
    assert [issue["path"] for issue in issues] == [path]


def test_all_that_is_wrong_is_told_and_the_first_three_are_named() -> None:
    wrong = {
        "color": "blue", "weight": "1", "children": [{"name": "c"}, {"name": 1, "labels": {"x": "1"}}], "more": True,
    }  # fmt: skip
    with pytest.raises(InvalidParams) as caught:
        params_reader(Node)("m", wrong)
    assert caught.value.message == (
        "m: name is missing; color must be one of 'red'; weight must be a number, not a string; and 3 more."
    )
    assert caught.value.details == {
        "issues": [
            {"path": ["name"], "message": "is missing"},
            {"path": ["color"], "message": "must be one of 'red'"},
            {"path": ["weight"], "message": "must be a number, not a string"},
            {"path": ["children", 1, "name"], "message": "must be a string, not an integer"},
            {"path": ["children", 1, "labels", "x"], "message": "must be an integer, not a string"},
            {"path": ["more"], "message": "is not a field of this method"},
        ]
    }
    with pytest.raises(InvalidParams) as caught:
        params_reader(Model)("m", {"inner": ["a", 1, "b"]})
    assert [issue["path"] for issue in caught.value.details["issues"]] == [["inner", 0], ["inner", 2]]
    with pytest.raises(InvalidParams, match=r"inner\[0\] .*; inner\[2\] "):
        params_reader(Model)("m", {"inner": ["a", 1, "b"]})


def test_hostile_params_make_a_small_error() -> None:
    with pytest.raises(InvalidParams) as caught:
        params_reader(Node)("m", {"x" * 1_000_000 + str(number): 1 for number in range(40)})
    assert len(caught.value.details["issues"]) == 32 and "and 38 more" in caught.value.message
    assert len(pack(to_wire(caught.value))) < 10_000
    with pytest.raises(InvalidParams, match="and 99997 more"):
        params_reader(list[int])("m", ["a"] * 100_000)


# Values


def test_what_may_be_returned() -> None:
    @dataclasses.dataclass
    class Inner:
        snake_case: int

    value = {
        "tuple": (1, 2), "enum": Color.RED, "inner": [Inner(1)], "model": Model(inner=[1]),
        "at": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), "day": datetime.date(2026, 1, 1),
        "id": uuid.UUID(int=0), "nan": float("inf"), "config": Config({"a": 1}), "bytes": bytearray(b"x"),
    }  # fmt: skip
    assert decode(pack(value), Limits()) == {
        "tuple": [1, 2], "enum": "red", "inner": [{"snake_case": 1}], "model": {"inner": [1]},
        "at": "2026-01-01T00:00:00+00:00", "day": "2026-01-01", "id": str(uuid.UUID(int=0)),
        "nan": float("inf"), "config": {"a": 1}, "bytes": b"x",
    }  # fmt: skip
    with pytest.raises(WorkerError, match="time zone"):
        pack(datetime.datetime(2026, 1, 1))


# Config


def test_config() -> None:
    config = Config({"s": "x", "blank": " ", "none": None, "b": "TRUE", "i": "7", "f": 2.0, "k": "hunter2"}, ["k"])
    assert config.get_string("s") == "x" and config.get_string("blank", "d") == "d"
    assert config.get_bool("b") is True and config.get_int("i") == 7 and config.get_int("f") == 2
    assert config.get_int("none", None) is None and not config.has("blank") and config.has("s")
    assert config.get_secret("k") == "hunter2" and config.get_secret_optional("missing") is None
    assert "hunter2" not in repr(config) and "'x'" in repr(config)
    assert dict(config)["s"] == "x"
    for call in (lambda: config.get_secret("blank"), lambda: config.get_int("k"), lambda: config.get_bool("s")):
        with pytest.raises(InvalidConfig) as caught:
            call()
        assert "hunter2" not in str(caught.value)


def test_secrets_are_found_wherever_they_stand() -> None:
    config = Config({"k": ["a\nsecret", {"x": "deeper-secret"}], "n": 12345678, "short": "abc"}, ["k", "n", "short"])
    assert config.redact("deeper-secret and a\nsecret") == "[secret] and [secret]"
    assert config.redact(repr("a\nsecret")) == "'[secret]'"
    assert config.redact("port 12345678 abc") == "port [secret] abc" and config.redact("abc") == "[secret]"
    tricky = Config({"k": ' p&ä"x '}, ["k"])
    for form in (' p&ä"x ', 'p&ä"x', r"p&ä\"x", r"p&\u00e4\"x", "p%26%C3%A4%22x"):
        assert tricky.redact(f"<{form}>").strip("<> ") == "[secret]", form
    assert "[secret]" in repr(tricky)
    wire = to_wire(WorkerError("deeper-secret", details={"why": ["deeper-secret", object()]}), redact=config.redact)
    assert "deeper-secret" not in str(wire)
    own = to_wire(PluginError("deeper-secret", "No.", {"pin": 12345678, "size": 7}), redact=config.redact)
    assert own["handlerCode"] == "[secret]" and own["details"] == {"pin": "[secret]", "size": 7}


# Logs


def test_logs_reach_the_host_without_secrets() -> None:
    plugin = Plugin()
    logger = logging.getLogger("plugin.under.test")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)

    @plugin.on_load
    async def load(ctx: Context) -> None:
        logger.addHandler(WorkerHandler(ctx.log))

    @plugin.method
    async def talk(ctx: Context) -> None:
        ctx.log.warn("odd \ud800", value=object, deep={"a": {1: "hunter2"}}, big=2**70)
        logger.warning("std %s", "hunter2", extra={"size": 3})
        ctx.log.info("x" * 20_000)

    async def body() -> None:
        async with test_plugin(plugin, config={"k": "hunter2"}, secret_config_keys=["k"]) as p:
            await p.call("talk")
            odd, std, long = p.logs
            assert odd.level == "warn" and odd.fields["deep"] == {"a": {"1": "[secret]"}}
            assert (std.level, std.message) == ("warn", "std [secret]")
            assert std.fields == {"size": 3, "logger": "plugin.under.test"}
            assert long.message.endswith("… (cut)") and len(long.message) < 17_000

    asyncio.run(body())


def test_a_flood_of_logs_is_dropped_and_counted_and_never_blocks() -> None:
    plugin = Plugin()

    @plugin.method
    async def flood(ctx: Context) -> None:
        for _ in range(2_000):  # without a pause, so no credit can come back meanwhile
            ctx.log.info("x" * 1_000)

    async def body() -> None:
        async with test_plugin(plugin) as p:
            await p.call("flood")
            await p.settle()
            assert 200 < len(p.logs) < 300
            assert p.logs[-1].level == "warn"
            assert p.logs[-1].fields["dropped"] + len(p.logs) - 1 == 2_000

    asyncio.run(body())


def test_an_exception_in_a_field_is_shown_with_its_stack() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("mute")

    plugin = Plugin()

    @plugin.method
    async def talk(ctx: Context) -> None:
        try:
            await ctx.storage.get("k")
        except CapabilityDenied as error:
            ctx.log.warn("no", err=error)
        ctx.log.warn("long", err=ValueError("hunter2" + "x" * 100_000))
        raise Mute

    async def body() -> None:
        async with test_plugin(plugin, config={"k": "hunter2"}, secret_config_keys=["k"]) as p:
            with pytest.raises(HandlerError, match="^Mute$"):
                await p.call("talk")
            denied, long, mute = (line.fields["err"] for line in p.logs)
            assert denied["code"] == "CAPABILITY_DENIED" and "storage.get" in denied["stack"]
            assert long["message"].startswith("[secret]x") and len(long["message"]) < 10_000
            assert mute["name"] == "Mute" and mute["message"] == ""

    asyncio.run(body())


# Errors and patterns


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("sumarize", "summarize"), ("SUMMARIZE", "summarize"), ("usmmarize", "summarize"), ("translate", None),
        ("x", None), ("", None), ("s" * 65, None), ("ad", "add"),
    ],
)  # fmt: skip
def test_the_nearest_name(word: str, meant: str | None) -> None:
    assert nearest(word, ["narrate", "summarize", "add", "s" * 66]) == meant


def test_a_denial_names_capability_and_scope() -> None:
    denied = CapabilityDenied("storage.read", {"keys": ["a", "b"]}, "d1")
    assert str(denied) == "storage.read is not granted for keys=a, b"
    back = from_wire(to_wire(denied))
    assert isinstance(back, CapabilityDenied) and back.decision_id == "d1" and back.scope == {"keys": ["a", "b"]}
    terse = from_wire(
        {"code": "CAPABILITY_DENIED", "message": "No.", "details": {"capability": "x.y", "scope": {"n": ["z"]}}}
    )
    told = from_wire(
        {
            "code": "CAPABILITY_DENIED",
            "message": 'No x.y on n "z".',
            "details": {"capability": "x.y", "scope": {"n": ["z"]}},
        }
    )
    assert told.message == 'No x.y on n "z".'
    assert terse.message == "No. (x.y for n=z)"
    assert from_wire({"code": "CAPABILITY_DENIED", "message": "No."}).code == "CAPABILITY_DENIED"


@pytest.mark.parametrize(
    ("pattern", "topic", "matches"),
    [
        ("a.b", "a.b", True), ("a.*", "a.b", True), ("a.*", "a", False), ("a.*", "a.b.c", False), ("a.**", "a.b.c", True),
        ("a.**", "a", False), ("**", "a", True), ("a.b", "a.bc", False), ("*.b", "a.b", True),
    ],
)  # fmt: skip
def test_topic_patterns(pattern: str, topic: str, matches: bool) -> None:
    assert TopicPattern(pattern).matches(topic) is matches
    assert covers("topics", pattern, topic) is matches


@pytest.mark.parametrize(
    ("granted", "wanted", "covered"),
    [
        ("a.**", "a.*", True),
        ("a.*", "a.**", False),
        ("**", "a.**", True),
        ("a.b", "a.*", False),
        ("a.**", "a.b.**", True),
    ],
)
def test_patterns_within_patterns(granted: str, wanted: str, covered: bool) -> None:
    assert covers("topics", granted, wanted) is covered
