"""Tests of when a slave copies from its master, and what it does when that fails."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.slave.master import Master
from rocketmq_tw.broker.slave.replicated import Ask, Replicated
from rocketmq_tw.broker.slave.sync import (
    COPY_PERIOD,
    LONG_PERIOD,
    LOOK_PERIOD,
    TIMEOUT,
    SlaveSync,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.group import GetAllGroups
from rocketmq_tw.wire.requests.offset import (
    GetAllConsumerOffset,
    GetAllDelayOffset,
)
from rocketmq_tw.wire.requests.topic import GetAllTopicConfig
from tests.broker.slave.cases import PairCase

ALL = (GetAllTopicConfig, GetAllConsumerOffset, GetAllGroups, GetAllDelayOffset)


class SyncTests(PairCase):
    """Requests of a slave to its master."""

    def counts(self) -> list[int]:
        """Return how often each document was asked for, of the master."""
        return [len(self.master.traffic.requests(kind)) for kind in ALL]

    def test_schedule(self) -> None:
        """At once when the master is known, then 10 s after the last copy."""
        self.assertEqual(self.counts(), [1] * 4)
        self.cluster.advance(COPY_PERIOD - 1)
        self.assertEqual(self.counts(), [1] * 4)
        self.cluster.advance(1 + LOOK_PERIOD)
        self.assertEqual(self.counts(), [2] * 4)

    def test_large(self) -> None:
        """Where the documents are large, after a minute."""
        attributes = {"a": "x" * 200}
        groups = {
            f"G{n}": {"groupName": f"G{n}", "attributes": attributes}
            for n in range(6_000)
        }
        self.respond(GetAllGroups, {"subscriptionGroupTable": groups})
        self.cluster.advance(COPY_PERIOD + LOOK_PERIOD)
        self.assertEqual(self.counts(), [2] * 4)
        self.cluster.advance(LONG_PERIOD - LOOK_PERIOD - 1)
        self.assertEqual(self.counts(), [2] * 4)
        self.cluster.advance(2 * LOOK_PERIOD)
        self.assertEqual(self.counts(), [3] * 4)

    def test_one_fails(self) -> None:
        """The others are copied; all are tried again at the next look, 3 s later."""
        refused = ResponseCode.SYSTEM_ERROR
        self.master.traffic.refuse(GetAllConsumerOffset, refused, times=3)
        with capturedLogs() as events:
            self.cluster.advance(COPY_PERIOD + LOOK_PERIOD)
            self.assertEqual(self.counts(), [2] * 4)
            self.cluster.advance(9)
            self.assertEqual(self.counts(), [5] * 4)
            self.cluster.advance(COPY_PERIOD - 2)
            self.assertEqual(self.counts(), [5] * 4)
        warned = [e for e in events if "could not copy" in e["log_format"]]
        self.assertEqual([e["name"] for e in warned], ["the consumer offsets"])

    def test_master_hangs(self) -> None:
        """One copy is in flight at a time, and ends with the time-out."""
        self.master.traffic.ignore(GetAllTopicConfig)
        self.cluster.advance(COPY_PERIOD + LOOK_PERIOD)
        self.assertEqual(self.counts(), [2, 1, 1, 1])
        self.cluster.advance(TIMEOUT)
        self.assertEqual(self.counts()[1:], [2] * 3)

    def test_half_open(self) -> None:
        """Bytes vanish: after one time-out all is asked over another connection."""
        attempts = self.cluster.network.attempts
        before = attempts.count(self.master.address)
        self.cluster.faults.silence(self.slave, self.master)
        self.cluster.advance(COPY_PERIOD + LOOK_PERIOD + TIMEOUT)
        self.assertEqual(self.counts(), [1, 2, 2, 2])
        self.assertEqual(attempts.count(self.master.address), before + 1)
        self.cluster.advance(LOOK_PERIOD)
        self.assertEqual(self.counts(), [2, 3, 3, 3])

    def test_master_returns(self) -> None:
        """Nothing is asked of a master that is gone; all, once it is back."""
        self.master.kill()
        self.cluster.advance(100)
        self.master.traffic.clear()
        self.master.start()
        self.cluster.create_topic("anew")
        self.cluster.advance(4)
        self.assertEqual(self.counts(), [1] * 4)
        self.assertIn("anew", self.topics(self.slave).topic_config_table)

    def test_stopped_meanwhile(self) -> None:
        """A slave that stops while it copies logs no failure."""
        self.master.traffic.ignore(GetAllTopicConfig)
        self.cluster.advance(COPY_PERIOD + LOOK_PERIOD)
        self.slave.stop()
        self.cluster.advance(TIMEOUT)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_garbage(self) -> None:
        """What is no document is named; the slave keeps what it has."""
        before = self.topics(self.slave)
        for text in (b"", b"[]", b"{", b'{"topicConfigTable":7}', b"\xff" * 99):
            self.respond(GetAllTopicConfig, text)
            with capturedLogs() as events:
                self.cluster.advance(COPY_PERIOD + 3)
            self.cluster.advance(4)
            formats = [event["log_format"] for event in events]
            self.assertTrue(any("could not copy" in each for each in formats), text)
            self.assertEqual(self.topics(self.slave), before)


class NewMasterTests(SynchronousTestCase):
    """The master's address changes."""

    def test_while_the_last_document_is_applied(self) -> None:
        """The next look copies from the new master, not the next copy that is due."""
        clock, master = Clock(), Master()
        applied: list[Deferred[None]] = []

        async def copy(ask: Ask) -> None:
            """Take as long as the test wants."""
            applied.append(Deferred())
            await applied[-1]

        document = Replicated("the topics", copy)
        sync = SlaveSync(reactor=clock, master=master, documents=[document])
        sync.start()
        self.addCleanup(sync.stop)
        master.set("10.0.0.1:10911", "")
        master.set("10.0.0.2:10911", "")
        applied[0].callback(None)
        clock.advance(LOOK_PERIOD)
        self.assertEqual(len(applied), 2)
