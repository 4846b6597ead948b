"""
Groups of Java's and our consumers, whose members join, leave and are killed.

    python -m tests.longrun.mixed_groups [--broker v55] [--listener concurrent]

Messages are sent all the time, to a broker of either make. Every few seconds a member
of either make joins, leaves in order, or is killed. The ledger is kept outside:

- Nothing is lost: each message that was acknowledged is consumed.
- Once the group is at rest, each queue has exactly one owner.
- In order, the messages of each queue come one after another. They come again after a
  kill, if they were in flight or consumed less than a commit interval before; and when
  a Java member leaves or gives a queue up: it commits before its handler has returned.
- Without order, a message may also come twice when a queue changes its owner: members
  go on with a queue until they rebalance, when the new owner may have begun.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from rocketmq_tw.clock import time_of_day
from tests.interop.apache import build
from tests.interop.lab import OURS, Cluster, Lab
from tests.interop.program import Program, wait_until
from tests.longrun.broker import Link, send

TOPIC, GROUP = "Mixed", "G_Mixed"
JAVA = "v55"
QUEUES = 8
#: Seconds between two messages, and milliseconds that each one takes.
SEND_PERIOD = 0.01
SLOW = 20
#: Members at a time.
FEWEST, MOST = 2, 4
#: Seconds between two commits of a consumer, and until a queue has a new owner; and how
#: late a busy machine is.
COMMIT = 5.0
MOVED = 45.0
LATE = 2.0
#: Seconds until a group is at rest: the locks of a killed member last 60 s.
REST = 150.0


class Sender:
    """
    Sends numbered messages, one after another.

    :ivar sent: the numbers of the messages that were acknowledged.
    """

    def __init__(self, port: int) -> None:
        self.sent: set[int] = set()
        self._link = Link(port)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._ended.set()
        self._thread.join()
        self._link.close()

    def _run(self) -> None:
        number = 0
        while not self._ended.wait(SEND_PERIOD):
            body, properties = b"%d" % number, f"i\x01{number}\x02"
            request = send(TOPIC, number % QUEUES, body, properties=properties)
            answer = self._link.ask(request)
            assert answer.code == 0, answer
            self.sent.add(number)
            number += 1


class Excuse(NamedTuple):
    """
    Messages that may come again.

    :ivar begin: when they were consumed first, in seconds since the epoch.
    :ivar end: likewise.
    :ivar by: what the name of the member that consumed them begins with.
    """

    begin: float
    end: float
    by: str

    def covers(self, line: dict[str, Any]) -> bool:
        """Whether a message is one of them."""
        is_then = self.begin - LATE <= line["time"] / 1000 <= self.end + LATE
        return is_then and line["member"].startswith(self.by)


class Group:
    """
    The members of a group, now and before.

    :ivar members: those that run.
    :ivar kills: how many were killed.
    :ivar excused: which messages may come again.
    """

    def __init__(self, lab: Lab, cluster: Cluster, listener: str, seed: int) -> None:
        self._lab = lab
        self._cluster = cluster
        self._listener = listener
        self._dice = random.Random(seed)
        self._all: list[Program] = []
        self.members: list[Program] = []
        self.kills = 0
        self.excused: list[Excuse] = []

    def act(self) -> str:
        """Let a member join, leave, or be killed; return which."""
        count = len(self.members)
        if count < FEWEST or (count < MOST and self._dice.random() < 0.5):
            make = self._dice.choice((OURS, JAVA))
            if len(set(map(_make, self.members))) < 2 and count:
                make = JAVA if _make(self.members[0]) == OURS else OURS
            self.join(make)
            return f"{make} joins"
        gone = self.members.pop(self._dice.randrange(count))
        if self._dice.random() < 0.5:
            return self._stop(gone)
        now = time_of_day()
        gone.kill()
        self.kills += 1
        self.excused.append(Excuse(now - COMMIT, now, _name(gone)))
        self._moved(now)
        return f"{_make(gone)} is killed"

    def _stop(self, gone: Program) -> str:
        """Let a member leave in order."""
        now = time_of_day()
        gone.stop()
        self._moved(now)
        return f"{_make(gone)} leaves"

    def _moved(self, now: float) -> None:
        """Note that queues change their owners, with or without locks."""
        if self._listener == "orderly":
            self.excused.append(Excuse(now, now + MOVED, JAVA))
        else:
            self.excused.append(Excuse(now - COMMIT, now + MOVED, ""))

    def join(self, make: str) -> None:
        """Start a member."""
        options = {"topic": TOPIC, "group": GROUP, "slow": SLOW}
        names, listener = self._cluster.names, self._listener
        member = self._lab.consumer(make, names, listener=listener, **options)
        self._all.append(member)
        member.wait_for("started")
        self.members.append(member)
        self._moved(time_of_day())

    def is_at_rest(self) -> bool:
        """Whether each queue has one owner, and the members have as many each."""
        owned = [_assignment(member) for member in self.members]
        queues = [queue for some in owned for queue in some]
        sizes = [len(some) for some in owned]
        is_even = max(sizes) - min(sizes) <= 1
        return is_even and len(queues) == len(set(queues)) == QUEUES

    def consumed(self) -> list[dict[str, Any]]:
        """List all messages that were consumed, in the order of time."""
        lines = [
            line | {"member": _name(member)}
            for member in self._all
            for line in member.events("message")
        ]
        return sorted(lines, key=lambda line: (line["time"], line["queueOffset"]))


def _make(member: Program) -> str:
    """Return the make of a member."""
    return JAVA if member.command[0] == "java" else OURS


def _name(member: Program) -> str:
    """Return the name of a member."""
    return f"{_make(member)} {member.pid}"


def _assignment(member: Program) -> list[tuple[str, int]]:
    """Ask a member for the queues that it has."""
    queues = member.ask("assignment")["queues"]
    return [(broker, queue_id) for topic, broker, queue_id in queues if topic == TOPIC]


def check_again(lines: list[dict[str, Any]], excused: list[Excuse]) -> int:
    """
    Check the messages that came more than once.

    :returns: how many there are.
    :raises AssertionError: one of them came again without an excuse.
    """
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        found[int(line["properties"]["i"])].append(line)
    again = [times for times in found.values() if len(times) > 1]
    for times in again:
        for first in times[:-1]:
            assert any(each.covers(first) for each in excused), (times, excused)
    return len(again)


def check_order(lines: list[dict[str, Any]]) -> None:
    """
    Check that each queue's messages follow each other; they may go back, not forward.

    :raises AssertionError: one was overtaken.
    """
    last: dict[int, int] = {}
    for line in lines:
        queue, offset = line["queueId"], line["queueOffset"]
        assert offset <= last.get(queue, -1) + 1, (queue, last.get(queue), line)
        last[queue] = offset


def run(
    folder: Path, broker: str, listener: str, seconds: float, seed: int
) -> dict[str, object]:
    """
    Let members come and go for a while.

    :raises AssertionError: a promise was broken.
    """
    lab = Lab(folder)
    try:
        cluster = lab.cluster(broker)
        lab.make_topic(cluster.names, TOPIC, QUEUES)
        lab.end_tools()
        sender = Sender(int(cluster.brokers[0].address.rpartition(":")[2]))
        group = Group(lab, cluster, listener, seed)
        for make in (OURS, JAVA):
            group.join(make)
        acts = _come_and_go(group, seconds, random.Random(seed))
        sender.stop()

        def is_all_consumed() -> bool:
            seen = {int(line["properties"]["i"]) for line in group.consumed()}
            return not sender.sent - seen

        wait_until(is_all_consumed, REST, "all messages")
        lines = group.consumed()
        for member in group.members:
            member.stop()
    finally:
        lab.close()
    if listener == "orderly":
        check_order(lines)
    again = check_again(lines, group.excused)
    sent = len(sender.sent)
    return {"changes": acts, "kills": group.kills, "messages": sent, "again": again}


def _come_and_go(group: Group, seconds: float, dice: random.Random) -> int:
    """Change the members, and wait now and then until the group is at rest."""
    until, acts = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        time.sleep(dice.uniform(2, 10))
        print(f"{time.strftime('%H:%M:%S')} {group.act()}", flush=True)
        acts += 1
        if acts % 4 == 0:
            wait_until(group.is_at_rest, REST, "one owner for each queue")
    wait_until(group.is_at_rest, REST, "one owner for each queue")
    return acts


def main(argv: list[str]) -> int:
    """Print the figures; an AssertionError says what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", choices=[OURS, JAVA], default=OURS)
    parser.add_argument(
        "--listener", choices=["orderly", "concurrent"], default="orderly"
    )
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    build()
    with tempfile.TemporaryDirectory(prefix="mixed-") as folder:
        found = run(
            Path(folder), asked.broker, asked.listener, asked.seconds, asked.seed
        )
    print(f"{asked.broker} {asked.listener} {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
