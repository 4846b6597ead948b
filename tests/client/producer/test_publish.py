"""Where messages may be sent to, also before their topic exists."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import NameServerUnavailable, NoRouteError
from rocketmq_tw.client.producer.publish import PublishRoutes
from rocketmq_tw.client.routes import QUIET
from rocketmq_tw.model.queue import MessageQueue
from tests.client.cluster import NAME_SERVER, Cluster
from tests.client.producing import HELLO, ProducerCase


class PublishRoutesTests(SynchronousTestCase):
    """A topic T on a broker that creates no topics."""

    def setUp(self) -> None:
        """Make the cluster."""
        self.cluster = Cluster(self)
        self.broker = self.cluster.broker("broker-a")
        self.cluster.topic("T", broker_a=4)
        self.routes = self.cluster.client().session.routes
        self.publish = PublishRoutes(self.routes)

    def test_new_topic_is_published_to_as_the_default_topic_allows(self) -> None:
        """Four queues at most, on the brokers that create topics."""
        self.cluster.broker("broker-b", auto_create_topic_enable=True)
        found = self.later(self.publish.find("New"))
        expected = [MessageQueue("New", "broker-b", i) for i in range(4)]
        self.assertEqual(self.successResultOf(found), expected)
        self.assertEqual(self.routes.writable("New"), [])

    def test_new_topic_outlives_the_name_server(self) -> None:
        """Queues of a topic without a route are known while no name server responds."""
        self.cluster.broker("broker-b", auto_create_topic_enable=True)
        first = self.publish.find("New")
        self.cluster.deliver()
        queues = self.successResultOf(first)
        self._stop_name_server()
        again = self.publish.find("New")
        self.cluster.deliver()
        self.assertEqual(self.successResultOf(again), queues)

    def test_topic_that_may_exist_is_not_created(self) -> None:
        """A topic never looked up before is not sent to the default topic's brokers."""
        self.cluster.broker("broker-b", auto_create_topic_enable=True)
        self.routes.find("TBW102")
        self.cluster.deliver()
        self._stop_name_server()
        found = self.publish.find("Other")
        self.cluster.deliver()
        self.failureResultOf(found, NameServerUnavailable)

    def _stop_name_server(self) -> None:
        """Let it be away, and what was found no longer be recent."""
        self.cluster.network.refuse(NAME_SERVER)
        self.cluster.disconnect(NAME_SERVER)
        self.cluster.clock.advance(QUIET)

    def test_default_topic_moves(self) -> None:
        """New topics go to the brokers that create them now."""
        first = self.cluster.broker("broker-b", auto_create_topic_enable=True)
        self.later(self.publish.find("New"))
        self.cluster.broker("broker-c", auto_create_topic_enable=True)
        first.node.stop()
        self.cluster.clock.advance(QUIET)
        found = self.publish.find("Newer")
        self.cluster.pump(1)
        queues = self.successResultOf(found)
        self.assertEqual({queue.broker_name for queue in queues}, {"broker-c"})

    def test_no_default_topic(self) -> None:
        """Where no broker creates topics, a new topic has no route."""
        found = self.later(self.publish.find("New"))
        error = self.failureResultOf(found, NoRouteError).value
        self.assertEqual(error.topic, "New")

    def test_topic_that_exists(self) -> None:
        """The queues are those of its route, which is kept up to date from now on."""
        found = self.later(self.publish.find("T"))
        self.assertEqual(self.successResultOf(found), self.routes.writable("T"))

    def test_known_topic_is_not_created(self) -> None:
        """A topic that has a route is not a new one, though no name server responds."""
        self.cluster.broker("broker-b", auto_create_topic_enable=True)
        self.later(self.publish.find("T"))
        self._stop_name_server()
        found = self.later(self.publish.find("T"))
        self.failureResultOf(found, NameServerUnavailable)

    def test_watched_topic_is_not_created(self) -> None:
        """Nor does the interest in a topic that was never looked up."""
        self.cluster.broker("broker-b", auto_create_topic_enable=True)
        self.later(self.routes.find("TBW102"))
        self.routes.watch("Other")
        self._stop_name_server()
        found = self.later(self.publish.find("Other"))
        self.failureResultOf(found, NameServerUnavailable)

    def later(self, result: Deferred[Any]) -> Deferred[Any]:
        """Deliver, and give the Deferred back."""
        self.cluster.deliver()
        return result


class KeptFreshTests(ProducerCase):
    """A producer's topics, whose routes others may have found first."""

    def test_known_before(self) -> None:
        """A route that was found without it is kept fresh once it sends there."""
        self.sent(self.client.route("T"))
        producer = self.producer()
        for _ in range(2):
            self.sent(producer.send(HELLO))
        self.cluster.topic("T", broker_a=4, broker_b=4)
        self.cluster.pump(62, 1.0)
        queues = self.client.session.routes.writable("T")
        names = {each.broker_name for each in queues}
        self.assertEqual(names, {"broker-a", "broker-b"})
