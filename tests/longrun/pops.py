"""
Killed while groups pop, again and again: what was acknowledged comes no more.

    python -m tests.longrun.pops [--cycles 50] [--flush SYNC_FLUSH]

Each cycle sends to some queues and lets two groups pop: most messages are acknowledged,
one by one or many at once, some get another invisible time, others none. The broker is
killed with SIGKILL in the middle and started again. A ledger outside says what each
group was promised: a message whose acknowledgement was confirmed is never handed out to
that group again, and every message that was stored is, until it is acknowledged.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from rocketmq_tw.model.message import POP_CK
from rocketmq_tw.wire import record
from rocketmq_tw.wire.bodies.pop import (
    BatchAck,
    BatchAckMessageRequestBody,
    encode_bit_set,
)
from rocketmq_tw.wire.receipts import (
    Receipt,
    parse_receipt,
    parse_starts,
    real_topic,
)
from rocketmq_tw.wire.requests.pop import (
    AckMessage,
    BatchAckMessage,
    ChangeInvisibleTime,
    PopMessage,
)
from tests.longrun.broker import Broker, Link, send

TOPIC = "Popped"
QUEUES = 4
GROUPS = ("G1", "G2")
#: How long a message is invisible, ms: long enough for a start, and short.
INVISIBLE = 4000
#: An acknowledgement in the last so many seconds of that time may be too late.
_MARGIN = 1.0
#: Until everything was handed out, seconds.
DRAINED_IN = 120.0


class Popped(msgspec.Struct, frozen=True):
    """A message that was handed out; ``asked_at`` is when, by the monotonic clock."""

    body: bytes
    receipt: Receipt
    asked_at: float

    def is_late(self) -> bool:
        """Whether an acknowledgement now may be too late."""
        return time.monotonic() > self.asked_at + INVISIBLE / 1000 - _MARGIN


class Ledger:
    """
    What was stored, and what each group has acknowledged.

    :ivar confirmed: bodies whose acknowledgement had a response, by group.
    :ivar handed_out: how often each was popped, by group.
    """

    def __init__(self) -> None:
        self.stored: set[bytes] = set()
        self.number = 0
        self.confirmed: dict[str, set[bytes]] = {group: set() for group in GROUPS}
        self.handed_out: dict[str, Counter[bytes]] = {g: Counter() for g in GROUPS}

    def take(self, group: str, found: list[Popped]) -> None:
        """
        Write down what a pop returned.

        :raises AssertionError: the group had acknowledged some of it.
        """
        for each in found:
            confirmed = self.confirmed[group]
            assert each.body not in confirmed, f"{group}: {each.body!r} comes again"
            self.handed_out[group][each.body] += 1

    def missing(self, group: str) -> set[bytes]:
        """Return what a group has not acknowledged for certain."""
        return self.stored - self.confirmed[group]


def pop(link: Link, group: str) -> list[Popped]:
    """Pop what there is."""
    asked_at = time.monotonic()
    found = link.ask(PopMessage(group, TOPIC, -1, 16, INVISIBLE, 0))
    assert found.code in (0, 209, 210), (found.code, found.remark)
    if found.code:
        return []
    fields = found.fields
    assert isinstance(fields, dict)
    starts = parse_starts(fields.get("startOffsetInfo"))
    return [
        Popped(each.body, _receipt(each, fields, starts), asked_at)
        for each in record.decode_all(found.body)
    ]


def _receipt(
    message: Any, fields: dict[str, str], starts: dict[tuple[int, int], int]
) -> Receipt:
    """Return the receipt of a message: in it, or made as clients do."""
    if POP_CK in message.properties:
        return parse_receipt(message.properties[POP_CK])
    return Receipt(
        start_offset=starts[0, message.queue_id],
        pop_time_ms=int(fields["popTime"]),
        invisible_ms=int(fields["invisibleTime"]),
        revive_queue=int(fields["reviveQid"]),
        retry=0,
        broker_name="",
        queue_id=message.queue_id,
        offset=message.queue_offset,
    )


def acknowledge(link: Link, ledger: Ledger, group: str, some: list[Popped]) -> None:
    """Acknowledge messages one by one, all on their way at the same time."""
    asked = []
    for each in some:
        topic = real_topic(TOPIC, group, each.receipt.retry)
        receipt = each.receipt
        request = AckMessage(
            group, topic, receipt.queue_id, receipt.encode(), receipt.offset
        )
        asked.append((each, link.send(request)))
    for each, opaque in asked:
        response = link.answer(opaque)
        assert response.code == 0, (response.code, response.remark)
        if not response.remark:  # otherwise it came too late
            ledger.confirmed[group].add(each.body)


def acknowledge_batch(
    link: Link, ledger: Ledger, group: str, some: list[Popped]
) -> None:
    """Acknowledge messages in one request."""
    acks = [
        BatchAck(
            consumer_group=group,
            topic=TOPIC,
            start_offset=each.receipt.start_offset,
            queue_id=each.receipt.queue_id,
            revive_queue_id=each.receipt.revive_queue,
            pop_time=each.receipt.pop_time_ms,
            invisible_time=each.receipt.invisible_ms,
            retry=str(each.receipt.retry),
            bit_set=encode_bit_set([each.receipt.offset - each.receipt.start_offset]),
        )
        for each in some
    ]
    body = BatchAckMessageRequestBody("", tuple(acks)).encode()
    in_time = [each for each in some if not each.is_late()]
    response = link.ask(BatchAckMessage(body=body))
    assert response.code == 0, (response.code, response.remark)
    if not any(each.is_late() for each in in_time):
        ledger.confirmed[group].update(each.body for each in in_time)


def postpone(link: Link, group: str, each: Popped) -> None:
    """Let a message come again in a second."""
    receipt = each.receipt
    topic = real_topic(TOPIC, group, receipt.retry)
    request = ChangeInvisibleTime(
        group, topic, receipt.queue_id, receipt.encode(), receipt.offset, 1000
    )
    response = link.ask(request)
    assert response.code == 0, (response.code, response.remark)


def rounds(link: Link, ledger: Ledger, dice: random.Random) -> Iterator[None]:
    """Send and pop, for ever; a step is a few requests."""
    while True:
        for _ in range(dice.randrange(20)):
            body = b"%010d " % ledger.number + dice.randbytes(dice.choice((8, 900)))
            ledger.number += 1
            response = link.ask(send(TOPIC, dice.randrange(QUEUES), body))
            assert response.code == 0, (response.code, response.remark)
            ledger.stored.add(body)
        yield
        for group in GROUPS:
            found = pop(link, group)
            ledger.take(group, found)
            dice.shuffle(found)
            kept = len(found) * dice.randrange(50, 100) // 100
            if dice.random() < 0.5 or not kept:
                acknowledge(link, ledger, group, found[:kept])
            else:
                acknowledge_batch(link, ledger, group, found[:kept])
            if found[kept:] and dice.random() < 0.5:
                postpone(link, group, found[-1])
            yield


def cycle(broker: Broker, ledger: Ledger, dice: random.Random) -> None:
    """Work for a while, then kill the broker while it is asked."""
    link = broker.link()
    until = time.monotonic() + dice.uniform(0.2, 1.5)
    work = rounds(link, ledger, dice)
    while time.monotonic() < until:
        next(work)
    # Requests whose responses nobody sees: they may have been handled or not.
    for group in GROUPS:
        link.send(PopMessage(group, TOPIC, -1, 8, INVISIBLE, 0))
    time.sleep(dice.uniform(0, 0.005))
    broker.kill()
    link.close()


def drain(broker: Broker, ledger: Ledger) -> None:
    """
    Pop until each group has acknowledged everything.

    :raises AssertionError: something never came.
    """
    link = broker.link()
    until = time.monotonic() + DRAINED_IN
    while missing := {group: ledger.missing(group) for group in GROUPS}:
        if not any(missing.values()):
            break
        lost = {group: sorted(some)[:3] for group, some in missing.items()}
        assert time.monotonic() < until, f"never handed out: {lost}"
        for group in GROUPS:
            found = pop(link, group)
            ledger.take(group, found)
            acknowledge(link, ledger, group, found)
        time.sleep(0.02)
    # Long enough for whatever is wrongly in flight.
    time.sleep(INVISIBLE / 1000 + 2)
    for group in GROUPS:
        ledger.take(group, pop(link, group))
    link.close()


def run(folder: Path, cycles: int, flush: str, seed: int) -> dict[str, float]:
    """Run so many cycles; give the figures."""
    dice, ledger = random.Random(seed), Ledger()
    broker = Broker(
        folder,
        flushDiskType=flush,
        mappedFileSizeCommitLog=16 << 20,
        defaultTopicQueueNums=QUEUES,
    )
    broker.start()
    for _ in range(cycles):
        cycle(broker, ledger, dice)
        broker.start()
    drain(broker, ledger)
    broker.stop()
    handed_out = [sum(counts.values()) for counts in ledger.handed_out.values()]
    return {
        "cycles": cycles,
        "stored": len(ledger.stored),
        "handed out": sum(handed_out),
        "handed out again": sum(handed_out) - len(GROUPS) * len(ledger.stored),
    }


def main(argv: list[str]) -> int:
    """Print the figures; an AssertionError says what was promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=50)
    parser.add_argument("--flush", default="ASYNC_FLUSH")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="pops-") as folder:
        found = run(Path(folder), options.cycles, options.flush, options.seed)
    for name, value in found.items():
        print(f"{options.flush} {name:30} {value:10.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
