"""Topics that administrators create, change and delete."""

from __future__ import annotations

from rocketmq_tw.admin import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    NothingResponded,
    RefusedByAll,
)
from rocketmq_tw.admin.calls import NO_MASTER
from rocketmq_tw.admin.topic_changes import ORDER_NAMESPACE, TopicSettings
from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.wire.requests.topic import CreateTopic, DeleteTopic
from tests.admin.cases import AdminCase


class CreateTests(AdminCase):
    """New topics."""

    def test_everywhere(self) -> None:
        """Without more each broker gets it."""
        done = self.run_admin(self.admin.topics.create("orders", queues=3))
        self.assertEqual((done.done, done.failed), (("broker-a", "broker-b"), {}))
        self.cluster.advance(1)
        topic = self.run_admin(self.admin.topics.get("orders"))
        self.assertEqual([s.write_queues for s in topic.settings], [3, 3])

    def test_at_one_broker(self) -> None:
        """Named brokers are the only ones; type and attributes are kept."""
        self.run_admin(
            self.admin.topics.create(
                "events", brokers=["broker-b"], type="FIFO", permission="r"
            )
        )
        self.cluster.advance(1)
        topic = self.run_admin(self.admin.topics.get("events"))
        [settings] = topic.settings
        self.assertEqual((settings.broker, settings.permission), ("broker-b", "r"))
        self.assertEqual(topic.type, "FIFO")

    def test_refused(self) -> None:
        """Wrong names, clusters, brokers and permissions are refused; so is a twin."""
        create = self.admin.topics.create
        self.failure(create("a b"), IllegalTopic)
        text = self.failure(create("T", cluster="other"), NotFound)
        self.assertIn("there are: DefaultCluster", text)
        self.failure(create("T", brokers=["nobody"]), NotFound)
        self.assertIn(
            "none of rw", self.failure(create("T", permission="x"), InvalidArgument)
        )
        self.run_admin(create("T"))
        text = self.failure(create("T"), AlreadyExists)
        self.assertEqual(text, 'the topic "T" exists already at broker-a, broker-b')

    def test_no_broker(self) -> None:
        """Without any broker nothing is created, and that is said."""
        for node in self.cluster.brokers.values():
            node.stop()
        self.cluster.advance(1)
        for call in (self.admin.topics.create, self.admin.groups.create):
            self.assertIn("no broker", self.failure(call("T"), NothingResponded))

    def test_one_broker_fails(self) -> None:
        """The others have it, and the failure is reported."""
        self.cluster.brokers["broker-b"].traffic.refuse(CreateTopic, 16)
        done = self.run_admin(self.admin.topics.create("T"))
        self.assertEqual(done.done, ("broker-a",))
        self.assertIn("NO_PERMISSION", done.failed["broker-b"])

    def test_all_brokers_refuse(self) -> None:
        """If nothing is done, that is an error, and not a part."""
        for node in self.cluster.brokers.values():
            node.traffic.refuse(CreateTopic, 16)
        text = self.failure(self.admin.topics.create("T"), RefusedByAll)
        self.assertIn("nothing is changed: broker-a: NO_PERMISSION", text)

    def test_ordered(self) -> None:
        """Name servers know the queues of a topic whose order is global."""
        self.run_admin(self.admin.topics.create("T", queues=2, ordered=True))
        keys = self.run_admin(self.admin.name_servers.keys(ORDER_NAMESPACE))
        self.assertEqual(list(keys.values.values()), [{"T": "broker-a:2;broker-b:2"}])
        self.run_admin(self.admin.topics.update("T", TopicSettings(ordered=False)))
        keys = self.run_admin(self.admin.name_servers.keys(ORDER_NAMESPACE))
        self.assertEqual(list(keys.values.values()), [{}])


class ChangeTests(AdminCase):
    """Topics that exist."""

    def setUp(self) -> None:
        """Create a topic with different numbers of queues."""
        super().setUp()
        self.cluster.create_topic("orders", {"broker-a": 2, "broker-b": 4})

    def test_update(self) -> None:
        """Only what is named changes, at each broker."""
        self.run_admin(
            self.admin.topics.update("orders", TopicSettings(permission="r"))
        )
        topic = self.run_admin(self.admin.topics.get("orders"))
        self.assertEqual(
            [(s.write_queues, s.permission) for s in topic.settings],
            [(2, "r"), (4, "r")],
        )
        self.run_admin(self.admin.topics.update("orders", TopicSettings(queues=5)))
        topic = self.run_admin(self.admin.topics.get("orders"))
        self.assertEqual([s.read_queues for s in topic.settings], [5, 5])

    def test_delete(self) -> None:
        """It is gone at brokers and name servers."""
        done = self.run_admin(self.admin.topics.delete("orders"))
        self.assertEqual(done.done, ("broker-a", "broker-b"))
        self.failure(self.admin.topics.get("orders"), NotFound)

    def test_delete_in_part(self) -> None:
        """If a broker keeps it, name servers do, too."""
        self.cluster.brokers["broker-b"].traffic.refuse(DeleteTopic, 1)
        done = self.run_admin(self.admin.topics.delete("orders"))
        self.assertEqual((done.done, list(done.failed)), (("broker-a",), ["broker-b"]))
        self.run_admin(self.admin.topics.get("orders"))

    def test_unknown(self) -> None:
        """What does not exist is neither changed nor deleted."""
        settings = TopicSettings(queues=1)
        self.failure(self.admin.topics.update("nothing", settings), NotFound)
        self.failure(self.admin.topics.delete("nothing"), NotFound)

    def test_groups_and_producers(self) -> None:
        """Who reads a topic, and who sends to it."""
        self.consume("billing", "orders")
        self.send("orders", b"x")
        self.cluster.advance(31)
        groups = self.run_admin(self.admin.topics.groups("orders"))
        self.assertEqual(groups, ("billing",))
        [producer] = self.run_admin(self.admin.topics.producers("orders", "producers"))
        self.assertEqual(producer.produces, ("producers",))
        self.assertEqual(producer.brokers, ("broker-a", "broker-b"))
        nobody = self.admin.topics.producers("orders", "nobody")
        self.assertIn("nobody", self.failure(nobody, NotFound))


class OrderTests(AdminCase):
    """Topics whose order is global, at some brokers only."""

    def order(self) -> str:
        """Return what name servers know of the topic."""
        keys = self.run_admin(self.admin.name_servers.keys(ORDER_NAMESPACE))
        [values] = keys.values.values()
        return values["T"]

    def test_another_broker(self) -> None:
        """A topic that is created at one broker more keeps the queues of the first."""
        create = self.admin.topics.create
        self.run_admin(create("T", queues=2, ordered=True, brokers=["broker-a"]))
        self.run_admin(create("T", queues=3, ordered=True, brokers=["broker-b"]))
        self.assertEqual(self.order(), "broker-a:2;broker-b:3")

    def test_not_ordered_elsewhere(self) -> None:
        """A broker where it is not ordered has no queues in the order."""
        create = self.admin.topics.create
        self.run_admin(create("T", queues=2, ordered=True, brokers=["broker-a"]))
        self.run_admin(create("T", queues=3, brokers=["broker-b"]))
        self.assertEqual(self.order(), "broker-a:2")

    def test_queues(self) -> None:
        """Queues that are added get their place in the order."""
        self.run_admin(self.admin.topics.create("T", queues=2, ordered=True))
        self.run_admin(self.admin.topics.update("T", TopicSettings(queues=4)))
        self.assertEqual(self.order(), "broker-a:4;broker-b:4")


class MasterAwayTests(AdminCase):
    """A topic at two brokers, one of which has only a slave now."""

    on_disk = True

    def setUp(self) -> None:
        """Create topics and stop a master."""
        super().setUp()
        topics = self.admin.topics
        self.run_admin(topics.create("orders", queues=1, ordered=True))
        self.run_admin(topics.create("there", queues=1, brokers=["broker-b"]))
        self.run_admin(topics.create("here", queues=1, brokers=["broker-a"]))
        self.leave_to_slave("broker-b")

    def test_changes(self) -> None:
        """Each says that it is not made there; name servers keep what is left."""
        topics, away = self.admin.topics, {"broker-b": NO_MASTER}
        done = self.run_admin(topics.create("new"))
        self.assertEqual((done.done, done.failed), (("broker-a",), away))
        done = self.run_admin(topics.update("orders", TopicSettings(queues=2)))
        self.assertEqual((done.done, done.failed), (("broker-a",), away))
        keys = self.run_admin(self.admin.name_servers.keys(ORDER_NAMESPACE))
        self.assertEqual(
            list(keys.values.values()), [{"orders": "broker-a:2;broker-b:1"}]
        )
        done = self.run_admin(topics.delete("orders"))
        self.assertEqual((done.done, done.failed), (("broker-a",), away))
        self.run_admin(topics.route("orders"))

    def test_elsewhere(self) -> None:
        """A topic that is only there cannot be changed; others are not concerned."""
        topics = self.admin.topics
        text = self.failure(topics.delete("there"), NothingResponded)
        self.assertIn(NO_MASTER, text)
        done = self.run_admin(topics.delete("here"))
        self.assertEqual((done.done, done.failed), (("broker-a",), {}))
