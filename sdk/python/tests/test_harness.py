"""`synapse_worker.testing`: a plugin driven over the real wire in memory, with faults, a clock and leak checks."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, TypedDict

import pytest

from synapse_worker import (
    Cancelled,
    CapabilityDenied,
    Context,
    DeadlineExceeded,
    Event,
    FrameTooLarge,
    HandlerError,
    HostLost,
    InvalidArgument,
    InvalidParams,
    InvalidValue,
    MethodNotFound,
    Overloaded,
    Plugin,
    PluginError,
    WorkerError,
    WorkerLost,
)
from synapse_worker.testing import GrantLike, Limits, test_plugin


@dataclass
class SummarizeParams:
    text: str
    sentences: int = 3
    tags: list[str] = field(default_factory=list)


@dataclass
class Summary:
    summary: str


class Pair(TypedDict):
    left: int
    right: int


def make() -> Plugin:
    plugin = Plugin()

    @plugin.method
    async def summarize(params: SummarizeParams, ctx: Context) -> Summary:
        await ctx.progress(0.5, "ranking")
        return Summary(params.text[: params.sentences])

    @plugin.method
    async def add(params: Pair) -> dict[str, int]:
        return {"sum": params["left"] + params["right"]}

    @plugin.method
    def blocking(params: dict[str, Any], ctx: Context) -> Any:
        ctx.wait(ctx.storage.set("seen", params))
        return ctx.wait(ctx.storage.get("seen"))

    @plugin.method
    async def publish(params: dict[str, Any], ctx: Context) -> str:
        return await ctx.events.publish(params["topic"], {"n": 1})

    @plugin.method
    async def fetch(params: Any, ctx: Context) -> Any:
        return await ctx.call("network.fetch", params, timeout=5)

    @plugin.method
    async def forever(ctx: Context) -> None:
        await asyncio.Event().wait()

    @plugin.method
    async def naps(ctx: Context) -> str:
        await ctx.sleep(20)
        return f"{ctx.remaining:g}"

    @plugin.method(name="odd/name-1.x")
    async def odd() -> None:
        return None

    @plugin.method
    async def fails(params: dict[str, str]) -> None:
        match params["how"]:
            case "plugin":
                raise PluginError("OUT_OF_INK", "No ink.", {"color": "cyan"}, retryable=True)
            case "exit":
                raise SystemExit(3)
            case "value":
                return {1, 2}  # type: ignore[return-value]
            case "large":
                return "x" * 5_000_000  # type: ignore[return-value]
            case "surrogate":
                return "\ud800"  # type: ignore[return-value]
            case _:
                raise ValueError("a bad value")

    @plugin.stream
    async def narrate(params: SummarizeParams, ctx: Context) -> Any:
        for word in params.text.split():
            yield word
        ctx.set_result({"finishReason": "stop"})

    @plugin.stream
    def count(params: dict[str, int]) -> Any:
        yield from range(params["to"])

    @plugin.stream
    async def shout(params: None, ctx: Context) -> Any:
        async for item in ctx.items:
            yield item.upper()

    return plugin


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


def test_calls_and_results() -> None:
    async def body() -> None:
        async with test_plugin(make(), grants=["storage.read", "storage.write"]) as p:
            seen: list[tuple[float | None, str | None]] = []
            result = await p.call("summarize", {"text": "abcdef"}, on_progress=lambda f, m: seen.append((f, m)))
            assert result == {"summary": "abc"}
            assert seen == [(0.5, "ranking")]
            assert await p.call("add", {"left": 1, "right": 2.0}) == {"sum": 3}
            assert await p.call("blocking", {"a": [1]}) == {"a": [1]}
            assert p.storage == {"seen": {"a": [1]}}
            assert await p.call("odd/name-1.x") is None
            assert p.denials == []

    run(body())


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({}, "text is missing"),
        (None, "text is missing"),
        ({"text": 1}, "text must be a string"),
        ({"text": "a", "sentences": True}, "sentences must be an integer"),
        ({"text": "a", "tags": ["b", 1]}, "tags[1] must be a string"),
        ({"text": "a", "constructor": 1}, "constructor is not a field"),
        ([1], "the params must be a map"),
    ],
)
def test_invalid_params_name_the_field(params: Any, where: str) -> None:
    async def body() -> None:
        async with test_plugin(make()) as p:
            with pytest.raises(InvalidParams, match="summarize: ") as caught:
                await p.call("summarize", params)
            assert where in caught.value.message
            assert caught.value.details["issues"][0]["message"] in caught.value.message

    run(body())


def test_errors_of_handlers() -> None:
    async def body() -> None:
        async with test_plugin(make()) as p:
            with pytest.raises(HandlerError) as caught:
                await p.call("fails", {"how": "plugin"})
            assert caught.value.handler_code == "OUT_OF_INK"
            assert caught.value.details == {"color": "cyan"}
            assert caught.value.retryable
            with pytest.raises(HandlerError, match="^ValueError: a bad value$"):
                await p.call("fails", {"how": "otherwise"})
            with pytest.raises(HandlerError, match="SystemExit"):
                await p.call("fails", {"how": "exit"})
            with pytest.raises(InvalidValue, match="set cannot be sent"):
                await p.call("fails", {"how": "value"})
            with pytest.raises(InvalidValue, match="surrogate"):
                await p.call("fails", {"how": "surrogate"})
            with pytest.raises(FrameTooLarge):
                await p.call("fails", {"how": "large"})
            with pytest.raises(MethodNotFound, match='no method "constructor"\\.$') as not_found:
                await p.call("constructor")
            assert not_found.value.may_have_run is False
            with pytest.raises(MethodNotFound, match='no method "sumarise"\\. Did you mean "summarize"\\?$'):
                await p.call("sumarise")
            with pytest.raises(MethodNotFound, match='Did you mean "narrate"'):
                await p.call("narate")
            with pytest.raises(
                InvalidArgument, match=r'"narrate" is a stream.*use plugin\.stream\(\) \(or ctx\.stream\)'
            ):
                await p.call("narrate", {"text": "a"})

    run(body())


def test_an_unexpected_exception_is_one_record_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        async with test_plugin(make()) as p:
            with pytest.raises(HandlerError):
                await p.call("fails", {"how": "otherwise"})
            (line,) = p.logs
            assert (line.level, line.message) == ("error", 'The handler of "fails" failed.')
            assert line.fields["method"] == "fails" and set(line.fields["err"]) == {"name", "message", "stack"}
            assert (line.fields["err"]["name"], line.fields["err"]["message"]) == ("ValueError", "a bad value")
            assert line.fields["err"]["stack"].startswith("Traceback") and "in fails" in line.fields["err"]["stack"]
            # What the author raised on purpose, or met at the host, is no surprise.
            with pytest.raises(HandlerError):
                await p.call("fails", {"how": "plugin"})
            with pytest.raises(CapabilityDenied):
                await p.call("publish", {"topic": "t"})
            with pytest.raises(InvalidParams):
                await p.call("summarize")
            assert len(p.logs) == 1

    run(body())
    assert caplog.records == []


def test_an_error_of_a_nested_call_does_not_speak_for_the_handler() -> None:
    plugin = Plugin()
    raised: list[WorkerError] = []

    @plugin.method
    async def save(params: dict[str, str], ctx: Context) -> None:
        await ctx.storage.set("ok/1", 1)
        try:
            await ctx.call(params["then"], {"key": "no/1"})
        except WorkerError as error:
            raised.append(error)
            raise

    @plugin.method
    def save_on_a_thread(ctx: Context) -> None:
        ctx.wait(ctx.storage.set("ok/2", 1))
        ctx.wait(ctx.storage.set("no/1", 1))

    @plugin.stream
    async def saves(ctx: Context) -> Any:
        await ctx.storage.set("ok/3", 1)
        yield "saved"
        await ctx.call("storage.sett")

    def confirm(params: Any) -> None:
        raise WorkerError("Somebody must confirm.", code="CONFIRMATION_REQUIRED", may_have_run=False)

    def busy(params: Any) -> None:
        raise Overloaded("Try again.", may_have_run=False, details={"limit": 1})

    def own(params: Any) -> None:
        raise WorkerError("No ink.", code="HANDLER_ERROR", may_have_run=False)

    services = {"a.confirm": confirm, "a.busy": busy, "a.own": own}
    grants: list[GrantLike] = ["a.confirm", "a.busy", "a.own", {"capability": "storage.write", "keys": ["ok/*"]}]

    async def body() -> None:
        async with test_plugin(plugin, grants=grants, services=services) as p:

            async def failure(method: str, params: Any = None) -> WorkerError:
                with pytest.raises(WorkerError) as caught:
                    await p.call(method, params)
                return caught.value

            denied = await failure("save", {"then": "storage.set"})
            assert raised[0].may_have_run is False and p.storage == {"ok/1": 1}
            assert isinstance(denied, CapabilityDenied) and denied.may_have_run is None
            assert denied.scope == {"keys": ["no/1"]} and denied.decision_id == p.denials[0].decision_id
            on_a_thread = await failure("save_on_a_thread")
            assert isinstance(on_a_thread, CapabilityDenied) and on_a_thread.may_have_run is None
            for then in ("a.confirm", "a.own"):
                travelling = await failure("save", {"then": then})
                assert travelling.code == raised[-1].code and travelling.may_have_run is None
                assert not isinstance(travelling, HandlerError) or travelling.handler_code is None
            for then, code in (("a.busy", "OVERLOADED"), ("storage.sett", "METHOD_NOT_FOUND")):
                other = await failure("save", {"then": then})
                assert raised[-1].code == code and raised[-1].may_have_run is False
                assert isinstance(other, HandlerError) and other.handler_code == code and other.may_have_run is None
                assert other.message == raised[-1].message and other.details == raised[-1].details
                assert other.retryable is raised[-1].retryable
            assert 'Did you mean "storage.set"?' in raised[-1].message
            stream = p.stream("saves")
            with pytest.raises(HandlerError) as caught:
                assert [item async for item in stream] == ["saved"]
            assert caught.value.handler_code == "METHOD_NOT_FOUND" and caught.value.may_have_run is None
            assert p.storage.keys() == {"ok/1", "ok/2", "ok/3"}

    run(body())


def test_an_error_of_a_nested_call_in_on_load() -> None:
    plugin = Plugin()

    @plugin.on_load
    async def load(ctx: Context) -> None:
        await ctx.call("storage.gett", {})

    async def body() -> None:
        with pytest.raises(HandlerError) as caught:
            async with test_plugin(plugin):
                pass
        assert caught.value.handler_code == "METHOD_NOT_FOUND" and caught.value.may_have_run is None

    run(body())


def test_storage_is_listed_in_pages() -> None:
    plugin = Plugin()

    @plugin.method
    async def keys(params: dict[str, Any], ctx: Context) -> list[str]:
        return await ctx.storage.list(params.get("prefix"))

    @plugin.method
    async def page(params: dict[str, Any], ctx: Context) -> Any:
        return await ctx.call("storage.list", params)

    async def body() -> None:
        async with test_plugin(plugin, grants=[{"capability": "storage.read", "keys": ["n/*"]}]) as p:
            wanted = [f"n/{number:04}" for number in range(2_500)]
            p.storage.update(dict.fromkeys([*reversed(wanted), "m", "o"], 1))
            assert await p.call("keys", {"prefix": "n/"}) == wanted
            assert await p.call("keys", {"prefix": "n/24"}) == wanted[2_400:]
            assert await p.call("keys", {"prefix": "n/none"}) == []
            first = await p.call("page", {"prefix": "n/"})
            assert first == {"keys": wanted[:1_000], "more": True}
            second = await p.call("page", {"prefix": "n/", "after": "n/0999"})
            assert second == {"keys": wanted[1_000:2_000], "more": True}
            last = await p.call("page", {"prefix": "n/", "after": "n/1999"})
            assert last == {"keys": wanted[2_000:], "more": False}
            assert (await p.call("page", {"prefix": "n/", "after": "n/1499"}))["more"] is False
            # As on a real host: a list touches every key below its prefix, so part of a grant is not enough.
            with pytest.raises(CapabilityDenied) as caught:
                await p.call("keys", {})
            assert caught.value.scope == {"keys": ["*"]}

    run(body())


def test_a_host_that_does_not_advance_ends_the_list() -> None:
    plugin = Plugin()

    @plugin.method
    async def keys(ctx: Context) -> list[str]:
        return await ctx.storage.list()

    async def body() -> None:
        services = {"storage.list": lambda params: {"keys": ["a", "b"], "more": True}}
        async with test_plugin(plugin, grants=["storage.read"], services=services) as p:
            assert await p.call("keys") == ["a", "b", "a", "b"]

    run(body())


@pytest.mark.requirement("python.denial")
def test_a_denial_travels_with_its_details() -> None:
    async def body() -> None:
        async with test_plugin(make(), grants=[{"capability": "events.publish", "topics": ["mail.*"]}]) as p:
            assert await p.call("publish", {"topic": "mail.sent"}) == "event-1"
            assert [event.topic for event in p.published] == ["mail.sent"]
            with pytest.raises(CapabilityDenied) as caught:
                await p.call("publish", {"topic": "mail.sent.now"})
            denied = caught.value
            assert denied.capability == "events.publish"
            assert denied.scope == {"topics": ["mail.sent.now"]}
            assert denied.decision_id == p.denials[0].decision_id
            assert "events.publish" in denied.message and "mail.sent.now" in denied.message
            await p.set_grants([])
            with pytest.raises(CapabilityDenied):
                await p.call("publish", {"topic": "mail.sent"})
            assert len(p.denials) == 2

    run(body())


def test_streams_both_ways() -> None:
    async def body() -> None:
        async with test_plugin(make()) as p:
            stream = p.stream("narrate", {"text": "a b c"})
            assert [item async for item in stream] == ["a", "b", "c"]
            assert await stream.result == {"finishReason": "stop"}
            plain = p.stream("count", {"to": 3})
            assert [item async for item in plain] == [0, 1, 2]
            assert await plain.result is None
            echo = p.stream("shout", items=["x", "y"])
            assert [item async for item in echo] == ["X", "Y"]

    run(body())


def test_a_slow_reader_stops_the_generator() -> None:
    produced = 0
    closed = False
    plugin = Plugin()

    @plugin.stream
    async def flood() -> Any:
        nonlocal produced, closed
        try:
            while True:
                produced += 1
                yield b"x" * 10_000
        finally:
            closed = True

    async def body() -> None:
        async with test_plugin(plugin) as p:
            stream = p.stream("flood")
            await p.settle()
            # 256 KiB of credit, overdrawn by at most one frame, and one item in the generator's hand.
            assert 26 <= produced <= 28
            taken = 0
            async for _ in stream:
                taken += 1
                # Slow enough for the window to stay as it is.
                await p.clock.advance(0.02)
                if taken == 60:
                    break
            await p.settle()
            assert 60 < produced <= 60 + 28 + 7
            await stream.cancel()
            await p.settle()
            assert closed
            with pytest.raises(Cancelled):
                await stream.result

    run(body())


def test_a_reader_of_input_holds_up_the_caller() -> None:
    plugin = Plugin()
    go = asyncio.Event()
    sent = 0

    @plugin.method
    async def total(ctx: Context) -> int:
        await go.wait()
        return sum([len(item) async for item in ctx.items])

    async def body() -> None:
        nonlocal go
        go = asyncio.Event()

        async def items() -> Any:
            nonlocal sent
            for _ in range(100):
                sent += 1
                yield b"x" * 10_000

        async with test_plugin(plugin) as p:
            stream = p.stream("total", items=items())
            await p.settle()
            assert 26 <= sent <= 28
            go.set()
            assert await stream.result == 1_000_000

    run(body())


def test_deadlines_on_the_simulated_clock() -> None:
    async def body() -> None:
        async with test_plugin(make()) as p:
            assert await advance_while(p, 20, p.call("naps", timeout=30)) == "10"
            with pytest.raises(DeadlineExceeded, match="forever did not end"):
                await advance_while(p, 30, p.call("forever"))
            # The nested call has its own limit of 5 s, or what its parent has left.
            p.faults.stall("network.fetch")
            with pytest.raises(HandlerError, match="network.fetch did not end within its time limit of 5 s") as caught:
                await advance_while(p, 5, p.call("fetch"))
            assert caught.value.handler_code == "DEADLINE_EXCEEDED"

    run(body())


async def advance_while(p: Any, seconds: float, call: Any) -> Any:
    task = asyncio.ensure_future(call)
    await p.clock.advance(seconds)
    assert task.done()
    return await task


def test_cancel_reaches_the_handler_and_its_host_calls() -> None:
    stopped: list[str] = []
    plugin = Plugin()

    @plugin.method
    async def slow(ctx: Context) -> None:
        try:
            await ctx.call("network.fetch")
        except asyncio.CancelledError:
            stopped.append("cancelled" if ctx.cancelled else "not")
            with pytest.raises(Cancelled):
                ctx.raise_if_cancelled()
            with pytest.raises(Cancelled):
                await ctx.storage.get("k")
            raise

    async def body() -> None:
        async with test_plugin(plugin, services={"network.fetch": lambda params: None}) as p:
            p.faults.stall("network.fetch")
            task = asyncio.create_task(p.call("slow"))
            await p.settle()
            task.cancel()
            await p.settle()
            assert task.cancelled() and stopped == ["cancelled"]

    run(body())


def test_custom_services_need_a_grant() -> None:
    async def body() -> None:
        async def fetch(params: Any) -> Any:
            return {"status": 200, "url": params["url"]}

        services = {"network.fetch": fetch}
        async with test_plugin(make(), grants=["network.fetch"], services=services) as p:
            assert (await p.call("fetch", {"url": "u"}))["url"] == "u"
            p.faults.deny("network.fetch")
            with pytest.raises(CapabilityDenied):
                await p.call("fetch", {"url": "u"})
        async with test_plugin(make(), services=services) as p:
            with pytest.raises(CapabilityDenied):
                await p.call("fetch", {"url": "u"})

    run(body())


@pytest.mark.parametrize(("at", "may_have_run"), [("before-send", False), ("after-send", True)])
def test_a_crash_tells_whether_the_call_may_have_run(at: Any, may_have_run: bool) -> None:
    lost: list[HostLost] = []
    plugin = Plugin()

    @plugin.method
    async def store(ctx: Context) -> None:
        try:
            await asyncio.shield(asyncio.ensure_future(keep(ctx)))
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            raise

    async def keep(ctx: Context) -> None:
        try:
            await ctx.storage.set("k", 1)
        except HostLost as error:
            lost.append(error)

    async def body() -> None:
        async with test_plugin(plugin, grants=["storage.write"]) as p:
            p.faults.crash(at=at)
            with pytest.raises(WorkerLost) as caught:
                await p.call("store")
            assert caught.value.may_have_run is True
            await p.settle()
            assert [error.may_have_run for error in lost] == [may_have_run]
            assert p.storage == {}

    run(body())


def test_drop_loses_the_answer_but_not_the_effect() -> None:
    plugin = Plugin()

    @plugin.method
    async def store(ctx: Context) -> None:
        await ctx.storage.set("k", 1)

    async def body() -> None:
        async with test_plugin(plugin, grants=["storage.write"]) as p:
            p.faults.drop("storage.set")
            with pytest.raises(DeadlineExceeded):
                await advance_while(p, 30, p.call("store"))
            assert p.storage == {"k": 1}

    run(body())


def test_concurrency_limit_and_stuck_handlers() -> None:
    async def body() -> None:
        async with test_plugin(make(), limits=Limits(max_concurrency=2)) as p:
            first = [asyncio.create_task(p.call("forever")) for _ in range(2)]
            await p.settle()
            with pytest.raises(Overloaded) as caught:
                await p.call("add", {"left": 1, "right": 1})
            assert caught.value.retryable
            for task in first:
                task.cancel()
            await p.settle()
            assert await p.call("add", {"left": 1, "right": 1}) == {"sum": 2}

    run(body())


def test_events_reach_every_handler_that_matches_in_order() -> None:
    got: list[tuple[str, str, Any]] = []
    plugin = Plugin()

    @plugin.on("mail.*")
    async def one(event: Event) -> None:
        await asyncio.sleep(0)
        got.append(("one", event.topic, event.payload))

    @plugin.on("mail.**")
    def all_of_it(event: Event, ctx: Context) -> None:
        got.append(("all", event.topic, ctx.plugin_id))

    @plugin.on("mail.broken")
    async def broken(event: Event) -> None:
        raise RuntimeError("no luck")

    dynamic: list[str] = []

    @plugin.method
    async def follow(params: dict[str, str], ctx: Context) -> None:
        await ctx.events.subscribe(params["pattern"], lambda event: dynamic.append(event.topic))

    @plugin.method
    async def unfollow(params: dict[str, str], ctx: Context) -> None:
        await ctx.events.unsubscribe(params["pattern"])

    async def body() -> None:
        async with test_plugin(plugin, grants=["events.subscribe"]) as p:
            assert p.loaded["events"] == ["mail.*", "mail.**", "mail.broken"]
            assert await p.publish_event("mail.in", 1)
            assert await p.publish_event("mail.in", 2)
            assert await p.publish_event("mail.in.deep", 3)
            assert not await p.publish_event("weather", 4)
            await p.idle()
            assert [e for e in got if e[0] == "one"] == [("one", "mail.in", 1), ("one", "mail.in", 2)]
            assert [e[1] for e in got if e[0] == "all"] == ["mail.in", "mail.in", "mail.in.deep"]
            await p.publish_event("mail.broken")
            await p.idle()
            assert [(line.level, line.message) for line in p.logs] == [
                ("error", 'The handler of the event "mail.broken" failed.')
            ]
            assert p.logs[0].fields["err"]["message"] == "no luck" and p.logs[0].fields["topic"] == "mail.broken"
            await p.call("follow", {"pattern": "news.*"})
            assert await p.publish_event("news.today")
            await p.idle()
            await p.call("unfollow", {"pattern": "news.*"})
            assert not await p.publish_event("news.tomorrow")
            assert dynamic == ["news.today"]

    run(body())


def test_a_denied_subscription_fails_the_start() -> None:
    plugin = Plugin()

    @plugin.on("mail.*")
    async def one(event: Event) -> None: ...

    async def body() -> None:
        with pytest.raises(CapabilityDenied, match="events.subscribe"):
            async with test_plugin(plugin):
                pass

    run(body())


def test_hooks_run_once_and_a_failing_load_fails_the_start() -> None:
    ran: list[str] = []
    plugin = Plugin()

    @plugin.on_load
    async def load(ctx: Context) -> None:
        ran.append(f"load {ctx.config.get_string('name')}")

    @plugin.on_unload
    def unload(anything: Context) -> None:
        ran.append(f"unload {anything.draining}")

    async def body() -> None:
        async with test_plugin(plugin, config={"name": "n"}) as p:
            with pytest.raises(MethodNotFound):
                await p.call("plugin.install")
            with pytest.raises(WorkerError, match="called before"):
                await p.call("plugin.load")
        assert ran == ["load n", "unload True"]
        with pytest.raises(WorkerError, match="no value for 'name'"):
            async with test_plugin(plugin, config={"name": " "}):
                pass

    run(body())


@pytest.mark.parametrize("kind", ["call", "stream", "thread"])
def test_leaks_fail_the_test(kind: str) -> None:
    plugin = make()
    release = False

    @plugin.method
    def spin(ctx: Context) -> None:
        while not release and not ctx.cancelled:
            time.sleep(0.001)

    async def body() -> None:
        nonlocal release
        async with test_plugin(plugin) as p:
            if kind == "stream":
                p.stream("narrate", {"text": "a"})
            else:
                asyncio.ensure_future(p.call("forever" if kind == "call" else "spin"))
                await p.settle()

    with pytest.raises(AssertionError, match="left something behind: a (call|stream) of"):
        run(body())
    release = True


def test_a_forgotten_clock_is_named() -> None:
    async def body() -> None:
        async with test_plugin(make(), real_timeout=0.05) as p:
            with pytest.raises(AssertionError, match="p.clock.advance"):
                await p.call("forever")

    run(body())


def test_draining_is_seen_and_new_host_calls_are_nested_only() -> None:
    plugin = make()
    seen: list[Any] = []

    @plugin.on("tick")
    async def tick(event: Event, ctx: Context) -> None:
        seen.append(ctx.draining)
        try:
            await ctx.health("ok")
        except WorkerError as error:
            seen.append(error.code)

    async def body() -> None:
        async with test_plugin(plugin, grants=["events.subscribe"]) as p:
            await p.publish_event("tick")
            await p.idle()
            await p.drain()
            await p.publish_event("tick")
            await p.idle()
            assert seen == [False, True, "DRAINING"]
            assert p.health == [("ok", None)]

    run(body())


async def test_the_fixture_brings_its_own_loop(synapse_plugin: Any) -> None:
    async with synapse_plugin(make()) as p:
        assert await p.call("add", {"left": 2, "right": 2}) == {"sum": 4}
