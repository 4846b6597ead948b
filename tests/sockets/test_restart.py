"""A broker that is restarted while a producer sends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.servers import ROOT, Server
from tests.ports import free_port

#: Sends from several places at once, and says how that went.
PROGRAM = """
import sys
from twisted.internet import task
from twisted.internet.defer import Deferred, gatherResults
from rocketmq_tw import Client, Message

async def send(reactor, producer, n):
    for _ in range(n):
        await producer.send(Message("TopicTest", b"x"))
        await task.deferLater(reactor, 0.01)

async def main(reactor):
    async with Client(reactor, sys.argv[1]) as client:
        producer = client.producer("restart", timeout=30)
        await send(reactor, producer, 1)
        print("sending", flush=True)
        sending = [Deferred.fromCoroutine(send(reactor, producer, 60)) for _ in "12345"]
        await gatherResults(sending)
        print("stored all", flush=True)

task.react(main)
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """Give the command of a name server and a broker, on ports of their own."""
    broker, name_server = free_port(), free_port()
    twistd = str(Path(sys.executable).with_name("twistd"))
    return [
        twistd,
        "-n",
        "--pidfile=",
        "rocketmq",
        f"--data={tmp_path / 'data'}",
        f"--listen=127.0.0.1:{broker}",
        f"--namesrv-listen=127.0.0.1:{name_server}",
        "--advertise=127.0.0.1",
    ]


def test_producer_does_not_notice(command: list[str]) -> None:
    """No send fails: what the restart interrupts is sent again in time."""
    ports = [int(option.rpartition(":")[2]) for option in command if "listen" in option]
    server = Server(command, *ports)
    producer = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, f"127.0.0.1:{ports[1]}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert producer.stdout is not None
        assert producer.stdout.readline() == "sending\n"
        server.stop()
        server = Server(command, *ports)
        output, _ = producer.communicate(timeout=120)
        assert output == "stored all\n"
    finally:
        producer.kill()
        producer.wait()
        server.stop()
