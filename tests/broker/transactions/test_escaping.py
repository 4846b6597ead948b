"""Tests of rocketmq_tw.broker.transactions.escaping."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from twisted.logger import capturedLogs

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.transactions.escaping import HalfEscape
from rocketmq_tw.broker.transactions.feature import _journal
from rocketmq_tw.broker.transactions.journal import GROUP
from rocketmq_tw.client.transactions.verdict import COMMIT, ROLLBACK, Verdict
from rocketmq_tw.model.message import Message, StoredMessage
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.testing.nodes import BrokerNode
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.registration import RegisterBroker
from rocketmq_tw.wire.requests.send import SendMessageV2
from tests.broker.slave.cases import EscapeCase
from tests.broker.transactions.cases import TransactionCase

TIMES = {
    "transaction_check_interval": 5_000,
    "transaction_check_max": 100,
    "transaction_time_out": 2_000,
}


class UnreadableOnce:
    """A store of which the first read fails at once."""

    def __init__(self, store: IMessageStore) -> None:
        self._store = store
        self._is_read = False

    def __getattr__(self, name: str) -> Any:
        """Return what the store has."""
        return getattr(self._store, name)

    def get(self, *arguments: Any) -> Any:
        """Read some messages."""
        if self._is_read:
            return self._store.get(*arguments)
        self._is_read = True
        raise OSError("the disk does not answer")


class RoundTests(TransactionCase):
    """
    What is pending at a broker, which acts.

    :ivar sent: the bodies that were sent, in order.
    :ivar is_master_alive: whether the master is connected.
    """

    settings = {
        **TransactionCase.settings,
        "transaction_check_interval": 1_000_000,
    }

    def setUp(self) -> None:
        """Store some half messages."""
        super().setUp()
        self.sent: list[bytes] = []
        self.is_master_alive = False
        for body in (b"1", b"2", b"3"):
            self.prepare(body)

    def escape(self, broker: Broker, put: Any) -> HalfEscape:
        """Begin to act."""
        escape = HalfEscape(
            make_journal=lambda: _journal(broker),
            store=broker.store,
            put=put,
            is_master_alive=lambda: self.is_master_alive,
            pacer=self.broker.pacer,
            clock=self.clock,
            interval=2.0,
        )
        escape.act(True)
        self.addCleanup(escape.stop)
        return escape

    def put(self, draft: Draft, now: float) -> Deferred[None]:
        """Send one at once."""
        self.sent.append(draft.body)
        return succeed(None)

    def test_unreadable(self) -> None:
        """A round that fails at once is followed by another."""
        store = UnreadableOnce(self.store)
        self.escape(msgspec.structs.replace(self.broker, store=store), self.put)
        self.pass_time(3)
        self.assertEqual(self.sent, [])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.pass_time(5)
        self.assertEqual(self.sent, [b"1", b"2", b"3"])

    def test_decisions_unreadable(self) -> None:
        """Nothing is sent before it is known what is decided."""
        self.end_now(self.messages(TRANS_HALF_TOPIC)[1])
        self.pass_time(4)
        store = UnreadableOnce(self.store)
        broker = msgspec.structs.replace(self.broker, store=store)
        self.escape(broker, self.put)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.pass_time(12)
        self.assertEqual(self.sent, [b"1", b"3"])

    def test_master_connects(self) -> None:
        """A master that returns reads up to where they are sent before it registers."""

        def put(draft: Draft, now: float) -> Deferred[None]:
            """Send one, while the master connects."""
            self.is_master_alive = True
            return self.put(draft, now)

        self.escape(self.broker, put)
        self.pass_time(3)
        self.assertEqual(self.tables.offsets.query(GROUP, TRANS_HALF_TOPIC, 0), 1)
        self.pass_time(12)
        self.assertEqual(self.sent, [b"1"])

    def test_stopped(self) -> None:
        """It does not begin while the broker stops, whoever has the lowest id then."""
        escape = self.escape(self.broker, self.put)
        escape.stop()
        escape.act(False)
        escape.act(True)
        self.pass_time(12)
        self.assertEqual(self.sent, [])

    def test_committed_in_between(self) -> None:
        """A long round says from time to time what is sent, as the master may come."""
        for number in range(20):
            self.prepare(b"more%d" % number)

        def put(draft: Draft, now: float) -> Deferred[None]:
            """Send one in half a second."""
            self.sent.append(draft.body)
            return deferLater(self.clock, 0.5, lambda: None)

        self.escape(self.broker, put)
        self.pass_time(9)
        committed = self.tables.offsets.query(GROUP, TRANS_HALF_TOPIC, 0)
        self.assertGreaterEqual(committed or 0, len(self.sent) - 4)
        self.assertLess(len(self.sent), 23)


class EscapeTests(EscapeCase):
    """
    The first master alone has the topic at first.

    :ivar says: what the producer says of a body; nothing of others.
    """

    settings: ClassVar[dict[str, Any]] = TIMES
    queues: ClassVar[int | dict[str, int]] = {"broker-a": 1}

    def setUp(self) -> None:
        """Start all, and a producer."""
        super().setUp()
        self.says: dict[bytes, Verdict] = {}
        self.asked: list[bytes] = []
        client = self.cluster.client()
        self.cluster.result_of(client.start())
        self.producer = client.transaction_producer("pg", self.check, topics=["T"])

    def check(self, message: StoredMessage) -> Any:
        """Say how a transaction ended."""
        self.asked.append(message.body)
        return self.says.get(message.body)

    def begin(self, *bodies: bytes, topic: str = "T", verdict: Any = None) -> None:
        """Send half messages to the first master."""
        for body in bodies:
            message = Message(topic, body, tag="TagA", properties={"p": "v"})
            sent = self.producer.send_in_transaction(message, lambda m, t: verdict)
            self.cluster.result_of(sent)

    def open_other(self) -> None:
        """Let the other master have the topic, too, and the producer know that."""
        self.cluster.create_topic("T", {"broker-a": 1, "broker-b": 1})
        self.cluster.advance(62)

    def gauge(self, node: BrokerNode, name: str) -> int:
        """Return a number that a broker shows."""
        response = self.cluster.call(node, GetRuntimeInfo())
        return int(KVTable.decode(response.body).table[name])

    def consumed(self) -> list[bytes]:
        """Return what consumers can read, of the masters that are there."""
        return sorted(each.body for each in self.cluster.messages("T"))

    def test_sent_elsewhere(self) -> None:
        """What is pending ends at the other master; what is decided is not sent."""
        self.begin(b"1", b"2", b"3")
        self.begin(b"done", verdict=COMMIT)
        self.begin(b"never", verdict=ROLLBACK)
        self.open_other()
        self.says = {b"1": COMMIT, b"2": ROLLBACK}
        self.master.kill()
        self.cluster.advance(20)
        self.assertEqual(self.gauge(self.slave, "halfMessageEscapesCompleted"), 3)
        self.assertEqual(self.gauge(self.other, "transactionsPending"), 1)
        found = self.cluster.messages("T")
        (message,) = [each for each in found if each.body == b"1"]
        self.assertEqual(message.broker_name, "broker-b")
        self.assertEqual((message.tag, message.properties["p"]), ("TagA", "v"))
        self.says[b"3"] = COMMIT
        self.cluster.advance(10)
        self.assertEqual(self.consumed(), [b"1", b"3", b"done"])

    def test_master_returns(self) -> None:
        """It does not ask about what was sent elsewhere, so nothing ends twice."""
        self.begin(b"1")
        self.open_other()
        self.master.kill()
        self.cluster.advance(20)
        self.assertEqual(self.gauge(self.other, "transactionsPending"), 1)
        self.master.start()
        self.cluster.advance(5)
        self.assertEqual(self.gauge(self.master, "transactionsPending"), 0)
        self.says = {b"1": COMMIT}
        self.cluster.advance(20)
        self.assertEqual(self.consumed(), [b"1"])

    def test_behind_one_that_waits(self) -> None:
        """What is behind one that no other master takes waits, too: it ends once."""
        self.cluster.create_topic("Alone", {"broker-a": 1})
        self.cluster.advance(31)
        self.begin(b"0", topic="Alone")
        self.begin(b"1")
        self.open_other()
        self.master.kill()
        self.cluster.advance(20)
        self.says = {b"0": COMMIT, b"1": COMMIT}
        self.master.start()
        self.cluster.advance(70)
        self.assertEqual(self.consumed(), [b"1"])

    def test_not_at_once(self) -> None:
        """A master that is away for a moment has them when it is back."""
        self.begin(b"1")
        self.open_other()
        self.master.kill()
        self.cluster.advance(3)
        self.master.start()
        self.cluster.advance(3)
        self.assertEqual(self.gauge(self.other, "halfMessages"), 0)
        self.assertEqual(self.gauge(self.master, "transactionsPending"), 1)

    def test_master_not_known(self) -> None:
        """A master that has taken over what is sent need not be registered yet."""
        self.begin(b"1")
        self.open_other()
        self.says = {b"1": COMMIT}
        self.master.kill()
        self.cluster.advance(3)
        register = self.cluster.name_servers[0].traffic
        register.ignore(RegisterBroker)
        self.master.start()
        self.cluster.advance(20)
        self.assertEqual(self.gauge(self.slave, "halfMessageEscapesCompleted"), 0)
        register.restore()
        self.cluster.advance(70)
        self.assertEqual(self.consumed(), [b"1"])

    def test_refused(self) -> None:
        """What the other master refuses is tried again."""
        self.begin(b"1", b"2")
        self.open_other()
        busy = ResponseCode.SYSTEM_BUSY
        self.other.traffic.refuse(SendMessageV2, busy, times=1)
        self.says = {b"1": COMMIT, b"2": COMMIT}
        self.master.kill()
        with capturedLogs() as events:
            self.cluster.advance(9)
        self.assertEqual(self.gauge(self.slave, "halfMessageEscapesCompleted"), 0)
        text = " ".join(event["log_format"] for event in events)
        self.assertIn("wait for their master", text)
        self.cluster.advance(15)
        self.assertEqual(self.consumed(), [b"1", b"2"])

    def test_no_other_master(self) -> None:
        """Without another master that has the topic they wait for their own."""
        self.begin(b"1")
        self.master.kill()
        self.cluster.advance(20)
        self.says = {b"1": COMMIT}
        self.master.start()
        self.cluster.advance(40)
        self.assertEqual(self.consumed(), [b"1"])
