"""
The time of day is set by ten minutes under a running broker: nothing stops or is cut.

    python -m tests.longrun.wall_clock [--rounds 3]

Name server and broker run in one process, whose ``time.time`` is shifted by the number
in a file. Each round sets the clock back, and forward again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from rocketmq_tw.wire.requests.offset import GetMaxOffset, UpdateConsumerOffset
from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, SUSPEND, PullMessage
from rocketmq_tw.wire.requests.route import GetRoute
from tests.bench.servers import Server
from tests.longrun.broker import Link, send
from tests.ports import free_port

TEN_MINUTES = 600.0
#: What should take no time may take so long on a busy machine, in seconds.
SLACK = 10.0
#: Seconds for which a pull is held.
HELD = 2.0
TOPIC, GROUP = "WallClock", "longrun"

_SETTABLE = """
import time
real = time.time
def shifted():
    try:
        with open({path!r}) as file:
            return real() + float(file.read() or 0)
    except OSError:
        return real()
time.time = shifted
from twisted.scripts.twistd import run; run()
"""


class Cluster:
    """
    A name server and a broker whose time of day can be set.

    :ivar link: a connection to the broker.
    :ivar names: one to the name server.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._shift = self.folder / "shift"
        ports = free_port(), free_port()
        words = ["-c", _SETTABLE.format(path=str(self._shift)), "-n", "--pidfile="]
        words += ["rocketmq", "-d", str(self.folder / "data"), "--advertise=127.0.0.1"]
        words += ["-p", f"127.0.0.1:{ports[0]}", "-P", f"127.0.0.1:{ports[1]}"]
        self.server = Server([sys.executable, *words], *ports)
        self.link, self.names = Link(ports[0]), Link(ports[1])
        self.idle = Link(ports[0])

    def set_clock(self, shift: float) -> None:
        """Let its time of day be so many seconds ahead."""
        written = self._shift.with_suffix(".new")
        written.write_text(str(shift))
        written.replace(self._shift)

    def document(self, name: str) -> str:
        """Return a document of the broker; empty if it does not exist yet."""
        path = self.folder / "data" / "config" / name
        return path.read_text() if path.exists() else ""

    def stop(self) -> None:
        """End it."""
        self.server.stop()


class Round:
    """
    Sets the clock once, while something of each kind waits.

    :param number: makes the names of what it creates.
    :ivar waits: how long each kind took after the clock was set, in seconds.
    """

    def __init__(self, cluster: Cluster, number: int) -> None:
        self._cluster = cluster
        self._number = number
        self._delayed = f"Delayed{number}"
        self._begin = 0.0
        self.waits: dict[str, float] = {}

    def run(self, shift: float) -> dict[str, float]:
        """Set the clock; return how long each kind took."""
        link, number = self._cluster.link, self._number
        beat = HeartbeatData(client_id="longrun").encode()
        assert link.ask(Heartbeat(body=beat)).code == 0
        assert link.ask(send(TOPIC, 0, b"x")).code == 0
        end = int(link.ask(GetMaxOffset(TOPIC, 0)).fields["offset"])
        held = link.send(_held(end))
        assert link.ask(self._message(level=2)).code == 0
        self._cluster.set_clock(shift)
        self._begin = time.monotonic()
        assert link.ask(self._message(level=1)).code == 0
        self._wait_for("a delayed message", self._has_delayed, 1.0)
        is_early = self._has_both() and time.monotonic() - self._begin < 4.0
        assert not is_early, "the other did not wait for its whole delay"
        assert link.answer(held).code != 0
        self._note("a held pull", HELD)
        self._write_offset()
        self._find_new_topic(f"New{number}")
        self._wait_for("the other delayed message", self._has_both, 5.0)
        for each in (self._cluster.idle, link):
            assert each.ask(GetMaxOffset("none", 0)).code == 0, "it was cut"
        return self.waits

    def _message(self, level: int) -> Any:
        return send(self._delayed, 0, b"x", properties=f"DELAY\x01{level}\x02")

    def _has_delayed(self) -> bool:
        return self._count_delayed() >= 1

    def _has_both(self) -> bool:
        return self._count_delayed() == 2

    def _count_delayed(self) -> int:
        found = self._cluster.link.ask(GetMaxOffset(self._delayed, 0))
        return int(found.fields["offset"])

    def _write_offset(self) -> None:
        """Commit an offset, and wait until it is in the document."""
        link = self._cluster.link
        end = int(link.ask(GetMaxOffset(TOPIC, 0)).fields["offset"])
        group = f"{GROUP}-{self._number}"
        asked = UpdateConsumerOffset(group, TOPIC, 0, end)
        assert link.ask(asked).code == 0
        name = "consumerOffset.json"
        self._wait_for(
            "a written offset", lambda: group in self._cluster.document(name), 5.0
        )

    def _find_new_topic(self, topic: str) -> None:
        """Create a topic, and wait for its route."""
        assert self._cluster.link.ask(send(topic, 0, b"x")).code == 0
        self._wait_for(
            "a new route", lambda: not self._cluster.names.ask(GetRoute(topic)).code, 0
        )

    def _wait_for(self, what: str, condition: Callable[[], bool], due: float) -> None:
        """Wait until a condition is true, which should take ``due`` seconds."""
        while not condition():
            assert time.monotonic() - self._begin < due + SLACK, f"no {what}"
            time.sleep(0.02)
        self._note(what, due)

    def _note(self, what: str, due: float) -> None:
        """Note when something happened."""
        self.waits[what] = time.monotonic() - self._begin
        assert self.waits[what] < due + SLACK, (what, self.waits[what])


def _held(offset: int) -> PullMessage:
    """Make a pull that waits."""
    return PullMessage(
        consumer_group=GROUP,
        topic=TOPIC,
        queue_id=0,
        queue_offset=offset,
        max_msg_nums=32,
        sys_flag=SUBSCRIPTION | SUSPEND,
        commit_offset=0,
        suspend_timeout_millis=int(HELD * 1000),
        subscription="*",
    )


def run(folder: Path, rounds: int = 1) -> dict[str, float]:
    """Set the clock back and forward; return how long each kind took at most."""
    cluster = Cluster(folder)
    worst: dict[str, float] = {}
    try:
        for number in range(2 * rounds):
            shift = 0.0 if number % 2 else -TEN_MINUTES
            for what, wait in Round(cluster, number).run(shift).items():
                worst[what] = max(wait, worst.get(what, 0.0))
    finally:
        cluster.stop()
    return worst


def main(argv: list[str]) -> int:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        for what, seconds in run(Path(folder), options.rounds).items():
            print(f"{what}: after {seconds:.1f} s at most")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
