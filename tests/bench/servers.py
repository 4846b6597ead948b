"""Servers to be measured, each a process of its own on free ports."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
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
    """

    def __init__(self, command: list[str], *ports: int, patience: float = 20.0) -> None:
        self.port = ports[0]
        self.ports = ports
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.log = tempfile.TemporaryFile()
        begin = time.monotonic()
        self._process = subprocess.Popen(
            command, env=environment, stdout=self.log, stderr=subprocess.STDOUT
        )
        while not all(is_open(port) for port in ports):
            assert self._process.poll() is None, self.said()
            assert time.monotonic() - begin < patience, f"not ready: {self.said()}"
            time.sleep(0.002)
        self.started_in = time.monotonic() - begin

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


def ours(data: Path, *options: str) -> Server:
    """Start our name server and broker in one process."""
    broker, name_server = free_port(), free_port()
    twistd = str(Path(sys.executable).with_name("twistd"))
    where = [
        f"--listen=127.0.0.1:{broker}",
        f"--namesrv-listen=127.0.0.1:{name_server}",
    ]
    command = [twistd, "-n", "--pidfile=", "rocketmq", f"--data={data}", *where]
    return Server([*command, "--advertise=127.0.0.1", *options], broker, name_server)


def floor(path: Path) -> Server:
    """Start the floor."""
    port = free_port()
    return Server([sys.executable, str(path), str(port)], port)
