"""
Asks for something trivial every 10 ms, and writes down how long it took.

    python -m tests.longrun.hostile.probe PORT:PID... > waits

A process of its own with a thread for each port, and no other work. Each wait is a
line: the port, when it began and how long it took, in seconds; for how much of it the
server's reactor and the probe were ready to run, but others had the processors, and for
how much other threads of theirs were; and for how long the reactor had a processor.
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


def delays(pid: int) -> dict[int, float]:
    """Return for how long each thread waited for a processor since its start."""
    found = {}
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            text = Path(f"/proc/{pid}/task/{thread}/schedstat").read_text()
            found[int(thread)] = int(text.split()[1]) / 1e9
    except OSError:
        pass
    return found


def used(pid: int) -> float:
    """Return for how long the main thread of a process has had a processor."""
    try:
        return (
            int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9
        )
    except OSError:
        return 0.0


def delay_of(
    before: dict[int, float], after: dict[int, float], thread: int
) -> tuple[float, float]:
    """
    Return for how long the machine kept a thread from running, in seconds.

    :returns: for how long it waited for a processor; and for how long another thread
        of its process did so at most, which may have had the interpreter.
    """
    waited = {each: time - before.get(each, 0.0) for each, time in after.items()}
    own = waited.pop(thread, 0.0)
    return own, max(waited.values(), default=0.0)


def own_part(wait: float, *, direct: float, other: float, work: float) -> float:
    """
    Return what a server, or a client, itself made of a wait.

    :param direct: for how long its thread, or who asked it, waited for a processor.
    :param other: for how long other threads did, which is subtracted only as far as
        it did not work.
    :param work: for how long its thread had a processor.
    """
    left = wait - direct
    return max(0.0, min(left, max(left - other, work)))


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
        before, work = (delays(self._pid), delays(os.getpid())), used(self._pid)
        begin = time.monotonic()
        response = peer.ask(self._request)
        wait = time.monotonic() - begin
        if response is None:
            return False
        work = used(self._pid) - work
        server = delay_of(before[0], delays(self._pid), self._pid)
        mine = delay_of(before[1], delays(os.getpid()), own)
        direct, other = server[0] + mine[0], server[1] + mine[1]
        parts = f"{wait:.5f} {direct:.5f} {other:.5f} {work:.5f}"
        line = f"{self._port} {begin:.4f} {parts}\n"
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
