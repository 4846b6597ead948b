"""Messages as they come."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from rocketmq_tw.admin import NotFound
from rocketmq_tw.admin import tail as tail_module
from rocketmq_tw.admin.tail import Tail
from rocketmq_tw.admin.topic_changes import TopicSettings
from rocketmq_tw.client import Sql
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.offset import GetMaxOffset
from rocketmq_tw.wire.requests.pull import PullMessage
from tests.admin.cases import AdminCase


class TailCase(AdminCase):
    """A topic with a message, and iterators over what comes afterwards."""

    def setUp(self) -> None:
        """Create a topic with an old message."""
        super().setUp()
        self.cluster.create_topic("orders", 2)
        self.send("orders", b"old")
        self.cluster.advance(1)

    def tail(self, *args: Any, **options: Any) -> Tail:
        """Begin at the end."""
        tail = self.admin.messages.tail("orders", *args, **options)
        self.run_admin(tail.start())
        self.addCleanup(lambda: self.run_admin(tail.aclose()))
        return tail

    def take(self, tail: Tail, count: int) -> list[bytes]:
        """Take so many messages."""
        return [self.run_admin(tail.__anext__()).body for _ in range(count)]


class TailTests(TailCase):
    """One iterator over all queues of a topic."""

    def test_new_ones_only(self) -> None:
        """What was there before is not returned; what comes is, from all queues."""
        tail = self.tail()
        self.cluster.advance(60)
        self.send("orders", b"1", b"2", b"3", b"4", b"5")
        self.assertEqual(sorted(self.take(tail, 5)), [b"1", b"2", b"3", b"4", b"5"])

    def test_expressions(self) -> None:
        """Tags and SQL choose."""
        by_tag, by_sql = self.tail("B"), self.tail(Sql("n > 1"))
        self.send("orders", b"1", tag="A", properties={"n": "1"})
        self.send("orders", b"2", tag="B", properties={"n": "2"})
        self.assertEqual(self.take(by_tag, 1), [b"2"])
        self.assertEqual(self.take(by_sql, 1), [b"2"])

    def test_bounded(self) -> None:
        """Nobody takes: it stops reading, and goes on when somebody does."""
        tail = self.tail(limit=4)
        self.send("orders", *[b"x"] * 100)
        self.cluster.advance(30)
        self.assertLessEqual(len(tail._messages), 4 + 4 * 32)
        pulls = self.cluster.broker.traffic.requests(PullMessage)
        self.cluster.advance(60)
        self.assertEqual(
            len(self.cluster.broker.traffic.requests(PullMessage)), len(pulls)
        )
        self.assertEqual(len(self.take(tail, 100)), 100)

    def test_broker_that_fails(self) -> None:
        """It is asked again, and what it got meanwhile is returned."""
        tail = self.tail()
        broker = self.cluster.brokers["broker-b"]
        self.cluster.network.cut("10.0.4.1", broker.host)
        self.cluster.advance(40)
        self.assertEqual({name[:8] for name in tail.failing}, {"broker-b"})
        self.send("orders", b"1", b"2", b"3", b"4")
        self.cluster.faults.heal_all()
        self.assertEqual(sorted(self.take(tail, 4)), [b"1", b"2", b"3", b"4"])
        self.assertEqual(tail.failing, {})

    def test_refused(self) -> None:
        """A refusal that lasts ends the iteration with the error."""
        tail = self.tail()
        for broker in self.cluster.brokers.values():
            broker.traffic.refuse(PullMessage, 24)
        self.send("orders", b"x")
        with self.assertRaises(Exception) as caught:
            self.take(tail, 5)
        self.assertIn("SUBSCRIPTION_NOT_EXIST", str(caught.exception))

    def update(self, **settings: Any) -> None:
        """Change the topic."""
        self.run_admin(self.admin.topics.update("orders", TopicSettings(**settings)))

    def test_queue_that_is_taken_away(self) -> None:
        """The others go on; it continues where it was, once it is back."""
        notified: list[tuple[str, bool]] = []
        tail = self.tail(on_failing=lambda n, why: notified.append((n, bool(why))))
        lost = {"broker-a/1", "broker-b/1"}
        self.update(queues=1)
        self.cluster.advance(60)
        self.assertEqual(set(tail.failing), lost)
        self.assertEqual(len(tail._running), 3)
        self.assertEqual(set(notified), {(name, True) for name in lost})
        self.send_to(0, b"1")
        self.assertEqual(self.take(tail, 1), [b"1"])
        self.update(queues=2)
        self.cluster.advance(1)
        self.send_to(1, b"2")
        self.assertEqual(self.take(tail, 1), [b"2"])
        self.cluster.advance(60)
        self.assertEqual((tail.failing, list(tail._messages)), ({}, []))
        self.assertEqual(len(notified), 4)

    def send_to(self, number: int, body: bytes) -> None:
        """Send a message to a queue of the second broker."""
        queue = MessageQueue("orders", "broker-b", number)
        self.cluster.result_of(
            self.producer().send(Message("orders", body), queue=queue)
        )

    def test_topic_that_is_deleted(self) -> None:
        """Its queues fail; once it is created again, it is read from its beginning."""
        self.send("orders", b"old")
        tail = self.tail()
        self.run_admin(self.admin.topics.delete("orders"))
        self.cluster.advance(60)
        self.assertEqual(len(tail.failing), 4)
        self.run_admin(self.admin.topics.create("orders", queues=2))
        self.cluster.advance(60)
        self.send_to(0, b"1")
        self.assertEqual(self.take(tail, 1), [b"1"])

    def test_all_queues_refused(self) -> None:
        """It ends with an error when no queue is left."""
        tail = self.tail()
        for broker in self.cluster.brokers.values():
            broker.traffic.refuse(PullMessage, ResponseCode.INVALID_PARAMETER, times=9)
        self.send("orders", *[b"x"] * 4)
        with self.assertRaises(BrokerError):
            self.take(tail, 5)

    def test_broker_at_another_address(self) -> None:
        """Its queues are read where the name servers say that they are now."""
        tail = self.tail()
        old = dict(tail._spots)
        moved = {n: replace(spot, address="10.9.9.9:1") for n, spot in old.items()}
        tail._spots.update(moved)
        self.cluster.advance(60)
        self.assertEqual(tail._spots, old)
        self.send("orders", b"1")
        self.assertEqual(self.take(tail, 1), [b"1"])

    def test_closed(self) -> None:
        """Closing ends a waiting iteration, and leaves nothing scheduled."""

        async def all_of_them() -> int:
            async with self.admin.messages.tail("orders") as tail:
                self.cluster.clock.callLater(5, self.close, tail)
                return len([each async for each in tail])

        self.assertEqual(self.run_admin(all_of_them()), 0)

    def close(self, tail: Tail) -> None:
        """Close from outside of the iteration."""
        from twisted.internet.defer import Deferred

        Deferred.fromCoroutine(tail.aclose())

    def test_unknown_topic(self) -> None:
        """It is an error at the start."""
        tail = self.admin.messages.tail("nothing")
        with self.assertRaises(NotFound):
            self.run_admin(tail.start())

    def test_queues_that_come_later(self) -> None:
        """A queue is read from its beginning, if it is new."""
        tail = self.tail()
        self.run_admin(self.admin.topics.update("orders", TopicSettings(queues=5)))
        self.cluster.advance(1)
        for number in range(5):
            queue = MessageQueue("orders", "broker-b", number)
            message = Message("orders", b"%d" % number)
            self.cluster.result_of(self.producer().send(message, queue=queue))
        expected = [b"0", b"1", b"2", b"3", b"4"]
        self.assertEqual(sorted(self.take(tail, 5)), expected)
        self.cluster.advance(60)
        self.assertEqual(list(tail._messages), [])

    def test_too_many_queues(self) -> None:
        """Beyond a limit new queues are not read, and that is said."""
        self.patch(tail_module, "MOST_NEW", 2)
        tail = self.tail()
        self.run_admin(self.admin.topics.update("orders", TopicSettings(queues=9)))
        self.cluster.advance(15)
        self.assertEqual(tail.failing, {"more queues": "6 are read already"})

    def test_broker_that_fails_at_the_start(self) -> None:
        """It is asked again, and read from the time of the start on."""
        broker = self.cluster.brokers["broker-b"]
        for _ in range(2):
            broker.traffic.refuse(GetMaxOffset, 2)
        tail = self.tail()
        self.assertEqual({name[:8] for name in tail.failing}, {"broker-b"})
        self.cluster.advance(15)
        self.assertEqual(tail.failing, {})
        self.send("orders", b"1", b"2", b"3", b"4")
        self.assertEqual(sorted(self.take(tail, 4)), [b"1", b"2", b"3", b"4"])


class RestartTests(TailCase):
    """A broker that is away at the start, and keeps its messages."""

    on_disk = True

    def test_broker_that_comes_later(self) -> None:
        """Of a broker that comes back, what is older than the start is not new."""
        self.send("orders", *[b"old"] * 8)
        broker = self.cluster.brokers["broker-b"]
        broker.stop()
        self.cluster.advance(60)
        tail = self.tail()
        broker.start()
        self.cluster.advance(60)
        self.assertEqual(list(tail._messages), [])
        for number in range(2):
            queue = MessageQueue("orders", "broker-b", number)
            message = Message("orders", b"%d" % number)
            self.cluster.result_of(self.producer().send(message, queue=queue))
        self.assertEqual(sorted(self.take(tail, 2)), [b"0", b"1"])
