"""Orderly consumers, on a cluster in memory."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.client.producer.message import Message
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.requests.lock import LockQueues

QUEUES = 4


class OrderedTests(SynchronousTestCase):
    """A topic of four queues, read in order."""

    def setUp(self) -> None:
        """Start a cluster."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("orders", QUEUES)
        self.producer = self.cluster.producer()
        #: The key and number of each message, by the member that got it.
        self.seen: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self.count = 0

    def _member(self, name: str, handle: Any = None, **options: Any) -> PushConsumer:
        """Start a member of the group."""

        def handler(message: StoredMessage) -> Any:
            key, number = message.body.decode().split()
            self.seen[name].append((key, int(number)))
            return None if handle is None else handle(message)

        return self.cluster.consumer(
            "G", "orders", handler, ordered=True, start_from=EARLIEST, **options
        )

    def _send(self, rounds: int, keys: str = "abcdefgh") -> None:
        """Send numbered messages, those of a key to one queue."""
        for _ in range(rounds):
            for key in keys:
                body = f"{key} {self.count}".encode()
                sent = self.producer.send(Message("orders", body), key=key)
                self.cluster.result_of(sent)
            self.count += 1

    def _numbers(self, key: str, *names: str) -> list[int]:
        """Give the numbers of a key's messages, in the order in which they came."""
        return [n for name in names for k, n in self.seen[name] if k == key]

    def test_order(self) -> None:
        """Messages of each key come in the order in which they were sent."""
        self._send(10)
        self._member("one")
        self._send(10)
        self.cluster.wait_until(lambda: len(self.seen["one"]) == 160)
        for key in "abcdefgh":
            self.assertEqual(self._numbers(key, "one"), list(range(20)))

    def test_members_join_and_leave(self) -> None:
        """A queue goes to another member only when the first has finished with it."""
        one = self._member("one")
        self._send(5)
        two = self._member("two")
        self.cluster.wait_until(lambda: len(two.assignment()) == 2, 60)
        self._send(5)
        self.cluster.wait_until(lambda: sum(map(len, self.seen.values())) == 80)
        self.cluster.wait_until(
            lambda: len(one.assignment()) + len(two.assignment()) == 5
        )
        self.cluster.result_of(one.stop())
        self.cluster.wait_until(lambda: len(two.assignment()) == 5, 5)
        self._send(5)
        self.cluster.wait_until(lambda: sum(map(len, self.seen.values())) == 120)
        for key in "abcdefgh":
            self.assertEqual(self._numbers(key, "one", "two"), list(range(15)))

    def test_running_handler_keeps_its_queue(self) -> None:
        """
        The other member gets a revoked queue when the handler has finished, not before.
        """
        waiting: list[Deferred[None]] = []
        first = self._member(
            "one", lambda _: waiting.append(Deferred()) or waiting[-1], revoke_grace=30
        )
        self._send(1)
        two = self._member("two")
        self.cluster.advance(25)
        self.assertEqual(len(two.assignment()), 0)
        for each in waiting:
            each.callback(None)
        self.cluster.wait_until(lambda: len(two.assignment()) == 2, 10)
        self.assertEqual(len(first.assignment()), 3)

    def test_poison(self) -> None:
        """One that always fails blocks its queue, then becomes a dead letter."""

        def handle(message: StoredMessage) -> None:
            if message.body == b"a 0":
                raise ValueError("poison")

        self._member("one", handle, max_retries=3)
        self._send(2)
        self.cluster.wait_until(lambda: len(self._numbers("a", "one")) == 5)
        self.assertEqual(self._numbers("a", "one"), [0, 0, 0, 0, 1])
        [dead] = self.cluster.messages("%DLQ%G")
        self.assertEqual((dead.body, dead.reconsume_times), (b"a 0", 4))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 4)

    def test_locks_renewed(self) -> None:
        """The locks are renewed, so they are kept for ever."""
        one = self._member("one")
        self.cluster.advance(300)
        requests = self.cluster.broker.traffic.requests(LockQueues)
        self.assertGreaterEqual(len(requests), 15)
        self.assertEqual(len(one.assignment()), 5)

    def test_cut_off(self) -> None:
        """
        A member that is cut off stops before another reads its queues.

        Once the link is healed, it continues where the other has committed.
        """
        one = self._member("one")
        self._send(1)
        self.cluster.wait_until(lambda: len(self.seen["one"]) == 8)
        self.cluster.advance(10)
        host = self.cluster.broker.host
        self.cluster.network.cut("10.0.2.2", host)
        two = self._member("two")
        self.cluster.wait_until(lambda: len(two.assignment()) == 5, 200)
        self._send(1)
        self.cluster.wait_until(lambda: len(self.seen["two"]) == 8)
        self.cluster.advance(10)
        self.cluster.faults.heal_all()
        self.cluster.wait_until(lambda: len(one.assignment()) in (2, 3), 60)
        self.cluster.wait_until(
            lambda: len(one.assignment()) + len(two.assignment()) == 5, 60
        )
        self._send(1)
        self.cluster.wait_until(lambda: sum(map(len, self.seen.values())) >= 24)
        self.cluster.advance(10)
        for key in "abcdefgh":
            numbers = self._numbers(key, "one", "two")
            self.assertEqual(sorted(numbers), [0, 1, 2])
