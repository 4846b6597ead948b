"""Routes are found once however many ask, and kept fresh."""

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import NoRouteError
from rocketmq_tw.client.routes import CREATION_QUIET, QUIET, RouteCache
from rocketmq_tw.model.errors import TooManyQueues
from rocketmq_tw.model.route import QueueData, TopicRoute
from rocketmq_tw.wire.bodies.route import encode_route
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.route import GetRoute
from tests.client.cluster import Cluster


class RouteTests(SynchronousTestCase):
    """What the cache requests, keeps and reports."""

    def setUp(self) -> None:
        """Make a broker with one topic of four queues."""
        self.cluster = Cluster(self)
        self.broker = self.cluster.broker("broker-a")
        self.cluster.topic("T", broker_a=4)
        self.routes: RouteCache = self.cluster.client().session.routes

    @property
    def asked(self) -> list[str]:
        """The topics that the name server was asked for."""
        return self.cluster.name_server.asked

    def test_found_and_kept(self) -> None:
        """The first asks, the second knows."""
        found = self.routes.find("T")
        self.assertNoResult(found)
        self.cluster.deliver()
        route = self.successResultOf(found)
        self.assertEqual(route.master_of("broker-a"), "10.0.1.1:10911")
        self.assertIs(self.successResultOf(self.routes.find("T")), route)
        self.assertEqual(self.asked, ["T"])
        self.assertEqual(len(self.routes.writable("T")), 4)
        self.assertEqual(self.routes.address("broker-a"), "10.0.1.1:10911")

    def test_a_thousand_ask_once(self) -> None:
        """A thousand callers, one question, a Deferred each."""
        found = [self.routes.find("T") for _ in range(1000)]
        self.cluster.deliver()
        for each in found:
            self.assertEqual(len(self.successResultOf(each).queue_datas), 1)
        self.assertEqual(self.asked, ["T"])

    def test_one_of_many_gives_up(self) -> None:
        """A caller that cancels leaves the others waiting."""
        one, other = self.routes.find("T"), self.routes.find("T")
        one.cancel()
        self.cluster.deliver()
        self.failureResultOf(one, CancelledError)
        self.successResultOf(other)

    def test_one_of_many_cancels_another(self) -> None:
        """What a caller cancels when it gets the route keeps nobody waiting."""
        for topic in ("T", "U"):
            first, second, third = (self.routes.find(topic) for _ in range(3))
            first.addBoth(lambda _, other=second: other.cancel())
            third.addErrback(lambda failure: failure.trap(NoRouteError))
            self.cluster.deliver()
            self.failureResultOf(second, CancelledError)
            self.successResultOf(third)

    def test_unknown_topic(self) -> None:
        """There is no route, and for a moment nobody asks again."""
        found = self.routes.find("U")
        self.cluster.deliver()
        self.failureResultOf(found, NoRouteError)
        self.failureResultOf(self.routes.find("U"), NoRouteError)
        self.assertEqual(self.asked, ["U"])

    def test_unknown_topic_appears(self) -> None:
        """After that moment the topic is asked for again."""
        self.failureResultOf(self.later(self.routes.find("U")), NoRouteError)
        self.cluster.topic("U", broker_a=1)
        self.cluster.clock.advance(QUIET)
        self.successResultOf(self.later(self.routes.find("U")))

    def test_created(self) -> None:
        """The route of a topic that a message has created is requested at once."""
        self.find_none("New")
        self.cluster.topic("New", broker_a=2)
        self.routes.created("New")
        self.cluster.deliver()
        self.assertEqual(len(self.routes.writable("New")), 2)
        self.assertEqual(self.asked, ["New", "New"])
        self.routes.created("New")
        self.cluster.deliver()
        self.assertEqual(self.asked, ["New", "New"])

    def test_created_but_not_registered(self) -> None:
        """Until the broker has registered it, it is requested now and then."""
        self.find_none("New")
        for _ in range(100):
            self.routes.created("New")
            self.cluster.deliver()
        self.assertEqual(self.asked, ["New", "New"])
        self.cluster.topic("New", broker_a=2)
        self.cluster.clock.advance(2 * CREATION_QUIET)
        self.routes.created("New")
        self.routes.created("New")
        self.cluster.deliver()
        self.assertEqual(self.asked, ["New", "New", "New"])
        self.assertEqual(len(self.routes.writable("New")), 2)

    def find_none(self, topic: str) -> None:
        """Find no route."""
        found = self.routes.find(topic)
        self.cluster.deliver()
        self.failureResultOf(found, NoRouteError)

    def test_refresh_is_rate_limited(self) -> None:
        """Many who suspect a route make one question in half a second."""
        self.later(self.routes.find("T"))
        for _ in range(10):
            self.successResultOf(self.routes.find("T", refresh=True))
        self.assertEqual(self.asked, ["T"])
        self.cluster.clock.advance(QUIET)
        self.later(self.routes.find("T", refresh=True))
        self.assertEqual(self.asked, ["T", "T"])

    def test_a_known_route_outlives_a_refusal(self) -> None:
        """A name server that has just started knows nothing; we know better."""
        self.later(self.routes.find("T"))
        node = self.cluster.name_server.node
        node.traffic.refuse(GetRoute, ResponseCode.TOPIC_NOT_EXIST)
        self.cluster.clock.advance(QUIET)
        self.successResultOf(self.later(self.routes.find("T", refresh=True)))

    def test_a_route_of_too_many_queues(self) -> None:
        """It is refused with a sentence; the route known before is kept."""
        self.later(self.routes.find("T"))
        queues = (QueueData("broker-a", 1 << 40, 1 << 40, 6),)
        response = Response(body=encode_route(TopicRoute((), queues)))
        self.cluster.name_server.node.traffic.respond(GetRoute, response, times=2)
        self.cluster.clock.advance(QUIET)
        found = self.later(self.routes.find("T", refresh=True))
        self.failureResultOf(found, TooManyQueues)
        self.failureResultOf(self.later(self.routes.find("U")), TooManyQueues)
        self.assertEqual(len(self.routes.writable("T")), 4)
        self.successResultOf(self.routes.find("T"))

    def test_changes_are_reported(self) -> None:
        """Listeners are notified of a changed route, and of nothing else."""
        changed: list[str] = []
        self.routes.on_change.append(lambda topic, _route: changed.append(topic))
        self.routes.watch("T")
        for expected in (1, 1):
            self.later(self.routes.refresh_all())
            self.assertEqual(len(changed), expected)
            self.cluster.clock.advance(QUIET)
        self.cluster.broker("broker-b")
        self.cluster.topic("T", broker_a=4, broker_b=2)
        self.later(self.routes.refresh_all())
        self.assertEqual(len(changed), 2)
        self.assertEqual(len(self.routes.readable("T")), 6)

    def test_brokers_in_no_route_are_forgotten(self) -> None:
        """A broker that left every route has no address."""
        self.routes.watch("T")
        self.later(self.routes.refresh_all())
        self.cluster.broker("broker-b")
        self.cluster.topic("T", broker_b=2)
        self.broker.node.stop()
        self.cluster.clock.advance(QUIET)
        self.later(self.routes.refresh_all())
        self.assertIsNone(self.routes.address("broker-a"))
        self.assertIsNotNone(self.routes.address("broker-b"))

    def test_translated(self) -> None:
        """Addresses that cannot be reached from here are repaired."""
        client = self.cluster.client(translate=lambda a: a.replace("10.0.1", "127.0.0"))
        found = self.later(client.session.routes.find("T"))
        self.assertEqual(
            self.successResultOf(found).master_of("broker-a"), "127.0.0.1:10911"
        )

    def later(self, result):  # type: ignore[no-untyped-def]
        """Deliver, and give the Deferred back."""
        self.cluster.deliver()
        return result
