"""Which queue a message goes to."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.client.producer.faults import ISOLATION, Faults
from rocketmq_tw.client.producer.selectors import (
    RoundRobin,
    by_go_fnv,
    by_java_hash,
    choice_of,
)
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue

QUEUES = [MessageQueue("T", "a", i) for i in range(4)]
TWO = QUEUES + [MessageQueue("T", "b", i) for i in range(4)]
MESSAGE = Message("T", b"x")


class KeyTests(SynchronousTestCase):
    """A key always gives the queue that the other clients would choose."""

    def test_text_is_hashed_as_java_does(self) -> None:
        """``"TagA".hashCode()`` is 2598919, which leaves 3 of 4."""
        self.assertEqual(by_java_hash(QUEUES, MESSAGE, "TagA"), QUEUES[3])

    def test_negative_hash_loses_its_sign_after_the_remainder(self) -> None:
        """``"polygenelubricants"`` hashes to the least integer; Java's % truncates."""
        three = QUEUES[:3]
        self.assertEqual(by_java_hash(three, MESSAGE, "polygenelubricants"), three[2])

    def test_negative_integer(self) -> None:
        """``Integer(-7) % 4`` is -3 in Java, thus queue 3."""
        self.assertEqual(by_java_hash(QUEUES, MESSAGE, -7), QUEUES[3])

    def test_long_is_folded(self) -> None:
        """A Long's hash is its two halves, one on the other."""
        self.assertEqual(by_java_hash(QUEUES, MESSAGE, (1 << 32) | 3), QUEUES[2])

    def test_go_hashes_otherwise(self) -> None:
        """FNV-1a of 32 bits: ``a`` is 0xE40C292C, ``foobar`` 0xBF9CF968."""
        self.assertEqual(by_go_fnv(QUEUES, MESSAGE, "a"), QUEUES[0xE40C292C % 4])
        seven = TWO[:7]
        self.assertEqual(by_go_fnv(seven, MESSAGE, "foobar"), seven[0xBF9CF968 % 7])


class RoundRobinTests(SynchronousTestCase):
    """Messages without a key take the queues in turn."""

    def setUp(self) -> None:
        """Make a rotation on a clock."""
        self.clock = Clock()
        self.faults = Faults(self.clock)
        self.rotation = RoundRobin(self.faults)

    def brokers(self, times: int = 8) -> set[str]:
        """Choose some times; give the brokers chosen."""
        return {self.rotation.choose(TWO).broker_name for _ in range(times)}

    def test_every_queue_is_chosen(self) -> None:
        """Eight choices of eight queues are all of them."""
        chosen = [self.rotation.choose(TWO) for _ in TWO]
        self.assertEqual(sorted(chosen), TWO)

    def test_each_topic_has_its_counter(self) -> None:
        """Two topics sent to by turns do not miss every second queue."""
        other = [MessageQueue("U", "a", i) for i in range(4)]
        chosen = [
            (self.rotation.choose(QUEUES), self.rotation.choose(other)) for _ in other
        ]
        self.assertEqual(len({queue for queue, _ in chosen}), 4)

    def test_last_broker_is_avoided(self) -> None:
        """After a failure another broker is taken."""
        names = {self.rotation.choose(TWO, {"a"}).broker_name for _ in range(8)}
        self.assertEqual(names, {"b"})

    def test_last_broker_is_taken_if_it_is_the_only_one(self) -> None:
        """Where there is no other, the same will do."""
        self.assertEqual(self.rotation.choose(QUEUES, {"a"}).broker_name, "a")

    def test_failed_broker_is_avoided(self) -> None:
        """A broker that failed is avoided for a while, then chosen again."""
        self.faults.failed("a")
        self.assertEqual(self.brokers(), {"b"})
        self.clock.advance(ISOLATION)
        self.assertEqual(self.brokers(), {"a", "b"})

    def test_slow_broker_is_avoided(self) -> None:
        """A slow response is a reason to avoid a broker; a quick one ends it."""
        self.faults.succeeded("b", 2.0)
        self.assertEqual(self.brokers(), {"a"})
        self.faults.succeeded("b", 0.01)
        self.assertEqual(self.brokers(), {"a", "b"})

    def test_all_avoided_means_any(self) -> None:
        """If every broker is avoided, messages still go somewhere."""
        self.faults.failed("a")
        self.faults.failed("b")
        self.assertEqual(self.brokers(), {"a", "b"})


class ChoiceTests(SynchronousTestCase):
    """What a caller says of the queue."""

    def test_any(self) -> None:
        """Without a queue, a key and a selector, any queue will do."""
        self.assertIsNone(choice_of(MESSAGE, None, None, None))

    def test_queue(self) -> None:
        """A queue is taken as it is, whatever the route says."""
        choice = choice_of(MESSAGE, QUEUES[2], None, None)
        assert choice is not None
        self.assertEqual(choice([]), QUEUES[2])

    def test_key(self) -> None:
        """A key is hashed as Java does, or given to the selector."""
        choice = choice_of(MESSAGE, None, "TagA", None)
        assert choice is not None
        self.assertEqual(choice(QUEUES), QUEUES[3])
        choice = choice_of(MESSAGE, None, "a", by_go_fnv)
        assert choice is not None
        self.assertEqual(choice(QUEUES), by_go_fnv(QUEUES, MESSAGE, "a"))

    def test_refused(self) -> None:
        """A queue and a key, or a queue of another topic."""
        other = MessageQueue("U", "a", 0)
        self.assertRaises(ValidationError, choice_of, MESSAGE, other, None, None)
        self.assertRaises(ValidationError, choice_of, MESSAGE, QUEUES[0], "k", None)
