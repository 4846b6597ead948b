"""Records of traces on their way: together, in time, and never too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.trace.dispatcher import (
    MAX_KEYS,
    MAX_RECORDS,
    MAX_SIZE,
    TOGETHER,
    TraceDispatcher,
)
from rocketmq_tw.model.message import Message
from rocketmq_tw.wire.trace import TracedMessage


class Sender:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[Message, Deferred[Any]]] = []
        self.running = False

    def send(self, message: Message) -> Deferred[Any]:
        """Keep a message."""
        self.sent.append((message, Deferred()))
        return self.sent[-1][1]

    def startService(self) -> None:  # noqa: N802
        """Start."""
        self.running = True

    def stopService(self) -> Deferred[None]:  # noqa: N802
        """Stop."""
        self.running = False
        return succeed(None)


class DispatcherTests(SynchronousTestCase):
    """Records of one producer."""

    def setUp(self) -> None:
        """Make a dispatcher whose sender is made when it is needed."""
        self.clock = Clock()
        self.made: list[Sender] = []

        def make() -> Sender:
            self.made.append(Sender())
            return self.made[-1]

        make_sender: Callable[[], Any] = make
        self.dispatcher = TraceDispatcher("Traces", make_sender, self.clock)

    def add(
        self, count: int = 1, topic: str = "T", record: str = "x", **of: Any
    ) -> None:
        """Add records of messages."""
        for number in range(count):
            message = TracedMessage(topic, f"M{number}", **of)
            self.dispatcher.add(topic, [(message, record)])

    @property
    def sent(self) -> list[Message]:
        """The messages that were sent."""
        return [message for sender in self.made for message, _ in sender.sent]

    def test_together(self) -> None:
        """Twenty go at once, in one message that has the keys of all."""
        self.add(TOGETHER - 1, keys="k")
        self.assertEqual(self.made, [])
        self.add()
        [message] = self.sent
        self.assertEqual((message.topic, message.body), ("Traces", b"x" * TOGETHER))
        keys = {"k", *(f"M{number}" for number in range(TOGETHER - 1))}
        self.assertEqual(set(message.keys), keys)
        self.assertEqual(len(message.keys), len(keys))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_in_time(self) -> None:
        """Fewer go after five seconds."""
        self.add(2)
        self.clock.advance(4.9)
        self.assertEqual(self.sent, [])
        self.clock.advance(0.2)
        self.assertEqual([message.body for message in self.sent], [b"xx"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_message_for_each_topic(self) -> None:
        """Java's reader takes the topic from the first record."""
        self.add(10, "T")
        self.add(10, "U")
        self.assertEqual([message.body for message in self.sent], [b"x" * 10] * 2)

    def test_large_records(self) -> None:
        """No message is larger than Java's may be."""
        self.add(5, record="x" * (MAX_SIZE // 2))
        self.dispatcher.flush()
        sizes = [len(message.body) for message in self.sent]
        self.assertEqual(sizes, [MAX_SIZE, MAX_SIZE, MAX_SIZE // 2])

    def test_long_keys(self) -> None:
        """The keys of one message fit its properties; its id is among them."""
        self.add(3, keys=f"short {'k' * (2 * MAX_KEYS)}")
        self.dispatcher.flush()
        self.assertEqual(
            [m.keys for m in self.sent], [(f"M{n}", "short") for n in range(3)]
        )

    def test_bounded(self) -> None:
        """Past the limit records are dropped and counted; what is sent makes room."""
        self.add(MAX_RECORDS + 7)
        self.assertEqual(self.dispatcher.dropped, 7)
        self.assertEqual(len(self.sent) * TOGETHER, MAX_RECORDS // TOGETHER * TOGETHER)
        self.made[0].sent[0][1].callback(None)
        self.add(TOGETHER + 1)
        self.assertEqual(self.dispatcher.dropped, 8)

    def test_not_sent(self) -> None:
        """What cannot be sent is dropped and counted, and logged once."""
        self.add(TOGETHER)
        self.add(TOGETHER)
        for _, sending in self.made[0].sent:
            sending.errback(ValueError("no route"))
        self.assertEqual(self.dispatcher.dropped, 2 * TOGETHER)
        self.assertEqual(self.dispatcher._in_flight, 0)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_stopped(self) -> None:
        """What waits is sent first."""
        self.add(2)
        self.successResultOf(self.dispatcher.stop())
        self.assertEqual(len(self.sent), 1)
        self.assertFalse(self.made[0].running)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_after_the_stop(self) -> None:
        """What comes after it is dropped, and starts no sender."""
        self.successResultOf(self.dispatcher.stop())
        self.add(TOGETHER)
        self.assertEqual((self.made, self.dispatcher.dropped), ([], TOGETHER))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_traced(self) -> None:
        """Then no sender was made, and no group joined."""
        self.successResultOf(self.dispatcher.stop())
        self.assertEqual(self.made, [])
