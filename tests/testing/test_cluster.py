"""Whole clusters: what users of the package test their handlers with."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client import EARLIEST
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.client.errors import NoRouteError
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.testing import MemoryCluster, NoResult
from rocketmq_tw.testing.cluster import NOW
from rocketmq_tw.wire.requests.route import GetRoute


class ClusterCase(SynchronousTestCase):
    """Starts clusters; after the stop nothing is left on their clocks."""

    def start(self, **options: Any) -> MemoryCluster:
        """Start one."""
        cluster = MemoryCluster(**options)
        cluster.start()
        self.addCleanup(self.stop, cluster)
        return cluster

    def stop(self, cluster: MemoryCluster) -> None:
        """Stop it, and look what it left."""
        cluster.stop()
        self.assertEqual(cluster.clock.getDelayedCalls(), [])
        self.assertEqual(cluster.network.links, [])


class MessageTests(ClusterCase):
    """Messages from producers to handlers."""

    def test_received(self) -> None:
        """What is sent is handled, with no time passing."""
        cluster = self.start()
        seen: list[bytes] = []
        cluster.create_topic("orders")
        cluster.consumer("billing", "orders", lambda m: seen.append(m.body))
        producer = cluster.producer()
        for body in (b"one", b"two"):
            cluster.result_of(producer.send(Message("orders", body)))
        cluster.wait_until(lambda: len(seen) == 2)
        self.assertEqual(sorted(seen), [b"one", b"two"])
        self.assertEqual(cluster.clock.seconds(), NOW)

    def test_from_the_beginning(self) -> None:
        """A new group reads what is there, if it says so."""
        cluster = self.start()
        seen: list[bytes] = []
        cluster.result_of(cluster.producer().send(Message("orders", b"one", tag="A")))
        cluster.consumer(
            "billing", "orders", lambda m: seen.append(m.body), "A", start_from=EARLIEST
        )
        cluster.wait_until(lambda: seen)
        self.assertEqual(seen, [b"one"])

    def test_retries_and_dead_letters(self) -> None:
        """A message that fails comes again after 10 s, 30 s and 1 min; then no more."""
        cluster = self.start()
        times: list[float] = []

        def handle(message: Any) -> None:
            times.append(cluster.clock.seconds() - NOW)
            raise ValueError("no such customer")

        cluster.create_topic("orders")
        cluster.consumer("billing", "orders", handle, max_retries=3)
        cluster.result_of(cluster.producer().send(Message("orders", b"bad")))
        self.assertEqual(cluster.messages("%DLQ%billing"), [])
        cluster.advance(300)
        self.assertEqual(times, [0, 10, 40, 100])
        (dead,) = cluster.messages("%DLQ%billing")
        self.assertEqual(dead.body, b"bad")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 4)

    def test_delay_level(self) -> None:
        """A delayed message comes when it is due."""
        cluster = self.start()
        times: list[float] = []
        cluster.create_topic("orders")
        cluster.consumer(
            "billing", "orders", lambda m: times.append(cluster.clock.seconds() - NOW)
        )
        message = Message("orders", b"later", delay_level=5)
        cluster.result_of(cluster.producer().send(message))
        cluster.wait_until(lambda: times, within=90)
        self.assertEqual(times, [60])


class TopologyTests(ClusterCase):
    """More than one of each."""

    def test_rebalanced(self) -> None:
        """Two members share the queues of two brokers; one that is left has all."""
        cluster = self.start(name_servers=2, brokers=2)
        cluster.create_topic("orders", queues=4)
        members = [
            cluster.consumer("billing", "orders", lambda m: None) for _ in range(2)
        ]
        cluster.advance(30)
        shares = [self.share(member) for member in members]
        self.assertEqual([len(share) for share in shares], [4, 4])
        self.assertEqual(len(shares[0] | shares[1]), 8)
        cluster.result_of(members[0].stop())
        cluster.advance(30)
        self.assertEqual(self.share(members[1]), shares[0] | shares[1])

    def share(self, member: PushConsumer) -> set[MessageQueue]:
        """Give the queues of the topic that a member reads."""
        return {queue for queue in member.assignment() if queue.topic == "orders"}

    def test_killed_and_started(self) -> None:
        """A consumer goes on where it was with a broker that comes back."""
        cluster = self.start(directory=self.mktemp())
        cluster.create_topic("orders")
        seen: list[bytes] = []
        cluster.consumer("billing", "orders", lambda m: seen.append(m.body))
        producer = cluster.producer()
        cluster.result_of(producer.send(Message("orders", b"one")))
        cluster.advance(10)
        cluster.broker.kill()
        cluster.advance(5)
        cluster.broker.start()
        cluster.advance(5)
        cluster.result_of(producer.send(Message("orders", b"two")))
        cluster.wait_until(lambda: len(seen) == 2)
        self.assertEqual(seen, [b"one", b"two"])

    def test_topics_on_some_brokers(self) -> None:
        """A topic may have its queues where the test wants them."""
        cluster = self.start(brokers=["left", "right"])
        cluster.create_topic("orders", {"right": 2})
        route = cluster.result_of(cluster.client().route("orders"))
        queues = route.readable("orders")
        self.assertEqual(
            [(queue.broker_name, queue.queue_id) for queue in queues],
            [("right", 0), ("right", 1)],
        )

    def test_added_broker(self) -> None:
        """A broker may be added, with settings of its own, while others run."""
        cluster = self.start()
        node = cluster.add_broker("late", auto_create_topic_enable=False)
        node.start()
        cluster.create_topic("orders", {"late": 1})
        sending = cluster.producer().send(Message("orders", b"x"))
        self.assertEqual(cluster.result_of(sending).queue.broker_name, "late")
        self.assertFalse(node.config.auto_create_topic_enable)

    def test_settings(self) -> None:
        """Brokers and name servers have the settings that the test gives them."""
        cluster = self.start(
            broker_settings={"auto_create_topic_enable": False},
            name_server_settings={"enable_all_topic_list": False},
        )
        self.assertFalse(cluster.broker.config.auto_create_topic_enable)
        self.assertFalse(cluster.name_servers[0].config.enable_all_topic_list)
        sending = cluster.producer().send(Message("new", b"x"))
        self.assertRaises(NoRouteError, cluster.result_of, sending)

    def test_refused(self) -> None:
        """What a server refuses is raised."""
        cluster = self.start()
        asked = GetRoute(topic="nowhere")
        self.assertRaises(BrokerError, cluster.call, cluster.name_servers[0], asked)


class LifeTests(ClusterCase):
    """Starting, stopping, and doing so again."""

    def test_with(self) -> None:
        """As a context manager it starts and stops."""
        with MemoryCluster() as cluster:
            self.assertTrue(cluster.broker.is_running)
        self.assertFalse(cluster.broker.is_running)
        self.assertEqual(cluster.clock.getDelayedCalls(), [])

    def test_stopped_in_any_state(self) -> None:
        """A stop cleans up after faults too."""
        cluster = self.start(brokers=2)
        client = cluster.client()
        cluster.result_of(client.producer("pg").send(Message("orders", b"x")))
        cluster.faults.silence(client, cluster.broker)
        cluster.brokers["broker-b"].kill()
        cluster.broker.threads.hold()
        cluster.faults.cut(client, cluster.name_servers[0])

    def test_waiting_for_nothing(self) -> None:
        """A test that waits in vain learns so."""
        cluster = self.start()
        self.assertRaises(NoResult, cluster.wait_until, lambda: False, 5)

    def test_deterministic(self) -> None:
        """The same test does the same, in the same order, at the same times."""
        self.assertEqual(self.history(), self.history())

    def history(self) -> list[tuple[Any, ...]]:
        """Let two members consume from two brokers with faults; note all of it."""
        cluster = MemoryCluster(name_servers=2, brokers=2)
        noted: list[tuple[Any, ...]] = []

        def handle(message: Any) -> None:
            where = message.broker_name, message.queue_id, message.queue_offset
            noted.append((cluster.clock.seconds(), message.body, *where))
            if message.reconsume_times < 2:
                raise ValueError

        with cluster:
            cluster.create_topic("orders")
            for _ in range(2):
                cluster.consumer("billing", "orders", handle)
            producer = cluster.producer()
            for number in range(10):
                message = Message("orders", b"%d" % number)
                cluster.result_of(producer.send(message))
                if number == 5:
                    cluster.brokers["broker-b"].restart()
            cluster.advance(200)
            noted.append(tuple(cluster.network.attempts))
        self.flushLoggedErrors(ValueError)
        self.assertGreater(len(noted), 15)
        return noted
