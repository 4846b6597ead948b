"""
Asks for something trivial every 10 ms, and writes down how long it took.

    python -m tests.longrun.hostile.probe PORT:PID... > waits

A process of its own with a thread for each port, and no other work. Each wait is a
line: the port, when it began and how long it took, in seconds; and for how much of it
the server's thread or the probe's were ready to run, but others had the processors.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.requests.offset import GetMaxOffset
from rocketmq_tw.wire.requests.route import GetBrokerMemberGroup
from tests.longrun.hostile.peers import Peer

PERIOD = 0.01
#: A request that takes so long is given up: the server is gone.
PATIENCE = 120.0


def delayed(pid: int, thread: int) -> float:
    """Return for how long a thread waited for a processor since its start, seconds."""
    try:
        text = Path(f"/proc/{pid}/task/{thread}/schedstat").read_text()
    except OSError:
        return 0.0
    return int(text.split()[1]) / 1e9


class Probe(threading.Thread):
    """Asks one port again and again, over one connection."""

    def __init__(self, port: int, pid: int, is_broker: bool) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._pid = pid
        ask = GetMaxOffset("none", 0) if is_broker else GetBrokerMemberGroup("c", "n")
        self._request = encode_request(ask, 1)

    def run(self) -> None:
        """Ask until the program ends; connect again when the server restarts."""
        while True:
            try:
                peer = Peer(self._port, PATIENCE)
            except OSError:
                time.sleep(0.05)
                continue
            while self._ask(peer):
                time.sleep(PERIOD)

    def _ask(self, peer: Peer) -> bool:
        """Ask once; return whether the connection is still open."""
        own = threading.get_native_id()
        before = delayed(self._pid, self._pid), delayed(os.getpid(), own)
        begin = time.monotonic()
        response = peer.ask(self._request)
        wait = time.monotonic() - begin
        if response is None:
            return False
        noise = delayed(self._pid, self._pid) - before[0]
        noise += delayed(os.getpid(), own) - before[1]
        line = f"{self._port} {begin:.4f} {wait:.5f} {min(noise, wait):.5f}\n"
        os.write(1, line.encode())
        return True


def main(argv: list[str]) -> None:
    """Probe ports until standard input ends; the second is a name server's."""
    for index, text in enumerate(argv):
        port, _, pid = text.partition(":")
        Probe(int(port), int(pid), is_broker=index != 1).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
