"""
Killed under load, again and again: what was acknowledged is there, byte for byte.

    python -m tests.longrun.kills [--cycles 200] [--flush SYNC_FLUSH]

Each cycle sends to some queues, kills the broker with SIGKILL in the middle, starts it
anew and holds it against a ledger that is kept outside: every acknowledged message
stands at the queue offset in its response, and queue offsets have neither gap
nor repeat. What was sent and not acknowledged may be there or not.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from rocketmq_tw.wire import record
from rocketmq_tw.wire.fields import from_ext
from rocketmq_tw.wire.requests.offset import GetMaxOffset
from tests.longrun.broker import Broker, Link, send

TOPIC = "Killed"
QUEUES = 4
DEPTH = 32
#: A start takes so long at most, in 99 of 100 cases.
READY_IN = 1.0


class Ledger:
    """
    What was sent and what was acknowledged, queue by queue.

    ``checked`` is how far each queue was compared in full.
    """

    def __init__(self) -> None:
        self.sent: set[bytes] = set()
        self.acknowledged: list[dict[int, bytes]] = [{} for _ in range(QUEUES)]
        self.checked = [0] * QUEUES

    def count(self) -> int:
        """Count the messages that were acknowledged."""
        return sum(map(len, self.acknowledged))

    def check(self, link: Link) -> None:
        """
        Hold the broker's queues against it, as far as they are new.

        :raises AssertionError: a promise was broken.
        """
        for queue_id, known in enumerate(self.acknowledged):
            end = _end(link, queue_id)
            last = max(known, default=-1)
            assert end > last, f"queue {queue_id} ends at {end}, not behind {last}"
            offset = self.checked[queue_id]
            while offset < end:
                offset = self._check_some(link, queue_id, offset, known)
            self.checked[queue_id] = end

    def _check_some(
        self, link: Link, queue_id: int, offset: int, known: dict[int, bytes]
    ) -> int:
        """Compare some messages from an offset on; return the next offset."""
        answer = link.pull(TOPIC, queue_id, offset)
        assert answer.status == 0, (queue_id, offset, answer.status, answer.remark)
        for message in record.decode_all(answer.body):
            place = f"queue {queue_id}, offset {offset}"
            assert message.queue_offset == offset, f"{place}: another's"
            assert message.body in self.sent, f"{place} was never sent"
            if offset in known:
                assert message.body == known[offset], f"{place} holds another message"
            offset += 1
        return offset


def cycle(broker: Broker, ledger: Ledger, seconds: float, dice: random.Random) -> int:
    """Send for a while, then kill the broker; return how many were acknowledged."""
    link = broker.link()
    until = time.monotonic() + seconds
    on_their_way: list[tuple[int, int, bytes]] = []
    before = ledger.count()
    number = len(ledger.sent)
    while time.monotonic() < until:
        while len(on_their_way) < DEPTH:
            queue_id = dice.randrange(QUEUES)
            size = dice.choice((8, 100, 1000, 5000))
            body = b"%010d " % number + dice.randbytes(size)
            number += 1
            ledger.sent.add(body)
            opaque = link.send(send(TOPIC, queue_id, body))
            on_their_way.append((opaque, queue_id, body))
        _settle(link, ledger, on_their_way.pop(0))
    broker.kill()
    try:
        while on_their_way:
            _settle(link, ledger, on_their_way.pop(0))
    except OSError:
        pass  # not acknowledged: may be there or not
    return ledger.count() - before


def _settle(link: Link, ledger: Ledger, sent: tuple[int, int, bytes]) -> None:
    """Wait for one response and write it down."""
    opaque, queue_id, body = sent
    answer = link.answer(opaque)
    assert answer.code == 0, answer
    stored = from_ext(send(TOPIC, 0, b"").response_type, answer.fields)
    known = ledger.acknowledged[queue_id]
    offset = stored.queue_offset
    assert offset not in known, f"offset {offset} of queue {queue_id} was given twice"
    known[offset] = body


def _end(link: Link, queue_id: int) -> int:
    """Ask where a queue ends."""
    answer = link.ask(GetMaxOffset(TOPIC, queue_id))
    return int(from_ext(GetMaxOffset.response_type, answer.fields).offset)


def run(folder: Path, cycles: int, flush: str, seed: int) -> dict[str, float]:
    """Run so many cycles; give the figures."""
    dice, ledger, ready = random.Random(seed), Ledger(), []
    broker = Broker(
        folder,
        flushDiskType=flush,
        mappedFileSizeCommitLog=16 << 20,
        defaultTopicQueueNums=4,
    )
    broker.start()
    for _ in range(cycles):
        cycle(broker, ledger, dice.uniform(0.05, 0.6), dice)
        broker.start()
        ready.append(broker.ready_in)
        ledger.check(broker.link())
    # Once more from the start: nothing that was right before has changed.
    ledger.checked = [0] * QUEUES
    ledger.check(broker.link())
    broker.stop()
    ready.sort()
    return {
        "cycles": cycles,
        "acknowledged": ledger.count(),
        "ready after a kill, median s": ready[len(ready) // 2],
        "ready after a kill, p99 s": ready[min(len(ready) - 1, len(ready) * 99 // 100)],
    }


def main(argv: list[str]) -> int:
    """Print the figures; an AssertionError says what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--flush", default="ASYNC_FLUSH")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        found = run(Path(folder), options.cycles, options.flush, options.seed)
    for name, value in found.items():
        print(f"{options.flush} {name:30} {value:10.2f}")
    return int(found["ready after a kill, p99 s"] > READY_IN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
