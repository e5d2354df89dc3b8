"""Real processes on descriptor 3: launch duties, spinning handlers, signals, and an end that always comes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest
from launched import Launched, Wire, seconds_since

from synapse_worker.wire import messages as m

PLUGIN = """
print("at the top")
@plugin.method
async def facts(ctx: Context):
    print("from a handler")
    subprocess.run(["echo", "from a child"])
    return {
        "environ": sorted(os.environ),
        "inheritable": os.get_inheritable(3),
        "config": repr(ctx.config),
        "secret": ctx.config.get_secret("key"),
    }
@plugin.method
async def keep(params: dict, ctx: Context):
    await ctx.storage.set("k", params)
    ctx.log.info("kept", size=len(params), key="hunter2-secret")
    return await ctx.storage.get("k")
@plugin.stream
async def count(ctx: Context):
    for number in range(3):
        yield number
@plugin.method
async def fail(ctx: Context):
    raise ValueError("the key is hunter2-secret")
@plugin.on_unload
def unload(ctx):
    print("unloaded")
"""


def test_a_launched_worker_from_hello_to_goodbye() -> None:
    with Launched(PLUGIN, env={"SYNAPSE_WORKER_ID": "marker"}) as worker:
        hello = worker.welcome(config={"key": "hunter2-secret"}, secretConfigKeys=["key"], debug=True)
        assert hello[1]["plugin"] == {"id": "p", "version": "1.0.0"}
        facts = worker.result("facts")
        # The marker stays: processes that the plugin starts are recognised by it.
        assert [name for name in facts["environ"] if name.startswith("SYNAPSE")] == ["SYNAPSE_WORKER_ID"]
        assert facts["inheritable"] is False
        assert facts["secret"] == "hunter2-secret" and "hunter2" not in facts["config"]

        id = worker.request("keep", {"a": 1}, None, 5_000)
        request = worker.read_kind(m.REQUEST)
        assert request[2:4] == ["storage.set", {"key": "k", "value": {"a": 1}}] and request[7] == id
        worker.send(m.RESPONSE, request[1])
        line = worker.read_kind(m.ONE_WAY)
        assert line[1] == "log.write" and line[2]["fields"] == {"size": 1, "key": "[secret]"}
        request = worker.read_kind(m.REQUEST)
        worker.send(m.RESPONSE, request[1], None, {"found": True, "value": {"a": 1}})
        assert worker.read_kind(m.RESPONSE)[3] == {"a": 1}

        worker.request("count", None, m.CALLER_EXPECTS_ITEMS)
        assert [worker.read()[2] for _ in range(3)] == [0, 1, 2]
        assert worker.read()[0] == m.RESPONSE

        worker.request("fail")
        line = worker.read_kind(m.ONE_WAY)
        assert line[1] == "log.write"
        assert (line[2]["level"], line[2]["message"]) == ("error", 'The handler of "fail" failed.')
        err = line[2]["fields"]["err"]
        assert (err["name"], err["message"]) == ("ValueError", "the key is [secret]")
        assert "in fail" in err["stack"] and "hunter2" not in err["stack"]
        error = worker.read_kind(m.RESPONSE)[2]
        assert error["code"] == "HANDLER_ERROR" and error["message"] == "ValueError: the key is [secret]"
        assert "in fail" in error["stack"] and "hunter2" not in error["stack"]

        status, errors = worker.stop()
        assert status == 0
        for line_of_stderr in ("at the top", "from a handler", "from a child", "unloaded"):
            assert line_of_stderr in errors
        assert "hunter2" not in errors
        # The failure stands in the host's log, once.
        assert "Traceback" not in errors and "ValueError" not in errors


def test_stacks_travel_only_in_debug() -> None:
    with Launched(PLUGIN) as worker:
        worker.welcome()
        assert "stack" not in worker.call("fail")[2]


SPIN = """
@plugin.method
async def spin(ctx: Context):
    while not ctx.cancelled: pass
@plugin.method
def spin_on_a_thread(ctx: Context):
    while not ctx.cancelled: pass
@plugin.method
async def deaf():
    while True: pass
@plugin.method
def deaf_thread():
    while True: pass
@plugin.method
async def hello(): return "hello"
"""


@pytest.mark.requirement("python.io-thread")
@pytest.mark.parametrize("method", ["spin", "spin_on_a_thread"])
def test_a_spinning_handler_lets_pings_cancels_and_deadlines_through(method: str) -> None:
    with Launched(SPIN) as worker:
        worker.welcome()
        for end in ("cancel", "deadline"):
            id = worker.request(method, None, None, 400 if end == "deadline" else None)
            time.sleep(0.05)
            start = time.monotonic()
            # On a busy machine the deadline may come before the last pong.
            answers = []
            for nonce in range(3):
                worker.send(m.PING, nonce)
                while (message := worker.read())[0] != m.PONG:
                    answers.append(message)
                assert message == [m.PONG, nonce]
            assert seconds_since(start) < 2
            if end == "cancel":
                worker.send(m.CANCEL, id, "enough")
            answer = answers[0] if answers else worker.read_kind(m.RESPONSE)
            assert answer[:2] == [m.RESPONSE, id]
            assert answer[2]["code"] == ("CANCELLED" if end == "cancel" else "DEADLINE_EXCEEDED")
            # ctx.cancelled turned true: the loop is free again.
            assert worker.result("hello") == "hello"
        assert worker.stop()[0] == 0


@pytest.mark.parametrize("method", ["deaf", "deaf_thread"])
def test_the_process_ends_with_its_channel_whatever_spins(method: str) -> None:
    with Launched(SPIN) as worker:
        worker.welcome()
        worker.request(method)
        worker.send(m.PING, 1)
        worker.read_kind(m.PONG)
        start = time.monotonic()
        worker.socket.close()
        status, _ = worker.wait()
        assert status == 1 and seconds_since(start) < 6


TERM = """
@plugin.method
async def slow(ctx: Context):
    while not ctx.draining:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    return "finished"
@plugin.method
async def deaf():
    while True: pass
@plugin.on_unload
async def unload(ctx):
    print("unloaded", ctx.draining)
"""


def test_sigterm_drains_finishes_and_says_goodbye() -> None:
    with Launched(TERM) as worker:
        worker.welcome()
        id = worker.request("slow")
        worker.send(m.PING, 1)
        worker.read_kind(m.PONG)
        worker.process.send_signal(signal.SIGTERM)
        assert worker.read()[:2] == [m.DRAIN, 10_000]
        late = worker.request("slow")
        answers = {message[1]: message for message in (worker.read(), worker.read())}
        assert answers[id][3] == "finished"
        assert answers[late][2]["code"] == "DRAINING"
        assert worker.read()[:2] == [m.GOODBYE, "DRAINED"]
        assert worker.read() == []
        status, errors = worker.wait()
        assert status == 0 and "unloaded True" in errors


def test_sigterm_under_a_deaf_handler() -> None:
    with Launched(TERM, tail="plugin.run(grace=0.2)") as worker:
        worker.welcome()
        worker.request("deaf")
        time.sleep(0.1)
        worker.process.send_signal(signal.SIGTERM)
        assert worker.read()[:2] == [m.DRAIN, 200]
        assert worker.read()[2]["code"] == "CANCELLED"
        assert worker.read()[:2] == [m.GOODBYE, "DRAINED"]
        assert worker.wait()[0] == 0


def test_a_protocol_error_ends_the_process_with_1() -> None:
    with Launched(SPIN) as worker:
        worker.welcome()
        worker.socket.sendall(b"\0\0\0\0")
        assert worker.read_kind(m.GOODBYE)[1] == "PROTOCOL_ERROR"
        status, errors = worker.wait()
        assert status == 1 and "length 0" in errors


def test_a_reject_is_told() -> None:
    with Launched(SPIN) as worker:
        worker.read()
        worker.send(m.REJECT, "UNAUTHENTICATED", "The token is not acceptable.", {})
        status, errors = worker.wait()
        assert status == 1 and "The token is not acceptable" in errors


def test_stdio_keeps_the_protocol_clean() -> None:
    with Launched(PLUGIN, channel="stdio") as worker:
        worker.welcome(config={"key": "k"})
        worker.request("count", None, m.CALLER_EXPECTS_ITEMS)
        assert worker.read()[2] == 0
        worker.read_kind(m.RESPONSE)
        status, errors = worker.stop()
        assert status == 0 and "at the top" in errors


NATIVE = """
os.write(1, b"native at the top\\n")
@plugin.method
def noise():
    os.write(1, b"native in a handler\\n")
    subprocess.run(["sh", "-c", "echo from a shell; ls /proc/self/fd | wc -l; cat"])
    os.system("echo from os.system")
    child = subprocess.run([sys.executable, "-c", "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])"],
                           close_fds=False, capture_output=True, text=True)
    return {"stdin": os.read(0, 10), "child": child.stdout.strip(), "null": os.readlink("/proc/self/fd/0"),
            "same": os.readlink("/proc/self/fd/1") == os.readlink("/proc/self/fd/2")}
@plugin.method
def fork():
    if os.fork() == 0:
        os.write(1, b"from a fork\\n")
        os._exit(0)
    os.wait()
    return "forked"
"""


@pytest.mark.requirement("python.stdio")
def test_on_stdio_nothing_that_prints_or_reads_meets_the_protocol() -> None:
    with Launched(NATIVE, channel="stdio") as worker:
        worker.welcome()
        # A child that is told to keep every descriptor keeps none of the channel.
        noise = worker.result("noise")
        assert noise == {"stdin": b"", "child": "[0, 1, 2]", "null": "/dev/null", "same": True}
        assert worker.result("fork") == "forked"
        status, errors = worker.stop()
        assert status == 0
        for said in ("native at the top", "native in a handler", "from a shell", "from os.system", "from a fork"):
            assert said in errors
    with Launched(NATIVE, channel="stdio") as worker:
        worker.welcome()
        worker.socket.close()
        assert worker.wait()[0] == 1, "what is lost on descriptors is lost for good"


def test_a_standard_output_that_was_a_file() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{folder}/s")
        server.settimeout(10)
        server.listen()
        source = (
            "print('before')\nfrom synapse_worker import Plugin\nprint('at the top')\nplugin = Plugin()\n"
            "@plugin.method\ndef say(): print('from a handler')\nplugin.run()"
        )
        env = {"SYNAPSE_WORKER_CHANNEL": f"unix:{folder}/s", "SYNAPSE_WORKER_ID": "m", "SYNAPSE_WORKER_PLUGIN_ID": "p"}
        with open(f"{folder}/out", "w") as out:
            worker = subprocess.Popen([sys.executable, "-c", source], env=env, stdout=out, stderr=subprocess.PIPE)
        try:
            wire = Wire(server.accept()[0])
            wire.welcome()
            wire.call("say")
            wire.send(m.GOODBYE, "STOPPED", "bye")
            errors = worker.communicate(timeout=8)[1].decode()
            assert worker.returncode == 0 and "at the top\nfrom a handler\n" in errors, errors
            assert Path(folder, "out").read_text() == "before\n"
        finally:
            worker.kill()
            worker.communicate()
            wire.socket.close()


def test_a_resume_is_not_offered_on_descriptors() -> None:
    for channel in ("fd:3", "stdio"):
        with Launched(SPIN, channel=channel) as worker:
            hello = worker.welcome(features=["resume"], resume={"token": "t", "windowMs": 30_000, "maxBytes": 100_000})
            assert hello[1]["features"] == []
            worker.socket.close()
            assert worker.wait()[0] == 1


def test_a_launched_worker_on_a_unix_socket() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        path, token = f"{folder}/s", Path(folder, "token")
        server.bind(path)
        server.listen()
        server.settimeout(10)
        token.write_text("opaque\n")
        token.chmod(0o600)
        env = {"SYNAPSE_WORKER_TOKEN_FILE": str(token), "SYNAPSE_WORKER_ID": "marker"}
        with Launched(SPIN, channel=f"unix:{path}", env=env) as worker:
            worker.socket.close()
            worker.socket, _ = server.accept()
            worker.socket.settimeout(10)
            hello = worker.welcome()[1]
            assert hello["token"] == "opaque" and "manifestDigest" not in hello
            assert worker.result("hello") == "hello"
            assert worker.stop()[0] == 0
        token.chmod(0o644)
        with Launched(SPIN, channel=f"unix:{path}", env=env) as worker:
            status, errors = worker.wait()
            assert status == 2 and "0600" in errors and "opaque" not in errors


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ("", "does not run by itself"), ("fd:99", "fd:99"), ("smoke", "'smoke'"), ("unix:", "'unix:'"),
        ("wss://", "wss://host:port"), ("wss://u:p@example.com", "name or password"), ("ws://example.com/a", "use wss://example.com/a"),
        ("wss://a:99999", "99999"), ("unix:/nowhere", "needs a token"),
    ],
)
def test_without_a_usable_channel(channel: str, said: str) -> None:
    source = "from synapse_worker import Plugin; Plugin().run()"
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={"PATH": os.environ["PATH"], "SYNAPSE_WORKER_CHANNEL": channel},
        capture_output=True, text=True, timeout=10,
    )  # fmt: skip
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_absurd_deadlines_and_forked_children() -> None:
    source = """
    @plugin.method
    async def fork(ctx: Context):
        if os.fork() == 0:
            time.sleep(1)
            os._exit(0)
        return ctx.remaining
    """
    with Launched(textwrap.dedent(source)) as worker:
        worker.welcome()
        worker.request("fork", None, None, 2**53)
        assert worker.read_kind(m.RESPONSE)[3] > 1e12
        worker.process.kill()
        # The child lives on, but holds no copy of the channel.
        assert worker.read() == []
