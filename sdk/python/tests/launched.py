"""A plugin in a process of its own, launched as a host does it or dialling in, and a host made of plain blocking reads."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from types import TracebackType
from typing import Any

import msgpack
from raw import WELCOME

from synapse_worker.wire import messages as m
from synapse_worker.wire.frames import FrameSplitter, header

_HEAD = "import asyncio, os, signal, subprocess, sys, time\nfrom synapse_worker import *\nplugin = Plugin()\n"


class Wire:
    """The host's end of a connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.socket.settimeout(10)
        self.splitter = FrameSplitter(2**31)
        self._next_id = 2

    def send(self, *elements: Any) -> None:
        body = msgpack.packb(list(elements))
        self.socket.sendall(header(len(body)) + body)

    def read(self) -> list[Any]:
        """The next message that is no ack; an empty list at the end."""
        while True:
            message = self.read_any()
            if not message or message[0] != m.ACK:
                return message

    def read_any(self) -> list[Any]:
        """The next message; an empty list at the end."""
        while (body := self.splitter.next_body()) is None:
            if not self.receive():
                return []
        message: list[Any] = msgpack.unpackb(body)
        return message

    def receive(self, max_bytes: int = 65_536) -> bool:
        """Takes bytes from the connection. False at the end."""
        data = self.socket.recv(max_bytes)
        self.splitter.feed(data)
        return bool(data)

    def read_kind(self, kind: int) -> list[Any]:
        while True:
            message = self.read()
            if not message or message[0] == kind:
                return message

    def welcome(self, **fields: Any) -> list[Any]:
        """Answers the hello and loads the plugin."""
        hello = self.read()
        self.send(m.WELCOME, {**WELCOME, **fields})
        answer = self.call("plugin.load", {})
        assert answer[2:3] in ([], [None]), answer
        return hello

    def request(self, method: str, params: Any = None, *more: Any) -> int:
        id, self._next_id = self._next_id, self._next_id + 2
        self.send(m.REQUEST, id, method, params, *more)
        return id

    def call(self, method: str, params: Any = None) -> list[Any]:
        self.request(method, params)
        return self.read_kind(m.RESPONSE)

    def result(self, method: str, params: Any = None) -> Any:
        answer = self.call(method, params)
        assert answer[2:3] in ([], [None]), answer
        return answer[3] if len(answer) > 3 else None


class Launched(Wire):
    def __init__(
        self, source: str, *, channel: str = "fd:3", tail: str = "plugin.run()", env: dict[str, str] | None = None
    ) -> None:
        self._folder = tempfile.TemporaryDirectory()
        path = os.path.join(self._folder.name, "plugin.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(_HEAD + textwrap.dedent(source) + "\n" + tail + "\n")
        environ = {
            "PATH": os.environ["PATH"], "SYNAPSE_WORKER_CHANNEL": channel, "SYNAPSE_WORKER_PLUGIN_ID": "p",
            "SYNAPSE_WORKER_PLUGIN_VERSION": "1.0.0", "HARMLESS": "1", **(env or {}),
        }  # fmt: skip
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        stdio = theirs.fileno() if channel == "stdio" else None

        def put_on_3() -> None:
            os.dup2(theirs.fileno(), 3)

        self.process = subprocess.Popen(
            [sys.executable, path],
            env=environ,
            stdin=subprocess.DEVNULL if stdio is None else stdio,
            stdout=subprocess.PIPE if stdio is None else stdio,
            stderr=subprocess.PIPE,
            pass_fds=(3,) if channel == "fd:3" else (),
            preexec_fn=put_on_3 if channel == "fd:3" else None,
        )
        theirs.close()

    def __enter__(self) -> Launched:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()
        self.socket.close()
        self._folder.cleanup()

    def wait(self, timeout: float = 8) -> tuple[int, str]:
        """The exit status and standard error."""
        _, errors = self.process.communicate(timeout=timeout)
        return self.process.returncode, errors.decode()

    def stop(self) -> tuple[int, str]:
        self.send(m.DRAIN, 1000, "stop")
        self.call("plugin.unload")
        self.send(m.GOODBYE, "STOPPED", "bye")
        return self.wait()


class Remote:
    """A plugin that somebody has started by hand, to dial the address of a host made of plain sockets."""

    def __init__(
        self,
        source: str,
        address: str,
        *,
        run: str = "",
        env: dict[str, str] | None = None,
        manifest: str = "id: p\nversion: 1.0.0\n",
        token: str | None = "registration",
    ) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.folder = self._folder.name
        self._write("plugin.py", _HEAD + textwrap.dedent(source) + f"\nplugin.run({run})\n")
        self._write("manifest.yml", manifest)
        self.manifest = manifest
        environ = {"PATH": os.environ["PATH"], "SYNAPSE_WORKER_CHANNEL": address, **(env or {})}
        if token is not None:
            self._write("token", token)
            os.chmod(os.path.join(self.folder, "token"), 0o600)
            environ["SYNAPSE_WORKER_TOKEN_FILE"] = os.path.join(self.folder, "token")
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(self.folder, "plugin.py")],
            env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def _write(self, name: str, text: str) -> None:
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def __enter__(self) -> Remote:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()
        self._folder.cleanup()

    def wait(self, timeout: float = 8) -> tuple[int, str]:
        """The exit status and standard error."""
        _, errors = self.process.communicate(timeout=timeout)
        return self.process.returncode, errors.decode()


def seconds_since(start: float) -> float:
    return time.monotonic() - start
