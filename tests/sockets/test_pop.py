"""A broker that is killed while messages are in flight."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from signal import SIGKILL

from tests.bench.servers import ROOT, Server
from tests.ports import free_port

#: Receives, acknowledges some, and says which; then whatever comes again.
PROGRAM = """
import sys
from twisted.internet import task
from rocketmq_tw import Client, Message

async def main(reactor):
    async with Client(reactor, sys.argv[1]) as client:
        consumer = client.simple_consumer("G", invisible_time=3)
        if sys.argv[2] == "begin":
            producer = client.producer("P")
            for n in range(10):
                await producer.send(Message("TopicTest", b"%d" % n))
        found = {}
        while len(found) < int(sys.argv[3]):
            for popped in await consumer.receive("TopicTest", wait=5):
                found[popped.body] = popped
        for body in sorted(found)[:6]:
            await consumer.ack(found[body])
        print(*sorted(each.decode() for each in found))

task.react(main)
"""


def run(name_server: str, what: str, count: int) -> str:
    """Run the program; return what it received."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name_server, what, str(count)],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_killed(tmp_path: Path) -> None:
    """What was acknowledged never comes again; all else does."""
    ports = free_port(), free_port()
    twistd = str(Path(sys.executable).with_name("twistd"))
    command = [
        twistd,
        "-n",
        "--pidfile=",
        "rocketmq",
        f"--data={tmp_path / 'data'}",
        f"--listen=127.0.0.1:{ports[0]}",
        f"--namesrv-listen=127.0.0.1:{ports[1]}",
        "--advertise=127.0.0.1",
    ]
    server = Server(command, *ports)
    try:
        assert run(server.name_server, "begin", 10) == "0 1 2 3 4 5 6 7 8 9"
        os.kill(server.pid, SIGKILL)
        server.stop()  # nothing is left to be done; it is waited for
        server = Server(command, *ports)
        assert run(server.name_server, "again", 4) == "6 7 8 9"
    finally:
        server.stop()
