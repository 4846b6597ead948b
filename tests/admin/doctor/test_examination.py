"""Faults that are planted in a cluster, and found."""

from __future__ import annotations

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.admin.doctor.finding import FAULTS, Finding
from rocketmq_tw.admin.group_changes import GroupSettings
from rocketmq_tw.client import DEAD_LETTER, EARLIEST
from rocketmq_tw.wire.bodies.cluster import ClusterInfo
from rocketmq_tw.wire.bodies.consumers import ConsumerConnection
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.heartbeat import GetConsumerConnections
from rocketmq_tw.wire.requests.route import GetClusterInfo, GetRoute
from rocketmq_tw.wire.requests.topic import GetTopicConfig
from tests.admin.cases import AdminCase


class DoctorCase(AdminCase):
    """Examines a cluster."""

    def examine(self, **options: object) -> dict[str, Finding]:
        """Return what is found, by its word."""

        async def all_of_them() -> list[Finding]:
            return [each async for each in self.admin.doctor(**options)]  # type: ignore

        found = self.run_admin(all_of_them())
        self.assertEqual({each.fault for each in found} - set(FAULTS), set())
        return {each.fault: each for each in found}

    def says(self, **statistics: str) -> None:
        """Let the first broker say something else of itself, twice."""
        runtime = self.run_admin(self.admin.brokers.runtime("broker-a")).values
        body = KVTable({**runtime, **statistics}).encode()
        for _ in range(2):
            self.cluster.broker.traffic.respond(GetRuntimeInfo, Response(body=body))


class ServerTests(DoctorCase):
    """Name servers and brokers."""

    name_servers = 2

    def test_nothing(self) -> None:
        """A cluster that works has no faults."""
        self.cluster.create_topic("orders", 1)
        self.consume("billing", "orders")
        self.assertEqual(self.examine(topic="orders"), {})

    def test_name_server_unreachable(self) -> None:
        """One that is gone is found, and the others are asked nevertheless."""
        self.cluster.name_servers[1].kill()
        found = self.examine()
        self.assertEqual(list(found), ["name-server-unreachable"])
        self.assertEqual(found["name-server-unreachable"].subject, "10.0.0.2:9876")

    def test_no_name_server(self) -> None:
        """Without any that is all there is to say."""
        for node in self.cluster.name_servers:
            node.kill()
        self.assertEqual(list(self.examine()), ["name-server-unreachable"])

    def test_no_brokers(self) -> None:
        """A name server that knows no broker is found."""
        for node in self.cluster.brokers.values():
            node.stop()
        self.cluster.advance(1)
        self.assertEqual(list(self.examine()), ["no-brokers"])

    def test_name_servers_differ(self) -> None:
        """A broker that only one of them knows is found."""
        second = self.cluster.name_servers[1]
        response = self.cluster.call(second, GetClusterInfo())
        info = ClusterInfo.decode(response.body)
        table = dict(info.broker_addr_table)
        del table["broker-b"]
        body = msgspec.structs.replace(info, broker_addr_table=table).encode()
        for _ in range(3):
            second.traffic.respond(GetClusterInfo, Response(body=body))
        found = self.examine()
        self.assertIn("10.0.0.2:9876", found["name-servers-differ"].sentence)

    def test_broker_unreachable(self) -> None:
        """An advertised address that does not respond is found."""
        self.unreachable("broker-b")
        found = self.examine()
        self.assertIn("10.0.1.2:10911", found["broker-unreachable"].sentence)
        self.assertIn("brokerIP1", found["broker-unreachable"].advice)

    def test_access_denied(self) -> None:
        """A broker that does not let us in is not one that is unreachable."""
        for _ in range(2):
            self.cluster.broker.traffic.refuse(GetRuntimeInfo, 16)
        found = self.examine()
        self.assertIn("access-denied", found)
        self.assertNotIn("broker-unreachable", found)

    def test_no_master(self) -> None:
        """A name of which only a slave is registered is found."""
        self.cluster.add_slave("broker-a").start()
        self.cluster.advance(1)
        self.cluster.brokers["broker-a"].stop()
        self.cluster.advance(1)
        self.assertEqual(self.examine()["no-master"].subject, "broker-a")

    def test_clock(self) -> None:
        """A clock that differs is found."""
        self.says(bootTimestamp=str(int((self.cluster.clock.seconds() + 90) * 1000)))
        self.assertIn("90 s ahead", self.examine()["clock-differs"].sentence)

    def test_statistics(self) -> None:
        """Full disks, failed stores, and what is late or waits, are found."""
        planted = {
            "disk-full": {"commitLogDiskRatio": "0.93"},
            "disk-fills": {"commitLogDiskRatio": "0.80"},
            "store-failed": {"storeWriteable": "false", "storeFailure": "EIO"},
            "dispatch-behind": {"dispatchBehindBytes": str(1 << 30)},
            "timers-late": {"timerReadBehind": "60"},
            "sends-wait": {"sendThreadPoolQueueHeadWaitTimeMills": "150"},
            "versions-differ": {"brokerVersionDesc": "V4_9_4"},
        }
        for fault, statistics in planted.items():
            self.says(**statistics)
            self.assertEqual(list(self.examine()), [fault])


class RouteTests(DoctorCase):
    """Why a topic has no route."""

    name_servers = 2

    def test_unknown(self) -> None:
        """Nobody has it."""
        self.assertEqual(list(self.examine(topic="nothing")), ["no-route-unknown"])

    def test_not_registered(self) -> None:
        """Brokers have it, and no name server knows."""
        self.cluster.create_topic("orders", 1)
        for node in self.cluster.name_servers:
            node.traffic.refuse(GetRoute, 17)
        found = self.examine(topic="orders")
        self.assertIn("broker-a", found["no-route-not-registered"].sentence)

    def test_old_broker(self) -> None:
        """A broker of 4.x has it, too, though it cannot be asked for one topic."""
        self.cluster.create_topic("orders", 1)
        for node in self.cluster.name_servers:
            node.traffic.refuse(GetRoute, 17)
        for broker in self.cluster.brokers.values():
            code = ResponseCode.REQUEST_CODE_NOT_SUPPORTED
            broker.traffic.refuse(GetTopicConfig, code)
        self.assertIn("no-route-not-registered", self.examine(topic="orders"))

    def test_other_name_server(self) -> None:
        """Only one name server knows it."""
        self.cluster.create_topic("orders", 1)
        self.cluster.name_servers[0].traffic.refuse(GetRoute, 17)
        found = self.examine(topic="orders")["no-route-other-name-server"]
        self.assertIn("but not 10.0.0.1:9876", found.sentence)

    def test_not_writable(self) -> None:
        """Its queues may only be read."""
        self.cluster.create_topic("orders", 1, perm=4)
        self.assertIn("no-route-not-writable", self.examine(topic="orders"))

    def test_no_master(self) -> None:
        """Only slaves of its brokers are there."""
        self.cluster.create_topic("orders", {"broker-a": 1})
        self.cluster.add_slave("broker-a").start()
        self.cluster.advance(15)
        self.cluster.brokers["broker-a"].stop()
        self.cluster.advance(1)
        self.assertIn("no-route-no-master", self.examine(topic="orders"))


class ConsumerTests(DoctorCase):
    """Groups."""

    def setUp(self) -> None:
        """Create a topic."""
        super().setUp()
        self.cluster.create_topic("orders", 1)

    def test_subscriptions_differ(self) -> None:
        """One that subscribes otherwise is found, also where brokers do not say so."""
        self.consume("billing", "orders")
        self.consume("billing", "orders")
        self.consume("billing", "orders", expression="B")
        self.cluster.advance(31)
        found = self.examine()["subscriptions-differ"]
        self.assertIn("client-3 subscribe otherwise", found.sentence)
        for node in self.cluster.brokers.values():
            for _ in range(3):
                request = GetConsumerConnections(consumer_group="billing")
                body = ConsumerConnection.decode(self.cluster.call(node, request).body)
                plain = msgspec.structs.replace(body, subscription_conflicts=None)
                node.traffic.respond(
                    GetConsumerConnections, Response(body=plain.encode())
                )
        found = self.examine()["subscriptions-differ"]
        self.assertIn("client-3 subscribe otherwise", found.sentence)

    def test_nobody_consumes(self) -> None:
        """A group with messages and without consumers is found."""
        self.send("orders", b"1", b"2")
        self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.advance(10)
        self.cluster.result_of(self.cluster.clients[-1].stop())
        self.send("orders", *[b"x"] * 30)
        found = self.examine()
        self.assertIn("30 messages wait", found["nobody-consumes"].sentence)
        self.assertEqual(self.examine(group="other").keys(), {"not-examined"})

    def test_stands_still(self) -> None:
        """A handler that hangs is found."""
        self.cluster.consumer("billing", "orders", lambda m: Deferred())
        self.cluster.advance(10)
        self.send("orders", *[b"x"] * 60)
        self.cluster.advance(10)
        self.assertIn("consumer-stands-still", self.examine())
        # Two looks at the same time do not show whether it moves.
        self.assertNotIn("consumer-stands-still", self.examine(wait=0))

    def test_lag_grows(self) -> None:
        """A group that consumes less than is sent is found."""
        clock = self.cluster.clock

        def slowly(_message: object) -> Deferred[None]:
            done: Deferred[None] = Deferred()
            clock.callLater(1.0, done.callback, None)
            return done

        self.cluster.consumer("billing", "orders", slowly, concurrency=1)
        self.cluster.advance(10)
        self.send("orders", *[b"x"] * 60)
        self.cluster.advance(10)
        for second in range(1, 20):
            clock.callLater(second, self.send_later, 20)
        found = self.examine(wait=15)
        self.assertIn("more each second", found["lag-grows"].sentence)

    def send_later(self, count: int) -> None:
        """Send messages while the doctor waits."""
        from rocketmq_tw.model.message import Message

        for _ in range(count):
            self.producer().send(Message("orders", b"x"))

    def test_forbidden(self) -> None:
        """A group with consumers that may not consume is found."""
        self.consume("billing", "orders")
        settings = GroupSettings(may_consume=False)
        self.run_admin(self.admin.groups.update("billing", settings))
        self.assertIn("consuming-forbidden", self.examine())

    def test_too_many_consumers(self) -> None:
        """Consumers without a queue are found."""
        self.send("orders", b"1", b"2")
        for _ in range(3):
            self.consume("billing", "orders")
        self.cluster.advance(31)
        self.assertIn("1 have nothing", self.examine()["too-many-consumers"].sentence)

    def test_dead_letters(self) -> None:
        """A group with dead letters is found."""
        self.cluster.consumer("billing", "orders", lambda m: DEAD_LETTER)
        self.send("orders", b"1")
        self.cluster.advance(5)
        found = self.examine()["dead-letters"]
        self.assertEqual(found.subject, "billing")
        self.assertIn("dlq resend billing --all", found.advice)
