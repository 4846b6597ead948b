"""Tests of locks that most brokers of one name give."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from rocketmq_tw.broker.strict_locks import TIMEOUT
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.testing.nodes import BrokerNode
from rocketmq_tw.wire.bodies.locks import (
    LockBatchRequestBody,
    LockBatchResponseBody,
    UnlockBatchRequestBody,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.lock import LockQueues, UnlockQueues
from tests.broker.cases import GROUP
from tests.broker.pull.test_suggestion import ReadingCase

STRICT = {"enable_slave_acting_master": True, "lock_in_strict_mode": True}


class StrictCase(ReadingCase):
    """Has a master and two slaves; two of three must lock a queue."""

    settings: dict[str, Any] = {**STRICT, "total_replicas": 3, "skip_pre_online": True}

    def setUp(self) -> None:
        """Start all of them."""
        super().setUp()
        self.other = self.cluster.add_slave("broker-a", 2, **self.settings)
        self.other.start()
        self.cluster.advance(2)

    def queues(self, numbers: Iterable[int]) -> frozenset[MessageQueue]:
        """Return queues of a topic."""
        return frozenset(MessageQueue("T", "broker-a", each) for each in numbers)

    def lock(
        self, client_id: str, numbers: Iterable[int] = (0,), at: Any = None
    ) -> list[int]:
        """Lock queues, and return those that the client holds then."""
        wanted = LockBatchRequestBody(GROUP, client_id, self.queues(numbers))
        request = LockQueues(body=wanted.encode())
        response = self.cluster.call(at or self.master, request)
        held = LockBatchResponseBody.decode(response.body).lock_ok_mq_set
        return sorted(each.queue_id for each in held)

    def locks(self) -> list[int]:
        """Return how many locks each broker has."""
        nodes: tuple[BrokerNode, ...] = (self.master, self.slave, self.other)
        return [len(node.service._tables.locks) for node in nodes if node.is_running]


class StrictLocksTests(StrictCase):
    """Requests of consumers."""

    def test_everywhere(self) -> None:
        """The queues are locked at all brokers, and released there."""
        self.assertEqual(self.lock("one", range(3)), [0, 1, 2])
        self.assertEqual(self.locks(), [3, 3, 3])
        wanted = UnlockBatchRequestBody(GROUP, "one", self.queues((0, 1)))
        self.cluster.call(self.master, UnlockQueues(body=wanted.encode()))
        self.cluster.advance(0.1)
        self.assertEqual(self.locks(), [1, 1, 1])

    def test_two_views(self) -> None:
        """Consumers that see different masters do not hold the same queue."""
        self.assertEqual(self.lock("one", (0,), self.slave), [0])
        self.assertEqual(self.lock("two", (0, 1)), [1])

    def test_one_is_away(self) -> None:
        """Two are most of three."""
        self.other.kill()
        self.assertEqual(self.lock("one"), [0])

    def test_one_hangs(self) -> None:
        """It is waited for a second at most, and named once."""
        self.other.traffic.ignore(LockQueues)
        before = self.cluster.clock.seconds()
        with capturedLogs() as events:
            for client in ("one", "one"):
                self.assertEqual(self.lock(client), [0])
        self.assertLess(self.cluster.clock.seconds() - before, 2 * TIMEOUT + 0.5)
        lines = [e for e in events if "not passed" in e["log_format"]]
        self.assertEqual(len(lines), 1)

    def test_alone(self) -> None:
        """One of three gives no locks."""
        self.slave.kill()
        self.other.kill()
        self.assertEqual(self.lock("one"), [])
        self.cluster.advance(2)
        self.assertEqual(self.lock("one"), [])

    def test_acting(self) -> None:
        """A slave that acts for the master does the same."""
        self.assertEqual(self.lock("one"), [0])
        self.master.kill()
        self.cluster.advance(2)
        self.assertEqual(self.lock("one", (0,), self.slave), [0])
        self.assertEqual(self.lock("two", (0,), self.slave), [])

    def test_only_this_broker(self) -> None:
        """What another broker passed on is not passed on again."""
        wanted = LockBatchRequestBody(GROUP, "one", self.queues((0,)), True)
        response = self.cluster.call(self.slave, LockQueues(body=wanted.encode()))
        self.assertIn(b'"queueId":0', response.body)
        self.assertEqual(self.locks(), [0, 1, 0])

    def test_nonsense(self) -> None:
        """A response that is none, or too long, or of other queues, counts for none."""
        other = LockBatchResponseBody(self.queues((7,))).encode()
        self.other.kill()
        for body in (b"", b"{", b" " * 5000, other, b'{"lockOKMQSet":7}'):
            self.slave.traffic.respond(LockQueues, Response(body=body))
            self.assertEqual(self.lock("one"), [])
        code = ResponseCode.SYSTEM_ERROR
        self.slave.traffic.refuse(LockQueues, code)
        self.assertEqual(self.lock("one"), [])
        self.assertEqual(self.lock("one"), [0])

    def test_many(self) -> None:
        """Many queues are passed on in parts."""
        self.assertEqual(len(self.lock("one", range(9000))), 9000)
        self.assertEqual(len(self.slave.traffic.requests(LockQueues)), 3)


class OneTests(ReadingCase):
    """A broker that is to be alone."""

    settings: dict[str, Any] = {**STRICT}

    def test_alone(self) -> None:
        """It asks nobody."""
        cluster = MemoryCluster(broker_settings=self.settings).start()
        self.addCleanup(cluster.stop)
        wanted = LockBatchRequestBody(
            GROUP, "one", frozenset([MessageQueue("T", "broker-a", 0)])
        )
        request = LockQueues(body=wanted.encode())
        locked: Deferred[Any] = cluster.client().session.pool.call(
            cluster.broker.address, request
        )
        self.assertIn(b'"queueId":0', cluster.result_of(locked).body)
