"""
A master or its slave killed under load: what was acknowledged is on both.

    python -m tests.longrun.pairs [--cycles 100]

The master waits for its slave and for its disk (``SYNC_MASTER``, ``inSyncReplicas=2``,
``SYNC_FLUSH`` on both sides). Each cycle sends, kills one of the two in the middle, and
holds the files of both against a ledger that is kept outside: every acknowledged
message stands where its response says, byte for byte, in the log of the survivor and in
that of the other. The slave's log is the beginning of its master's. Then the one that
was killed starts again.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rocketmq_tw.wire import record
from rocketmq_tw.wire.fields import from_ext
from tests.longrun.broker import Broker, Link, send

TOPIC = "Pairs"
QUEUES = 4
DEPTH = 32
FILE = 4 << 20
#: Seconds after which a slave has to follow again.
PATIENCE = 30.0
SETTINGS: dict[str, Any] = {
    "brokerName": "pair",
    "flushDiskType": "SYNC_FLUSH",
    "mappedFileSizeCommitLog": FILE,
    "defaultTopicQueueNums": QUEUES,
}


class Acknowledged:
    """
    A message that was acknowledged: its commit log offset, its place in a queue, and
    its body.
    """

    def __init__(self, at: int, queue_id: int, queue_offset: int, body: bytes) -> None:
        self.at = at
        self.place = queue_id, queue_offset
        self.body = body


class Ledger:
    """
    What was acknowledged, in the order of the responses.

    ``checked`` is how many were compared with the files.
    """

    def __init__(self) -> None:
        self.acknowledged: list[Acknowledged] = []
        self.checked = 0
        self.number = 0

    @property
    def begin(self) -> int:
        """Where the file begins that has the first message that was not checked."""
        new = self.acknowledged[self.checked :]
        return new[0].at - new[0].at % FILE if new else 0

    def check(self, *folders: Path) -> None:
        """
        Hold the logs in some folders against it, as far as it is new.

        :raises AssertionError: a promise was broken.
        """
        for folder in folders:
            log = Log(folder, self.begin)
            for each in self.acknowledged[self.checked :]:
                found = log.message(each.at)
                said = f"{folder.parent.name}, offset {each.at}"
                assert found is not None, f"{said}: nothing is there"
                place = found.queue_id, found.queue_offset
                assert (place, found.body) == (each.place, each.body), (
                    f"{said}: another"
                )
        self.checked = len(self.acknowledged)


class Log:
    """Files of a commit log, read whole."""

    def __init__(self, folder: Path, begin: int = 0) -> None:
        """Read the files that begin there or later."""
        paths = sorted((folder / "commitlog").glob("*"))
        bases = {int(path.name): path for path in paths}
        self.files = {
            base: path.read_bytes() for base, path in bases.items() if base >= begin
        }

    def message(self, at: int) -> Any:
        """Return the message at an offset; None if none is there."""
        data = self.files.get(at - at % FILE, b"")
        try:
            return record.decode(data, at % FILE)
        except record.MalformedRecord:
            return None

    def check_prefix_of(self, master: Log) -> None:
        """Check that all that is here is there too, at the same offsets."""
        for base, data in self.files.items():
            end = len(data.rstrip(b"\0"))
            whole = master.files.get(base, b"")
            assert whole[:end] == data[:end], f"the file at {base} differs"


def load(link: Link, ledger: Ledger, seconds: float, dice: random.Random) -> list[Any]:
    """Send for a while; return what is on its way then."""
    until, on_their_way = time.monotonic() + seconds, list[Any]()
    while time.monotonic() < until:
        while len(on_their_way) < DEPTH:
            queue_id = dice.randrange(QUEUES)
            size = dice.choice((8, 100, 1000, 5000))
            body = b"%010d " % ledger.number + dice.randbytes(size)
            ledger.number += 1
            on_their_way.append((link.send(send(TOPIC, queue_id, body)), body))
        settle(link, ledger, *on_their_way.pop(0))
    return on_their_way


def settle(link: Link, ledger: Ledger, opaque: int, body: bytes) -> bool:
    """Wait for one response, and write it down if it is a promise."""
    answer = link.answer(opaque)
    if answer.code != 0:
        assert answer.code in (10, 11, 12), answer
        return False
    stored = from_ext(send(TOPIC, 0, b"").response_type, answer.fields)
    at = int(stored.msg_id[16:], 16)
    place = stored.queue_id, stored.queue_offset
    ledger.acknowledged.append(Acknowledged(at, *place, body))
    return True


class Pair:
    """A master and its slave, each in a folder."""

    def __init__(self, folder: Path) -> None:
        self.master = Broker(
            folder / "master",
            brokerRole="SYNC_MASTER",
            inSyncReplicas=2,
            slaveTimeout=1000,
            **SETTINGS,
        )
        self.slave = Broker(
            folder / "slave",
            brokerRole="SLAVE",
            brokerId=1,
            haMasterAddress=f"127.0.0.1:{self.master.port + 1}",
            **SETTINGS,
        )

    @property
    def folders(self) -> tuple[Path, Path]:
        """The stores of master and slave."""
        return self.master.folder / "data", self.slave.folder / "data"

    def wait(self, ledger: Ledger) -> float:
        """Send until a message is acknowledged; return the seconds that took."""
        begin = time.monotonic()
        link = self.master.link()
        while True:
            body = b"%010d again" % ledger.number
            ledger.number += 1
            if settle(link, ledger, link.send(send(TOPIC, 0, body)), body):
                link.close()
                return time.monotonic() - begin
            assert time.monotonic() - begin < PATIENCE, "the slave does not follow"

    def cycle(self, ledger: Ledger, dice: random.Random) -> float:
        """Send, kill one, compare, start it; return the seconds without a slave."""
        link = self.master.link()
        waiting = load(link, ledger, dice.uniform(0.05, 0.6), dice)
        victim = dice.choice((self.master, self.slave))
        victim.kill()
        try:
            for opaque, body in waiting:
                settle(link, ledger, opaque, body)
        except OSError:
            pass  # not acknowledged: may be there or not
        begin = ledger.begin
        ledger.check(*self.folders)
        if victim is self.master:
            master, slave = (Log(folder, begin) for folder in self.folders)
            slave.check_prefix_of(master)
        victim.start()
        return self.wait(ledger)


def run(folder: Path, cycles: int, seed: int) -> dict[str, float]:
    """Run so many cycles; give the figures."""
    dice, ledger, pair = random.Random(seed), Ledger(), Pair(folder)
    pair.master.start()
    pair.slave.start()
    pair.wait(ledger)
    waits = sorted(pair.cycle(ledger, dice) for _ in range(cycles))
    pair.master.stop()
    pair.slave.stop()
    master, slave = map(Log, pair.folders)
    slave.check_prefix_of(master)
    # Once more from the start: nothing that was right before has changed.
    ledger.checked = 0
    ledger.check(*pair.folders)
    return {
        "cycles": cycles,
        "sent": ledger.number,
        "acknowledged": len(ledger.acknowledged),
        "acknowledged again after a start, median s": waits[len(waits) // 2],
        "acknowledged again after a start, longest s": waits[-1],
    }


def main(argv: list[str]) -> int:
    """Print the figures; an AssertionError says what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="pairs-") as folder:
        found = run(Path(folder), options.cycles, options.seed)
    for name, value in found.items():
        print(f"{name:45} {value:10.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
