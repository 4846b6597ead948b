"""Tests of the broker that consumers are to pull from next."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig, BrokerRole
from rocketmq_tw.broker.pull.suggestion import Suggestion, suggests
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.message import Message
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.store.interfaces import Fetched, FetchStatus
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.testing.nodes import BrokerNode
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.offset import GetMaxOffset
from rocketmq_tw.wire.requests.pull import (
    SUBSCRIPTION,
    SUSPEND,
    PullMessage,
    PullResponse,
)
from tests.broker.cases import GROUP, pulled
from tests.broker.doubles import MemoryFile
from tests.store.cases import StoreCase

SLAVE = {"broker_role": BrokerRole.SLAVE, "broker_id": 1}
FOUND, EMPTY = FetchStatus.FOUND, FetchStatus.OFFSET_OVERFLOW_ONE
NOT_FOUND = ResponseCode.PULL_NOT_FOUND
MOVED = ResponseCode.PULL_OFFSET_MOVED


class Log:
    """The end of a commit log."""

    commit_log_max = 10_000


class SuggestionTests(SynchronousTestCase):
    """What a response says, by who responds and what was found."""

    def suggested(
        self, last: int = -1, status: int = 0, alive: bool = True, **settings: Any
    ) -> tuple[int, int, int]:
        """
        Complete a response about messages up to an offset of the log.

        :returns: the suggested id, the status, and the offset to continue at.
        """
        groups = GroupTable(MemoryFile(), clock=Clock())
        group = SubscriptionGroup(
            GROUP, broker_id=3, which_broker_when_consume_slowly=2
        )
        groups.put(group)
        log: Any = Log()
        suggestion = Suggestion(
            config=BrokerConfig(**settings),
            groups=groups,
            store=log,
            memory_size=1000,
            is_master_alive=lambda: alive,
        )
        fetched = Fetched(FOUND, 5, 0, 9, last_commit_log_offset=last)
        response = PullResponse(0, 5, 0, 9, status=status)
        done = suggestion.complete(response, fetched, pulled(queue_offset=77))
        return done.suggest_which_broker_id, done.status, done.next_begin_offset

    def test_master(self) -> None:
        """A master sends those that are far behind to a slave."""
        self.assertEqual(self.suggested(9_000), (3, 0, 5))
        self.assertEqual(self.suggested(8_999), (2, 0, 5))
        self.assertEqual(self.suggested(-1, NOT_FOUND), (3, NOT_FOUND, 5))
        self.assertEqual(self.suggested(-1, MOVED), (3, MOVED, 5))

    def test_slave(self) -> None:
        """A slave sends those back that have caught up, if there is a master."""
        self.assertEqual(self.suggested(8_999, **SLAVE), (2, 0, 5))
        self.assertEqual(self.suggested(9_000, **SLAVE), (0, 0, 5))
        self.assertEqual(self.suggested(9_000, alive=False, **SLAVE), (3, 0, 5))

    def test_offset_out_of_range(self) -> None:
        """A slave corrects none, unless it is to; the pull is held meanwhile."""
        said = self.suggested(-1, MOVED, **SLAVE)
        self.assertEqual(said, (0, NOT_FOUND, 77))
        said = self.suggested(-1, MOVED, alive=False, **SLAVE)
        self.assertEqual(said, (3, NOT_FOUND, 77))
        said = self.suggested(-1, MOVED, offset_check_in_slave=True, **SLAVE)
        self.assertEqual(said, (0, MOVED, 5))

    def test_who_suggests(self) -> None:
        """A master whose slaves do not serve names nobody else."""
        self.assertFalse(suggests(BrokerConfig()))
        self.assertTrue(suggests(BrokerConfig(slave_read_enable=True)))
        self.assertTrue(suggests(BrokerConfig(**SLAVE)))


class ReadingCase(StoreCase):
    """Has a master and a slave with files, and a topic with two queues."""

    settings: dict[str, Any] = {"slave_read_enable": True}
    name_server_settings: dict[str, Any] = {}

    def setUp(self) -> None:
        """Start them, and let the slave copy the topic."""
        super().setUp()
        self.cluster = MemoryCluster(
            directory=self.root,
            broker_settings=self.settings,
            name_server_settings=self.name_server_settings,
        )
        self.slave = self.cluster.add_slave("broker-a")
        self.master = self.cluster.broker
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T", 2)
        self.cluster.advance(63)
        self.seen: list[bytes] = []

    def send(self, *bodies: bytes) -> None:
        """Send messages, and let the slave copy them."""
        producer = self.cluster.producer()
        for body in bodies:
            self.cluster.result_of(producer.send(Message("T", body)))
        self.cluster.advance(0.2)

    def consume(self) -> Any:
        """Start a consumer that remembers what it gets."""
        keep = self.seen.append
        return self.cluster.consumer("G", "T", lambda m: keep(m.body))

    def pulls(self, node: BrokerNode) -> int:
        """Return how many pulls of the topic a broker got since this was asked."""
        requests = node.traffic.requests(PullMessage)
        node.traffic.clear()
        return len([each for each in requests if each.topic == "T"])


class ReadingTests(ReadingCase):
    """Consumers of ours."""

    def test_master_is_killed(self) -> None:
        """The consumer goes on at the slave, within seconds, and commits there."""
        self.consume()
        self.send(b"1", b"2")
        self.cluster.wait_until(lambda: len(self.seen) == 2)
        self.master.traffic.ignore(PullMessage)
        self.send(b"3", b"4")
        self.master.kill()
        self.cluster.wait_until(lambda: len(self.seen) == 4, within=5)
        self.cluster.advance(6)
        offsets = self.slave.service._tables.offsets
        self.assertEqual(offsets.of_group("G")["T"], {0: 2, 1: 2})

    def test_master_is_away(self) -> None:
        """The slave holds pulls that find nothing, and no consumer asks in a loop."""
        self.consume()
        self.master.kill()
        self.cluster.advance(5)
        self.pulls(self.slave)
        self.cluster.advance(30)
        self.assertLessEqual(self.pulls(self.slave), 6)

    def test_master_returns(self) -> None:
        """The consumer goes back, and commits there what it read meanwhile."""
        self.consume()
        self.send(b"1", b"2")
        self.cluster.wait_until(lambda: len(self.seen) == 2)
        self.master.traffic.ignore(PullMessage)
        self.send(b"3", b"4")
        self.master.kill()
        self.cluster.advance(20)
        self.assertEqual(len(self.seen), 4)
        self.master.traffic.restore()
        self.master.start()
        self.cluster.advance(20)
        self.pulls(self.slave)
        self.pulls(self.master)
        self.cluster.advance(30)
        self.assertEqual(self.pulls(self.slave), 0)
        self.assertGreater(self.pulls(self.master), 0)
        offsets = self.master.service._tables.offsets
        self.assertEqual(offsets.of_group("G")["T"], {0: 2, 1: 2})
        self.assertEqual(sorted(self.seen), [b"1", b"2", b"3", b"4"])

    def test_slave_waits_for_the_master(self) -> None:
        """A pull beyond the end of the slave's queue is held, not corrected."""
        request = pulled("T", queue_offset=9, sys_flag=SUBSCRIPTION | SUSPEND)
        response = self.cluster.call(self.slave, request, timeout=30)
        self.assertEqual(response.status, NOT_FOUND)
        self.assertEqual(response.next_begin_offset, 9)
        self.assertEqual(response.suggest_which_broker_id, 0)

    def test_bytes(self) -> None:
        """What the slave responds is what the master has."""
        self.send(b"1", b"2", b"3")
        end = self.cluster.call(self.slave, GetMaxOffset("T", 0)).offset
        self.assertGreater(end, 0)
        ours, theirs = (
            self.cluster.call(node, pulled("T")).body
            for node in (self.slave, self.master)
        )
        self.assertEqual(ours, theirs)


class SlowTests(ReadingCase):
    """All messages count as old."""

    settings = {"slave_read_enable": True, "access_message_in_memory_max_ratio": 0}

    def test_sent_to_the_slave(self) -> None:
        """A consumer that is far behind reads from the slave."""
        self.send(*(b"%d" % number for number in range(40)))
        response = self.cluster.call(self.master, pulled("T", max_msg_nums=1))
        self.assertEqual(response.suggest_which_broker_id, 1)
        self.consume()
        self.send(b"a", b"b", b"c", b"d")
        self.cluster.advance(1)
        self.send(b"e", b"f")
        self.cluster.advance(1)
        self.assertEqual(len(self.seen), 46)
        self.assertGreater(self.pulls(self.slave), 0)


class ClosedTests(ReadingCase):
    """Without slaveReadEnable."""

    settings: dict[str, Any] = {}

    def test_refused(self) -> None:
        """A slave refuses pulls; clients try again after a pause."""
        error = self.assertRaises(
            BrokerError, self.cluster.call, self.slave, pulled("T")
        )
        self.assertEqual(error.code, ResponseCode.SYSTEM_BUSY)
        self.assertIn("slaveReadEnable", error.remark or "")
