"""Servers to be measured, each a process of its own on free ports."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.ports import free_port

ROOT = Path(__file__).parents[2]


def is_open(port: int) -> bool:
    """Whether something listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """
    A process that listens.

    :param ports: it is ready once all are open; the first is the one to drive.
    :ivar ports: all of them.
    :ivar started_in: seconds from its start until the ports were open.
    :ivar name_server: ``host:port`` of its last port.
    """

    def __init__(self, command: list[str], *ports: int, patience: float = 20.0) -> None:
        self.port = ports[0]
        self.ports = ports
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        # Users start compiled modules, as ``pip`` leaves them; compiling all of them
        # at each start takes longer than the start itself, and memory.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.log = tempfile.TemporaryFile()
        begin = time.monotonic()
        self._process = subprocess.Popen(
            command, env=environment, stdout=self.log, stderr=subprocess.STDOUT
        )
        try:
            self._wait(begin + patience)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        self.started_in = time.monotonic() - begin
        self.name_server = f"127.0.0.1:{ports[-1]}"

    def _wait(self, until: float) -> None:
        """Wait until all ports are open."""
        while not all(is_open(port) for port in self.ports):
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < until, f"not ready: {self.said()}"
            time.sleep(0.002)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def said(self) -> str:
        """Give what it wrote."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-4000:]

    def stop(self) -> None:
        """End it as an operator would; kill it if it does not end."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def ours(data: Path, *options: str, conf: Mapping[str, object] | None = None) -> Server:
    """
    Start our name server and broker in one process.

    :param conf: lines of a ``broker.conf``.
    """
    broker, name_server = free_port(), free_port()
    twistd = str(Path(sys.executable).with_name("twistd"))
    words = [
        f"--listen=127.0.0.1:{broker}",
        f"--namesrv-listen=127.0.0.1:{name_server}",
        f"--data={data}",
        "--advertise=127.0.0.1",
    ]
    if conf:
        data.mkdir(parents=True, exist_ok=True)
        path = data / "broker.conf"
        path.write_text("".join(f"{key}={value}\n" for key, value in conf.items()))
        words.append(f"--config={path}")
    command = [twistd, "-n", "--pidfile=", "rocketmq", *words, *options]
    return Server(command, broker, name_server)


def floor(*options: str) -> Server:
    """Start the floor."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.floor", str(port), *options]
    return Server(command, port)
