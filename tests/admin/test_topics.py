"""Topics, as administrators see them."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import succeed

from rocketmq_tw.admin import NotFound
from rocketmq_tw.admin.results.topics import Kind
from rocketmq_tw.admin.topics import kind_of, permission_text, reserved_by
from rocketmq_tw.wire.bodies.topics import TopicList
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.route import GetAllTopics
from tests.admin.cases import AdminCase


class TopicTests(AdminCase):
    """Lists and details."""

    def setUp(self) -> None:
        """Create a topic on both brokers, and one on the first."""
        super().setUp()
        self.cluster.create_topic("orders", 4)
        self.cluster.create_topic("small", {"broker-a": 1}, perm=4)
        self.consume("billing", "orders")

    def test_many(self) -> None:
        """A long list is put together in steps, between which others are served."""
        names = tuple(f"topic-{number:05}" for number in range(4_500))
        body = TopicList(names).encode()
        calls = self.admin.calls
        ask = calls.name_server

        def respond(request: Any) -> Any:
            if isinstance(request, GetAllTopics):
                return succeed(Response(body=body))
            return ask(request)

        clock = self.admin.calls.session.clock
        later = clock.callLater
        steps: list[float] = []

        def call_later(delay: float, *call: Any) -> Any:
            if delay == 0:
                steps.append(delay)
            return later(delay, *call)

        self.run_admin(self.admin.topics.list())  # connects
        self.patch(clock, "callLater", call_later)
        self.run_admin(self.admin.topics.list())
        self.assertLessEqual(len(steps), 1)
        steps.clear()
        self.patch(calls, "name_server", respond)
        self.assertEqual(len(self.run_admin(self.admin.topics.list())), 4_500)
        self.assertEqual(len(steps), 2)

    def test_names(self) -> None:
        """The list has what applications use, and only names."""
        topics = self.run_admin(self.admin.topics.list())
        self.assertEqual([topic.name for topic in topics], ["orders", "small"])
        self.assertEqual({topic.queues for topic in topics}, {None})

    def test_all(self) -> None:
        """With the others each says whose it is."""
        topics = self.run_admin(self.admin.topics.list(with_system=True))
        kinds = {topic.name: topic.kind for topic in topics}
        self.assertEqual(kinds["%RETRY%billing"], Kind.RETRY)
        self.assertEqual(kinds["SELF_TEST_TOPIC"], Kind.SYSTEM)
        self.assertEqual(kinds["broker-a"], Kind.SYSTEM)
        self.assertEqual(kinds["orders"], Kind.NORMAL)

    def test_settings(self) -> None:
        """With settings each says how many queues it has, and where."""
        topics = self.run_admin(self.admin.topics.list(with_settings=True))
        orders, small = topics
        self.assertEqual((orders.queues, orders.permission), (8, "rw"))
        self.assertEqual(orders.brokers, ("broker-a", "broker-b"))
        self.assertEqual((small.queues, small.permission), (1, "r"))
        self.assertEqual(small.type, "NORMAL")

    def test_get(self) -> None:
        """The details are those of each broker."""
        topic = self.run_admin(self.admin.topics.get("orders"))
        self.assertEqual([b.name for b in topic.route], ["broker-a", "broker-b"])
        first = topic.settings[0]
        self.assertEqual((first.broker, first.write_queues), ("broker-a", 4))
        self.assertEqual((topic.failed, topic.kind), ({}, Kind.NORMAL))

    def test_get_without_a_broker(self) -> None:
        """A broker that is gone does not hide the route."""
        self.unreachable("broker-b")
        topic = self.run_admin(self.admin.topics.get("orders"))
        self.assertEqual([each.broker for each in topic.settings], ["broker-a"])
        self.assertEqual(list(topic.failed), ["broker-b"])

    def test_unknown(self) -> None:
        """A topic that does not exist is named."""
        text = self.failure(self.admin.topics.get("nothing"), NotFound)
        self.assertEqual(text, 'there is no topic "nothing"')
        self.failure(self.admin.topics.stats("nothing"), NotFound)

    def test_stats(self) -> None:
        """Offsets are those of all queues, and the messages are counted."""
        self.send("orders", *[b"x"] * 16)
        stats = self.run_admin(self.admin.topics.stats("orders"))
        self.assertEqual(len(stats.queues), 8)
        self.assertEqual(stats.messages, 16)
        self.assertEqual({(q.min, q.max) for q in stats.queues}, {(0, 2)})
        self.assertIsNotNone(stats.queues[0].last_update)

    def test_stats_of_an_empty_topic(self) -> None:
        """A queue without a message has no time of the last one."""
        stats = self.run_admin(self.admin.topics.stats("small"))
        self.assertEqual([q.last_update for q in stats.queues], [None])

    def test_a_slave_is_asked(self) -> None:
        """Without a master its slave says what it knows."""
        self.cluster.add_slave("broker-a").start()
        self.cluster.advance(15)
        self.cluster.brokers["broker-a"].stop()
        self.cluster.advance(1)
        stats = self.run_admin(self.admin.topics.stats("small"))
        self.assertEqual([q.broker for q in stats.queues], ["broker-a"])


class WordTests(AdminCase):
    """Whose topic it is, and who may use it."""

    def test_kinds(self) -> None:
        """Names say whose topic it is; clusters and brokers have some, too."""
        self.assertEqual(kind_of("%DLQ%billing"), Kind.DEAD_LETTERS)
        self.assertEqual(kind_of("rmq_sys_wheel_timer"), Kind.SYSTEM)
        self.assertEqual(kind_of("C_REPLY_TOPIC", reserved_by("C")), Kind.SYSTEM)
        self.assertEqual(kind_of("C_REPLY_TOPIC"), Kind.NORMAL)

    def test_permissions(self) -> None:
        """Bits are shown as letters."""
        texts = [permission_text(perm) for perm in (6, 7, 4, 2, 0)]
        self.assertEqual(texts, ["rw", "rw", "r", "w", "-"])
