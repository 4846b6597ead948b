"""Tests of the timed messages that an acting slave sends to other masters."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from rocketmq_tw.broker.slave.escape import Escape
from rocketmq_tw.broker.timer import delivery_run
from rocketmq_tw.model.message import Message, StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.store.run import CopyMessage
from rocketmq_tw.testing.nodes import BrokerNode
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.recall import RecallMessage
from rocketmq_tw.wire.requests.registration import RegisterBroker
from rocketmq_tw.wire.requests.replication import GetTimerCheckPoint
from rocketmq_tw.wire.requests.send import SendMessageV2
from tests.broker.slave.cases import EscapeCase


class TimedEscapeCase(EscapeCase):
    """Has a producer of timed messages, which may be recalled."""

    settings: ClassVar[dict[str, Any]] = {"recall_message_enable": True}

    def setUp(self) -> None:
        """Start all, and a producer."""
        super().setUp()
        self.producer = self.cluster.producer()

    def timed(self, body: bytes, delay: float, topic: str = "T") -> str:
        """Send a timed message to the first master; return its handle."""
        message = Message(topic, body, tag="TagA", delay=delay, properties={"p": "v"})
        queue = MessageQueue(topic, "broker-a", 0)
        sent = self.cluster.result_of(self.producer.send(message, queue=queue))
        return str(sent.recall_handle)

    def gauge(self, node: BrokerNode, name: str) -> int:
        """Return a number that a broker shows."""
        response = self.cluster.call(node, GetRuntimeInfo())
        return int(KVTable.decode(response.body).table[name])

    def found(self, topic: str = "T") -> list[StoredMessage]:
        """Return the messages of the topic, of the masters that are there."""
        return self.cluster.messages(topic)

    def bodies(self, topic: str = "T") -> list[bytes]:
        """Return their bodies, in order of the alphabet."""
        return sorted(message.body for message in self.found(topic))

    def point(self) -> TimerCheckPoint:
        """Ask the slave how far messages are delivered."""
        response = self.cluster.call(self.slave, GetTimerCheckPoint())
        return TimerCheckPoint.decode(response.body)


class SentTests(TimedEscapeCase):
    """What a slave sends while it acts."""

    def test_sent_elsewhere(self) -> None:
        """What is due goes to the other master, once, and not before its time."""
        for number in range(30):
            self.timed(b"%02d" % number, 1 + number)
        self.cluster.advance(4)
        at_master = len(self.found())
        self.assertGreater(at_master, 0)
        self.master.kill()
        self.cluster.advance(6)
        self.assertTrue(at_master + 2 < len(self.found()) < at_master + 12)
        self.cluster.advance(30)
        self.assertEqual(self.bodies(), [b"%02d" % number for number in range(30)])
        found = self.found()[at_master:]
        for message in found:
            self.assertEqual(message.broker_name, "broker-b")
            self.assertEqual((message.tag, message.properties["p"]), ("TagA", "v"))
            asked = int(message.properties["TIMER_OUT_MS"])
            self.assertGreater(message.store_time_ms, asked)
            self.assertLess(message.store_time_ms, asked + 13_000)
        sent = self.gauge(self.slave, "timedMessageEscapesCompleted")
        self.assertEqual(sent, len(found))

    def test_master_returns(self) -> None:
        """It delivers the rest, and nothing of what was sent elsewhere."""
        for number in range(60):
            self.timed(b"%02d" % number, 1 + number)
        self.cluster.advance(15)
        self.master.kill()
        self.cluster.advance(20)
        self.assertGreater(len(self.found()), 10)
        self.master.start()
        self.cluster.advance(5)
        self.assertEqual(len(set(self.bodies())), len(self.found()))
        self.assertGreater(self.gauge(self.master, "timerSentBySlave"), 5)
        self.cluster.advance(50)
        self.assertEqual(self.bodies(), [b"%02d" % number for number in range(60)])
        self.assertFalse(os.path.exists(f"{self.slave.directory}/timerwheel"))

    def test_twice(self) -> None:
        """A master may be gone again, also before anything was copied from it."""
        for number in range(60):
            self.timed(b"%02d" % number, 1 + number)
        self.cluster.advance(10)
        self.master.kill()
        self.cluster.advance(15)
        self.master.start()
        self.cluster.advance(7)
        self.master.kill()
        self.cluster.advance(15)
        self.master.start()
        self.cluster.advance(40)
        self.assertEqual(self.bodies(), [b"%02d" % number for number in range(60)])

    def test_master_of_apache(self) -> None:
        """Copies that do not say what they were made from are recognised."""

        def without_source(*fields: Any, source: int, **more: Any) -> CopyMessage:
            """Make a copy as Apache RocketMQ does."""
            return CopyMessage(*fields, source=0, **more)

        self.patch(delivery_run, "CopyMessage", without_source)
        for number in range(60):
            self.timed(b"%02d" % number, 1 + number)
        self.cluster.advance(28)
        self.master.kill()
        self.cluster.advance(20)
        self.assertEqual(len(set(self.bodies())), len(self.found()))
        self.master.start()
        self.cluster.advance(40)
        self.assertEqual(self.bodies(), [b"%02d" % number for number in range(60)])

    def test_restart_while_acting(self) -> None:
        """A slave that was restarted goes on where it was."""
        for number in range(40):
            self.timed(b"%02d" % number, 1 + number)
        self.cluster.advance(10)
        self.master.kill()
        self.cluster.advance(12)
        self.slave.stop()
        self.cluster.advance(2)
        self.slave.start()
        self.cluster.advance(8)
        self.master.start()
        self.cluster.advance(40)
        self.assertEqual(self.bodies(), [b"%02d" % number for number in range(40)])

    def test_stopped_while_acting(self) -> None:
        """What the master has delivered until the slave is back is not sent again."""
        for number in range(60):
            self.timed(b"%02d" % number, 1 + number)
        self.cluster.advance(10)
        self.master.kill()
        self.cluster.advance(8)
        self.slave.stop()
        self.master.start()
        self.cluster.advance(15)
        self.slave.start()
        self.cluster.advance(6)
        self.assertTrue(os.path.exists(f"{self.slave.directory}/timerwheel"))
        self.master.kill()
        self.cluster.advance(40)
        self.master.start()
        self.cluster.advance(10)
        found = self.bodies()
        self.assertEqual(len(set(found)), 60)
        twice = [body for body in set(found) if found.count(body) > 1]
        # What the slave sent before it stopped the master does not know of.
        self.assertEqual([body for body in twice if body >= b"20"], [])

    def test_recalled(self) -> None:
        """What was recalled is not sent."""
        handle = self.timed(b"recalled", 20)
        self.timed(b"kept", 20)
        recall = RecallMessage(topic="T", recall_handle=handle, producer_group="g")
        self.cluster.call(self.master, recall)
        self.cluster.advance(3)
        self.master.kill()
        self.cluster.advance(30)
        self.assertEqual(self.bodies(), [b"kept"])

    def test_master_not_registered(self) -> None:
        """Once it has taken over, it delivers alone, also while nobody knows it."""
        for number in range(50):
            self.timed(b"%02d" % number, 1 + number)
        self.cluster.advance(8)
        self.master.kill()
        self.cluster.advance(8)
        register = self.cluster.name_servers[0].traffic
        register.ignore(RegisterBroker)
        self.master.start()
        self.cluster.advance(15)
        register.restore()
        self.cluster.advance(70)
        self.assertEqual(self.bodies(), [b"%02d" % number for number in range(50)])

    def test_slave_has_no_check_point(self) -> None:
        """A master that returns does not wait for one that its slave does not have."""
        self.timed(b"1", 20)
        self.cluster.advance(2)
        self.master.kill()
        self.cluster.advance(3)
        error = ResponseCode.SYSTEM_ERROR
        self.slave.traffic.refuse(GetTimerCheckPoint, error, times=99)
        self.master.start()
        with capturedLogs() as events:
            self.cluster.advance(8)
        formats = " ".join(event["log_format"] for event in events)
        self.assertIn("does not say up to when", formats)
        self.cluster.advance(15)
        self.assertEqual(self.bodies(), [b"1"])
        self.assertEqual(self.found()[0].broker_name, "broker-a")

    def test_nothing_copied(self) -> None:
        """Without a check point of the master, its log says what it has delivered."""
        self.timed(b"0", 1)
        self.timed(b"1", 6)
        self.cluster.advance(3)
        self.assertEqual(self.bodies(), [b"0"])
        self.assertEqual(self.point().queue_offset, 0)
        self.master.kill()
        self.cluster.advance(12)
        self.assertEqual(self.bodies(), [b"0", b"1"])
        self.master.start()
        self.cluster.advance(15)
        self.assertEqual(self.bodies(), [b"0", b"1"])


class RollTests(TimedEscapeCase):
    """A window of ten seconds at masters; a slave waits as long as its wheel can."""

    settings: ClassVar[dict[str, Any]] = {
        **TimedEscapeCase.settings,
        "timer_roll_window_slot": 10,
    }

    def test_rolled(self) -> None:
        """What rolled comes once: from its master, from the slave, and after that."""
        for number in range(40):
            self.timed(b"%02d" % number, 12 + number)
        self.cluster.advance(17)
        self.master.kill()
        self.cluster.advance(16)
        self.assertLess(len(self.found()), 40)
        self.master.start()
        self.cluster.advance(40)
        self.assertEqual(self.bodies(), [b"%02d" % number for number in range(40)])
        self.assertGreater(self.gauge(self.slave, "timedMessageEscapesCompleted"), 5)


class WaitingTests(TimedEscapeCase):
    """What cannot be sent."""

    def test_refused(self) -> None:
        """What the other master refuses is tried again, and nothing is passed over."""
        self.timed(b"1", 5)
        self.timed(b"2", 7)
        busy = ResponseCode.SYSTEM_BUSY
        self.other.traffic.refuse(SendMessageV2, busy, times=2)
        self.cluster.advance(1)
        self.master.kill()
        with capturedLogs() as events:
            self.cluster.advance(20)
        text = " ".join(str(event.get("why", "")) for event in events)
        self.assertIn("were not sent to other masters", text)
        self.assertEqual(self.bodies(), [b"1", b"2"])
        self.assertEqual(self.gauge(self.slave, "timedMessageEscapesFailed"), 2)

    def test_no_other_master(self) -> None:
        """Without another master that has the topic all wait for their own."""
        self.cluster.create_topic("R", {"broker-a": 1})
        self.cluster.advance(15)
        self.timed(b"1", 4, topic="R")
        self.timed(b"2", 6)
        self.cluster.advance(1)
        self.master.kill()
        self.cluster.advance(20)
        self.assertEqual(self.bodies(), [])
        self.master.start()
        self.cluster.advance(10)
        self.assertEqual((self.bodies("R"), self.bodies()), ([b"1"], [b"2"]))

    def test_part_of_a_slot(self) -> None:
        """Of a slot only what was refused is sent once more."""
        for number in range(20):
            self.timed(b"%02d" % number, 6)
        busy = ResponseCode.SYSTEM_BUSY
        self.other.traffic.refuse(SendMessageV2, busy, times=7)
        self.cluster.advance(1)
        self.master.kill()
        self.cluster.advance(20)
        self.assertEqual(self.bodies(), [b"%02d" % number for number in range(20)])

    def test_master_waits_for_the_slot(self) -> None:
        """A master that returns is notified once the slot is sent that was begun."""
        for number in range(3):
            self.timed(b"%02d" % number, 6)
        self.cluster.advance(1)
        self.master.kill()
        gate: Deferred[None] = Deferred()
        put = Escape._put

        async def put_later(escape: Escape, draft: Draft) -> None:
            """Send one once the gate is open."""
            waiting: Deferred[None] = Deferred()
            gate.addCallback(lambda _: waiting.callback(None))
            await waiting
            await put(escape, draft)

        self.patch(Escape, "_put", put_later)
        self.cluster.advance(12)
        self.master.start()
        self.cluster.advance(1.5)
        gate.callback(None)
        self.cluster.advance(20)
        self.assertEqual(self.bodies(), [b"00", b"01", b"02"])

    def test_master_waits_no_longer(self) -> None:
        """It does not wait for a slot that other masters do not take."""
        self.timed(b"1", 6)
        self.cluster.advance(1)
        self.master.kill()

        async def put_never(escape: Escape, draft: Draft) -> None:
            """Wait for ever."""
            await Deferred[None]()

        self.patch(Escape, "_put", put_never)
        self.cluster.advance(12)
        self.master.start()
        with capturedLogs() as events:
            self.cluster.advance(8)
        formats = " ".join(event["log_format"] for event in events)
        self.assertIn("it delivers them once more", formats)
        self.assertEqual(self.bodies(), [b"1"])
