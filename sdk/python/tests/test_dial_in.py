"""Real processes that dial a Unix socket: who they say they are, cuts in the middle of calls, fresh sessions, and the end."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from launched import Remote, Wire, seconds_since
from raw import WELCOME
from test_resume import RESUMABLE

from synapse_worker.wire import messages as m

PLUGIN = """
loads = []
@plugin.on_load
async def load(ctx: Context):
    loads.append("load")
@plugin.on_unload
async def unload(ctx):
    loads.append("unload")
@plugin.method
async def echo(params: dict): return params
@plugin.method
async def history(): return loads
@plugin.method
async def slow(params: dict, ctx: Context):
    try:
        value = await ctx.storage.get("k")
        await asyncio.sleep(params["seconds"])
        return value
    except asyncio.CancelledError:
        loads.append("cancelled")
        raise
    except HostLost as error:
        loads.append(f"lost {error.may_have_run}")
        raise
@plugin.stream
async def count(params: dict):
    for number in range(params["to"]):
        yield number
"""


class Server:
    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, "s")
        self.address = f"unix:{self.path}"
        self.listen()

    def listen(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen()
        self.socket.settimeout(10)

    def accept(self) -> Wire:
        return Wire(self.socket.accept()[0])

    def close(self) -> None:
        self.socket.close()
        os.unlink(self.path)


@pytest.fixture
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        yield server
        server.socket.close()


def resume(wire: Wire, received: int) -> dict[str, object]:
    """Answers the hello of a worker that comes back."""
    hello: dict[str, object] = wire.read()[1]
    wire.send(m.WELCOME, {**RESUMABLE, "resumed": {"received": received}})
    return hello


@pytest.mark.requirement("python.dial-in")
def test_who_a_worker_says_it_is_and_its_way_to_the_end(server: Server) -> None:
    with Remote(PLUGIN, server.address, manifest="# a plugin\nid: author/p  # the id\nversion: '1.2.3'\n") as remote:
        wire = server.accept()
        hello = wire.welcome(**RESUMABLE)[1]
        assert hello["plugin"] == {"id": "author/p", "version": "1.2.3"} and hello["token"] == "registration"
        assert hello["manifestDigest"] == hashlib.sha256(remote.manifest.encode()).hexdigest()
        assert hello["features"] == ["resume"] and "manifest" not in hello and "resume" not in hello
        assert wire.result("echo", {"a": 1}) == {"a": 1}
        wire.send(m.GOODBYE, "STOPPED", "bye")
        assert remote.wait()[0] == 0


def test_everything_by_arguments_and_the_manifest_brought_along(server: Server) -> None:
    run = f"channel={server.address!r}, token_file=os.path.dirname(os.path.abspath(__file__)) + '/token', bring_manifest=True, id='q', version='2.0.0'"
    with Remote(PLUGIN, "", run=run, manifest="? complicated\n") as remote:
        wire = server.accept()
        hello = wire.welcome(**RESUMABLE)[1]
        assert hello["plugin"] == {"id": "q", "version": "2.0.0"}
        assert hello["manifest"] == remote.manifest and "manifestDigest" not in hello


@pytest.mark.requirement("python.resume")
def test_a_connection_cut_in_the_middle_of_calls(server: Server) -> None:
    with Remote(PLUGIN, server.address) as remote:
        wire = server.accept()
        wire.welcome(**RESUMABLE)
        received = 1  # the answer to plugin.load
        id = wire.request("slow", {"seconds": 0.05})
        request = wire.read_kind(m.REQUEST)
        received += 1
        wire.socket.close()
        # The handler runs on; what it asks for is answered on the next connection.
        again = server.accept()
        again._next_id = wire._next_id
        hello = resume(again, received)
        assert hello["resume"] == {"session": "s", "token": "secret", "received": 2} and "token" not in hello
        again.send(m.RESPONSE, request[1], None, {"found": True, "value": "kept"})
        answer = again.read_kind(m.RESPONSE)
        assert answer[1] == id and answer[3] == "kept"
        # Cut once more, and the answer is said not to have arrived: it comes again, once.
        again.socket.close()
        last = server.accept()
        last._next_id = again._next_id
        assert resume(last, received)["resume"] == {"session": "s", "token": "secret", "received": 3}
        assert last.read_kind(m.RESPONSE)[1:] == [id, None, "kept"]
        assert last.result("history") == ["load"]
        last.send(m.GOODBYE, "STOPPED", "bye")
        status, errors = remote.wait()
        assert status == 0 and "lost" in errors and "secret" not in errors


def test_a_stream_cut_again_and_again_has_no_gap_and_no_double(server: Server) -> None:
    with Remote(PLUGIN, server.address):
        wire = server.accept()
        wire.welcome(**RESUMABLE)
        wire.request("count", {"to": 3_000}, m.CALLER_EXPECTS_ITEMS)
        received, numbers = 1, []
        for cut in (100, 400, 401, 1_900, None):
            while True:
                message = wire.read()
                received += 1
                if received % 64 == 0:
                    wire.send(m.ACK, received)
                if message[0] == m.RESPONSE:
                    break
                numbers.append(message[2])
                if len(numbers) == cut:
                    break
            if cut is not None:
                wire.socket.close()
                wire = server.accept()
                resume(wire, received)
        assert numbers == list(range(3_000))


def test_a_fresh_session_starts_anew_in_the_same_process(server: Server) -> None:
    with Remote(PLUGIN, server.address) as remote:
        wire = server.accept()
        wire.welcome(**RESUMABLE)
        wire.request("slow", {"seconds": 30})
        wire.read_kind(m.REQUEST)
        wire.socket.close()
        wire = server.accept()
        assert "resume" in wire.welcome(**{**RESUMABLE, "session": "t", "generation": 2})[1]
        # The handler was told before on_unload ran, and that before the next on_load.
        history = wire.result("history")
        assert history[0] == "load" and history[-2:] == ["unload", "load"] and len(history) == 4, history
        assert history[1] in ("cancelled", "lost True")
        assert wire.result("echo", {"a": 1}) == {"a": 1}
        wire.send(m.GOODBYE, "STOPPED", "bye")
        assert remote.wait()[0] == 0


STUBBORN = """
@plugin.method
def deaf():
    time.sleep(60)
@plugin.on_unload
async def unload(ctx):
    raise ValueError("no")
@plugin.method
async def echo(params: dict): return params
"""


def test_a_handler_that_does_not_listen_does_not_hold_up_the_next_session(server: Server) -> None:
    with Remote(STUBBORN, server.address) as remote:
        wire = server.accept()
        wire.welcome(**RESUMABLE)
        wire.request("deaf")
        wire.send(m.PING, 1)
        wire.read_kind(m.PONG)
        wire.socket.close()
        start = time.monotonic()
        wire = server.accept()
        wire.welcome(**{**RESUMABLE, "session": "t", "generation": 2})
        assert seconds_since(start) < 5
        assert wire.result("echo", {"a": 1}) == {"a": 1}
        wire.send(m.GOODBYE, "STOPPED", "bye")
        status, errors = remote.wait()
        assert status == 0 and "on_unload failed" in errors


def test_a_host_that_is_not_up_yet_is_waited_for() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s")
        with Remote(PLUGIN, f"unix:{path}"):
            time.sleep(0.5)
            server = Server(folder)
            server.accept().welcome(**RESUMABLE)
            server.close()


def test_a_host_that_never_comes_up_is_given_up_in_the_end() -> None:
    with tempfile.TemporaryDirectory() as folder, Remote(PLUGIN, f"unix:{folder}/s", run="dial_timeout=0.4") as remote:
        status, errors = remote.wait()
        assert status == 1 and "cannot be reached: No such file" in errors


def test_a_stop_signal_between_connections_ends_at_once(server: Server) -> None:
    with Remote(PLUGIN, server.address) as remote:
        wire = server.accept()
        wire.welcome(**RESUMABLE)
        server.close()
        wire.socket.close()
        time.sleep(0.6)
        start = time.monotonic()
        remote.process.send_signal(signal.SIGTERM)
        assert remote.wait()[0] == 0 and seconds_since(start) < 2
    with tempfile.TemporaryDirectory() as folder, Remote(PLUGIN, f"unix:{folder}/s") as remote:
        time.sleep(0.5)
        remote.process.send_signal(signal.SIGINT)
        assert remote.wait()[0] == 0


@pytest.mark.requirement("python.dial-in")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can listen as somebody else")
def test_a_socket_of_somebody_else_is_not_told_the_token() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        path = os.path.join(folder, "s")
        source = f"""
import os, socket
os.setuid(65534)
s = socket.socket(socket.AF_UNIX); s.bind({path!r}); os.chmod({path!r}, 0o777); s.listen(); print("up", flush=True)
while True: print(s.accept()[0].recv(100), flush=True)
"""
        planted = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE)
        assert planted.stdout is not None and planted.stdout.readline() == b"up\n"
        try:
            for run, expected in (("", 1), ("host_uid=65534, dial_timeout=0.2", None)):
                with Remote(PLUGIN, f"unix:{path}", run=run) as remote:
                    assert planted.stdout.readline()[:4] == (b"b''\n" if expected else b"b'\\x")
                    if expected is not None:
                        status, errors = remote.wait()
                        assert status == expected and "host_uid=65534" in errors
        finally:
            planted.kill()
            planted.communicate()


def test_looking_for_a_host_costs_no_processor_time(server: Server) -> None:
    with Remote(PLUGIN, server.address) as remote:
        wire = server.accept()
        wire.welcome(**RESUMABLE)
        server.close()
        wire.socket.close()
        time.sleep(0.3)
        before = _processor_seconds(remote.process.pid)
        time.sleep(1.2)
        assert _processor_seconds(remote.process.pid) - before < 0.2


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_host_that_accepts_and_drops_is_not_hammered(server: Server) -> None:
    with Remote(PLUGIN, server.address):
        wire = server.accept()
        wire.welcome(**RESUMABLE)
        wire.socket.close()
        dials, start = 0, time.monotonic()
        server.socket.settimeout(0.3)
        while seconds_since(start) < 1.5:
            try:
                wire = server.accept()
            except TimeoutError:
                continue
            dials += 1
            # Welcomed each time, and dropped each time: no success that would start the pauses anew.
            resume(wire, 1)
            wire.socket.close()
        assert 2 <= dials <= 30, dials


@pytest.mark.parametrize(
    ("code", "said"),
    [("UNAUTHENTICATED", "new token"), ("UNSUPPORTED_VERSION", "Install"), ("HANDSHAKE_INVALID", "refused")],
)
def test_a_final_reject_ends_the_process(server: Server, code: str, said: str) -> None:
    with Remote(PLUGIN, server.address) as remote:
        wire = server.accept()
        wire.read()
        wire.send(m.REJECT, code, "No.", {})
        status, errors = remote.wait()
        assert status == 1 and said in errors and "Traceback" not in errors and "registration" not in errors
        assert errors.count(code) == 1


def test_an_overloaded_host_is_tried_again(server: Server) -> None:
    with Remote(PLUGIN, server.address):
        wire = server.accept()
        wire.read()
        wire.send(m.REJECT, "OVERLOADED", "Full.", {})
        wire.socket.close()
        assert "resume" not in server.accept().welcome(**RESUMABLE)[1]


def test_a_reject_after_the_connection_was_lost_tells_the_handlers_and_ends(server: Server) -> None:
    with Remote(PLUGIN, server.address) as remote:
        wire = server.accept()
        wire.welcome(**RESUMABLE)
        wire.request("slow", {"seconds": 30})
        wire.read_kind(m.REQUEST)
        wire.socket.close()
        wire = server.accept()
        wire.read()
        wire.send(m.REJECT, "UNAUTHENTICATED", "A newer worker took your place.", {})
        status, errors = remote.wait()
        assert status == 1 and "A newer worker took your place" in errors


def test_a_host_that_does_not_resume_is_lost_with_its_connection(server: Server) -> None:
    with Remote(PLUGIN, server.address) as remote:
        wire = server.accept()
        wire.welcome(**WELCOME)
        wire.socket.close()
        status, errors = remote.wait()
        assert status == 1 and "closed the connection" in errors


def test_a_host_that_has_gone_silent_is_left(server: Server) -> None:
    with Remote(PLUGIN, server.address):
        wire = server.accept()
        wire.welcome(**{**RESUMABLE, "heartbeatMs": 200})
        start = time.monotonic()
        again = server.accept()
        assert 0.4 < seconds_since(start) < 5
        assert "resume" in again.read()[1]


@pytest.mark.parametrize("received", [99, 0])
def test_a_hostile_count_ends_the_process(server: Server, received: int) -> None:
    with Remote(PLUGIN, server.address) as remote:
        wire = server.accept()
        wire.welcome(**RESUMABLE)
        wire.send(m.ACK, 1)
        wire.send(m.PING, 1)
        wire.read_kind(m.PONG)
        wire.socket.close()
        wire = server.accept()
        resume(wire, received)
        assert wire.read_kind(m.GOODBYE)[1] == "PROTOCOL_ERROR"
        status, errors = remote.wait()
        assert status == 1 and "ack" in errors


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"token": None}, "SYNAPSE_WORKER_TOKEN_FILE"),
        ({"manifest": "id: [p]\nversion: 1.0.0\n"}, "SYNAPSE_WORKER_PLUGIN_ID"),
        ({"env": {"SYNAPSE_WORKER_MANIFEST": "/nowhere.yml"}}, "/nowhere.yml"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_dialled(settings: dict[str, str], said: str) -> None:
    with Remote(PLUGIN, "unix:/nowhere", **settings) as remote:  # type: ignore[arg-type]
        status, errors = remote.wait()
        assert status == 2 and said in errors and "Traceback" not in errors
