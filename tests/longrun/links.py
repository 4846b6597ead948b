"""
The link between a client and its broker is cut and healed, again and again, in memory.

    python -m tests.longrun.links [--cycles 1000]

A producer and a consumer of one client work all the time. Each cycle breaks the
connection, or lets no byte pass for up to a minute, or refuses new connections; once
that is over, a new message is sent and consumed within 5 s. In the end every Deferred
has fired, nothing is scheduled and no connection is left.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.producer.message import Message
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.testing import MemoryCluster

TOPIC = "Links"
#: Seconds within which a message is sent and consumed again.
RECOVERY = 5.0
#: Seconds between two messages that are sent meanwhile.
SEND_PERIOD = 0.25


class Client:
    """A client that produces and consumes on a cluster with two brokers."""

    def __init__(self, seed: int) -> None:
        self.cluster = MemoryCluster(brokers=2, seed=seed)
        self.cluster.start()
        self.cluster.create_topic(TOPIC, 2)
        self.client = self.cluster.client()
        self.clock: Any = self.client.session.clock
        self.seen: set[bytes] = set()
        self.stored: set[bytes] = set()
        self.sent: list[Deferred[Any]] = []
        self._number = 0
        self.on_message: Callable[[str, int], None] = lambda _broker, _number: None
        self.producer = self.client.producer("producers")
        consumer = self.client.push_consumer("G", start_from=EARLIEST)
        consumer.subscribe(TOPIC, "*", self._handle)
        self.cluster.result_of(consumer.start())
        self.cluster.advance(30)
        self._loop = LoopingCall(self.send)
        self._loop.clock = self.cluster.clock
        self._loop.start(SEND_PERIOD)

    def _handle(self, message: StoredMessage) -> None:
        """Keep what came."""
        self.seen.add(message.body)
        broker, number = message.body.decode().split()
        self.on_message(broker, int(number))

    def send(self) -> None:
        """Send a message to each broker, and keep what becomes of it."""
        for broker in self.cluster.brokers:
            self._number += 1
            body = b"%s %d" % (broker.encode(), self._number)
            queue = MessageQueue(TOPIC, broker, self._number // 2 % 2)
            sent = self.producer.send(Message(TOPIC, body), queue=queue)
            sent.addCallback(lambda _, body=body: self.stored.add(body))
            sent.addErrback(lambda _: None)
            self.sent.append(sent)

    def recover(self) -> float:
        """
        Wait until a new message of each broker is consumed.

        :returns: how long that took, in seconds.
        """
        began = self.clock.seconds()
        last = self._number
        waiting = set(self.cluster.brokers)
        self.on_message = lambda broker, number: (
            waiting.discard(broker) if number > last else None
        )
        self.cluster.wait_until(lambda: not waiting, 60)
        return float(self.clock.seconds() - began)

    def end(self) -> None:
        """
        Stop.

        :raises AssertionError: something is left behind, or a message is lost.
        """
        self._loop.stop()
        self.cluster.advance(60)
        assert self.stored <= self.seen, sorted(self.stored - self.seen)
        assert all(each.called for each in self.sent)
        self.cluster.result_of(self.client.stop())
        left = self.clock.getDelayedCalls()
        assert not left, left
        links = self.cluster.network.links_between(self.clock.host)
        assert not list(links), links
        self.cluster.stop()


def break_link(client: Client, dice: random.Random) -> None:
    """Do something to the link, and undo it."""
    cluster, faults = client.cluster, client.cluster.faults
    broker = dice.choice(list(cluster.brokers.values()))

    def cut() -> None:
        faults.cut(client.client, broker)

    def refuse() -> None:
        faults.refuse(broker)
        faults.reset(client.client, broker)

    kinds: list[Callable[[], None]] = [
        lambda: faults.reset(client.client, broker),
        cut,
        refuse,
    ]
    dice.choice(kinds)()
    cluster.advance(dice.choice([0.0, 0.1, 1.0, 5.0, dice.uniform(0, 60)]))
    faults.heal_all()


def run(cycles: int, seed: int) -> dict[str, float]:
    """
    Break the link so many times.

    :raises AssertionError: it did not recover in time, or something is left behind.
    """
    client = Client(seed)
    dice = random.Random(seed)
    recovery = []
    for number in range(cycles):
        break_link(client, dice)
        seconds = client.recover()
        assert seconds < RECOVERY, f"cycle {number}: {seconds:.1f} s"
        recovery.append(seconds)
        client.cluster.advance(dice.uniform(0, 2))
    client.end()
    recovery.sort()
    return {
        "cycles": cycles,
        "messages": len(client.stored),
        "recovery, median s": recovery[cycles // 2],
        "recovery, longest s": recovery[-1],
    }


def main(argv: list[str]) -> int:
    """Print the figures; an AssertionError says what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    for name, value in run(options.cycles, options.seed).items():
        print(f"{name:25} {value:10.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
