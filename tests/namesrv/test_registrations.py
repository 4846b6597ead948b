"""Tests of :mod:`rocketmq_tw.namesrv.registrations`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.kvconfig import KVConfig
from rocketmq_tw.namesrv.live import EXPIRY, BrokerKey, LiveBroker
from rocketmq_tw.namesrv.registrations import BODY_SINCE, Registrations
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.namesrv.topic_queues import STEP
from rocketmq_tw.remoting.call import Call, Exclusive
from rocketmq_tw.remoting.pacing import STEPS, Pacer
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.cluster import GetBrokerMemberGroupBody
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody
from rocketmq_tw.wire.codes import VERSION
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.kvconfig import PutKVConfig
from rocketmq_tw.wire.requests.registration import (
    AddWritePermission,
    BrokerHeartbeat,
    QueryDataVersion,
    RegisterBroker,
    UnregisterBroker,
    WipeWritePermission,
)
from rocketmq_tw.wire.requests.route import GetBrokerMemberGroup

from .fixtures import CLUSTER, MASTER, REPLICA, Served, broker, registration, topics

KEY = BrokerKey(CLUSTER, MASTER)
WHO = {"broker_name": "broker-a", "broker_addr": MASTER, "cluster_name": CLUSTER}


class RegistrationTests(Served):
    """Requests of brokers."""

    def known(self) -> list[str]:
        """List the brokers that are known."""
        return sorted(self.service.table.groups)

    def test_json(self) -> None:
        """A JSON registration is taken."""
        self.register("A", "B")
        self.assertEqual(sorted(self.service.table.queues), ["A", "B"])

    def test_compressed(self) -> None:
        """A compressed one is too, whatever the header says."""
        body = RegisterBrokerBody(topics("A", "B")).encode_compressed(VERSION)
        self.register(body=body, body_crc32=0)
        self.assertEqual(sorted(self.service.table.queues), ["A", "B"])

    def test_compressed_size_is_limited(self) -> None:
        """What inflates to more than is set is refused; nothing is registered."""
        self.config.max_registration_size = 70
        body = RegisterBrokerBody(topics("A", "B")).encode_compressed(VERSION)
        _, remark = self.refused(registration(body=body, body_crc32=0))
        self.assertIn("more than 70 bytes", remark)
        self.assertEqual(self.known(), [])

    def test_names_in_the_log(self) -> None:
        """A broker's name cannot forge a line of the log."""
        with capturedLogs() as events:
            self.register("A", "B", broker_name="a\n2026 b\x1b[31m")
            name = {"broker_name": "a\n2026 b\x1b[31m", "broker_id": 0}
            self.ask(UnregisterBroker(**WHO | name))
        lines = [formatEvent(event) for event in events]
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertTrue(line.isprintable())

    def test_no_body(self) -> None:
        """A broker may register without a body."""
        self.register(body=b"", body_crc32=None)
        self.assertEqual(self.known(), ["broker-a"])

    def test_bad_crc(self) -> None:
        """A body that differs from its checksum is refused."""
        request = RegisterBroker(**WHO, broker_id=0, body_crc32=1, body=b"{}")
        self.assertEqual(self.refused(request), (1, "crc32 not match"))

    def test_bad_body(self) -> None:
        """A body that cannot be read is refused; nothing is registered."""
        request = RegisterBroker(**WHO, broker_id=0, body=b"hello")
        self.assertEqual(self.refused(request)[0], 1)
        self.assertEqual(self.known(), [])

    def test_single_topic(self) -> None:
        """The refusal of a first single topic has Apache's words."""
        body = RegisterBrokerBody(topics("A")).encode()
        request = RegisterBroker(**WHO, broker_id=0, body=body)
        self.assertEqual(self.refused(request), (1, "register broker failed"))

    def test_master_of_a_replica(self) -> None:
        """A replica learns where its master is; the master learns nothing."""
        self.assertIsNone(self.register("A", "B").master_addr)
        response = self.register("A", "B", broker_addr=REPLICA, broker_id=1)
        self.assertEqual(response.master_addr, MASTER)
        self.assertEqual(response.ha_server_addr, "10.0.0.1:10912")

    def test_replica_without_master(self) -> None:
        """A replica that came first learns nothing yet."""
        response = self.register("A", "B", broker_addr=REPLICA, broker_id=1)
        self.assertIsNone(response.master_addr)

    def test_orders(self) -> None:
        """The order configuration is sent along, once there is one."""
        self.assertEqual(self.register("A", "B").body, b"")
        self.ask(PutKVConfig("ORDER_TOPIC_CONFIG", "A", "broker-a:8"))
        table = KVTable.decode(self.register("A", "B").body).table
        self.assertEqual(table, {"A": "broker-a:8"})
        self.config.return_order_topic_config_to_broker = False
        self.assertEqual(self.register("A", "B").body, b"")

    def test_same_again_is_not_read(self) -> None:
        """The same bytes again keep the broker alive, without being decoded."""
        self.register("A", "B")
        before = self.service.table.live.get(KEY)
        for _ in range(5):
            self.clock.advance(100)
            self.register("A", "B")
        self.assertIs(self.service.table.live.get(KEY), before)

    def test_unregister(self) -> None:
        """Any number of brokers go, each at once."""
        self.register("A", "B")
        self.register("A", "B", broker_name="b", broker_addr=REPLICA)
        self.ask(UnregisterBroker(**WHO, broker_id=0))
        self.assertEqual(self.known(), ["b"])
        self.ask(UnregisterBroker("b", REPLICA, CLUSTER, 0))
        self.ask(UnregisterBroker("b", REPLICA, CLUSTER, 0))
        self.assertEqual(self.known(), [])

    def test_connection_lost(self) -> None:
        """A broker is gone when its connection is."""
        other = self.connect()
        self.register("A", "B", pool=other)
        self.cluster.network.links[-1].reset()
        self.assertEqual(self.known(), [])

    def test_unresponsive(self) -> None:
        """A broker that sends nothing is removed in time, its connection closed."""
        self.register("A", "B", heartbeat_timeout_millis=20_000)
        self.cluster.advance(20)
        self.assertEqual(self.known(), ["broker-a"])
        self.cluster.advance(5)
        self.assertEqual(self.known(), [])
        self.assertEqual(len(self.service.factory.connections), 0)

    def test_heartbeat(self) -> None:
        """A heartbeat keeps it alive."""
        self.register("A", "B", heartbeat_timeout_millis=20_000)
        for _ in range(5):
            self.cluster.advance(15)
            self.ask(BrokerHeartbeat(CLUSTER, MASTER, "broker-a"))
        self.assertEqual(self.known(), ["broker-a"])

    def test_data_version_keeps_alive(self) -> None:
        """A broker that asks for its version instead of registering stays."""
        self.register("A", "B", heartbeat_timeout_millis=20_000)
        for _ in range(5):
            self.clock.pump([5.0] * 3)
            self.ask(QueryDataVersion(**WHO, broker_id=0))
        self.assertEqual(self.known(), ["broker-a"])

    def test_data_version_without_body(self) -> None:
        """One that names no version has another than ours."""
        self.register("A", "B")
        response = self.ask(QueryDataVersion(**WHO, broker_id=0))
        self.assertTrue(response.changed)

    def test_data_version(self) -> None:
        """The version is compared, and the known one returned."""
        ours, next_one = DataVersion(1700, 1), DataVersion(1700, 2)
        ask = QueryDataVersion(**WHO, broker_id=0, body=ours.encode())
        self.assertTrue(self.ask(ask).changed)
        self.assertEqual(self.ask(ask).body, b"")
        self.register("A", "B")
        self.assertFalse(self.ask(ask).changed)
        ask = QueryDataVersion(**WHO, broker_id=0, body=next_one.encode())
        response = self.ask(ask)
        self.assertTrue(response.changed)
        self.assertEqual(DataVersion.decode(response.body), ours)

    def test_member_group(self) -> None:
        """The brokers of a name are listed; of an unknown one none are."""
        self.register("A", "B")
        for name, addrs in (("broker-a", {0: MASTER}), ("x", {})):
            body = self.ask(GetBrokerMemberGroup(CLUSTER, name)).body
            group = GetBrokerMemberGroupBody.decode(body).broker_member_group
            assert group is not None
            self.assertEqual((group.broker_name, group.broker_addrs), (name, addrs))

    def test_write_permission(self) -> None:
        """Wiping and adding return how many topics they changed."""
        self.register("A", "B")
        self.assertEqual(self.ask(WipeWritePermission("broker-a")).wipe_topic_count, 2)
        self.assertEqual(self.service.table.queues["A"]["broker-a"].perm, 4)
        self.assertEqual(self.ask(AddWritePermission("broker-a")).add_topic_count, 2)


class FingerprintTests(Served):
    """A registration that differs from the last one in a single thing is read."""

    def setUp(self) -> None:
        """Register once."""
        super().setUp()
        self.register("A", "B", heartbeat_timeout_millis=60_000)

    def again(self, **changed: Any) -> LiveBroker:
        """Register the same but for something; give the entry."""
        self.register("A", "B", **{"heartbeat_timeout_millis": 60_000, **changed})
        live = self.service.table.live.get(KEY)
        assert live is not None
        return live

    def test_ha_address(self) -> None:
        """Replicas get the new address that they copy from."""
        self.assertEqual(self.again().ha_server_addr, "10.0.0.1:10912")
        live = self.again(ha_server_addr="10.0.0.1:10999")
        self.assertEqual(live.ha_server_addr, "10.0.0.1:10999")
        response = self.register("A", "B", broker_addr=REPLICA, broker_id=1)
        self.assertEqual(response.ha_server_addr, "10.0.0.1:10999")

    def test_timeout(self) -> None:
        """The new limit holds."""
        self.assertEqual(self.again(heartbeat_timeout_millis=90_000).timeout, 90.0)
        self.assertEqual(self.again(heartbeat_timeout_millis=None).timeout, EXPIRY)

    def test_name(self) -> None:
        """The broker is known by its new name."""
        self.again(broker_name="broker-z")
        self.assertEqual(list(self.service.table.groups), ["broker-z"])

    def test_id(self) -> None:
        """The broker is known by its new id."""
        self.again(broker_id=1)
        self.assertEqual(self.service.table.groups["broker-a"].addrs, {1: MASTER})

    def test_zone_and_acting(self) -> None:
        """Routes have the new zone, and know of acting masters."""
        self.again(zone_name="east")
        group = self.service.table.groups["broker-a"]
        self.assertEqual((group.zone_name, group.acting_master), ("east", False))
        self.again(zone_name="east", enable_acting_master=True)
        self.assertTrue(group.acting_master)

    def test_body(self) -> None:
        """New topics are known, and filter servers."""
        body = RegisterBrokerBody(topics("A", "B", "C", version=2), ("f:1",)).encode()
        live = self.again(body=body, body_crc32=None)
        self.assertEqual(live.filter_servers, ("f:1",))
        self.assertIn("C", self.service.table.queues)


class HandlerTests(SynchronousTestCase):
    """Handlers without a network: brokers from before the wrapper, and of none."""

    def setUp(self) -> None:
        """Make handlers without a network."""
        self.table = RouteTable(
            lambda topic: None,
            lambda name, steps: self.pacer.run(steps, None, key=name),
        )
        kvconfig = KVConfig(
            file=JsonFile(self.mktemp()),
            run_in_thread=maybeDeferred,
            on_change=lambda namespace, key: None,
        )
        self.peer = RemotingProtocol(Router(), Clock())
        self.clock = Clock()
        self.pacer = Pacer(self.clock)
        self.handlers = Registrations(
            config=NamesrvConfig(),
            table=self.table,
            kvconfig=kvconfig,
            pacer=self.pacer,
            peers=PeerLog(Clock()),
        )

    def test_permissions_of_many_topics(self) -> None:
        """The response is sent once all are changed; the peer waits for it."""
        names = [f"T{number}" for number in range(STEP * STEPS + 1)]
        self.table.register(broker(*names), 0.0)
        asked: list[Any] = []
        for request, handle in (
            (WipeWritePermission("broker-a"), self.handlers.wipe_write),
            (AddWritePermission("broker-a"), self.handlers.add_write),
        ):
            header = Command(code=request.code, version=BODY_SINCE)
            call = Call(header=header, peer=self.peer, received_at=1.0)
            asked.append(handle(request, call))
            self.assertIsInstance(asked[-1], Exclusive)
            self.assertNoResult(asked[-1])
        self.clock.pump([0] * STEPS)
        self.assertEqual(self.successResultOf(asked[0]).wipe_topic_count, len(names))
        self.assertEqual(self.successResultOf(asked[1]).add_topic_count, len(names))

    def test_size(self) -> None:
        """One that waits counts as what it has without compression, about."""
        names = [f"T{number}" for number in range(2 * STEP * STEPS)]
        body = RegisterBrokerBody(topics(*names))
        for data, counted in ((body.encode(), 1), (body.encode_compressed(413), 20)):
            request = registration(body=data, body_crc32=None, broker_id=counted)
            header = Command(code=request.code, version=VERSION)
            call = Call(header=header, peer=self.peer, received_at=1.0)
            self.assertNoResult(self.handlers.register(request, call))
            self.assertEqual(self.pacer.size, counted * len(data))
            self.clock.pump([0] * 10 * STEPS)
            self.assertEqual(self.pacer.size, 0)

    def test_too_many_orders(self) -> None:
        """A table that is too large is left out: the response must fit a frame."""
        file = JsonFile(self.mktemp())
        file.save(b'{"configTable":{"ORDER_TOPIC_CONFIG":{"A":"broker-a:8"}}}')
        for max_size, is_sent in ((100, True), (10, False)):
            kvconfig = KVConfig(
                file=file,
                run_in_thread=maybeDeferred,
                on_change=lambda namespace, key: None,
                max_size=max_size,
            )
            kvconfig.load()
            handlers = Registrations(
                config=NamesrvConfig(),
                table=self.table,
                kvconfig=kvconfig,
                pacer=Pacer(Clock()),
                peers=PeerLog(Clock()),
            )
            request = registration(body=b"", body_crc32=None)
            header = Command(code=request.code, version=BODY_SINCE)
            call = Call(header=header, peer=self.peer, received_at=1.0)
            self.assertEqual(bool(handlers.register(request, call).body), is_sent)

    def register(self, version: int, body: bytes) -> list[str]:
        """Register as a release does; list the topics."""
        request = registration(body=body, body_crc32=None)
        header = Command(code=request.code, version=version)
        call = Call(header=header, peer=self.peer, received_at=1.0)
        self.handlers.register(request, call)
        return sorted(self.table.queues)

    def test_version(self) -> None:
        """The release decides how the same bytes are read, each time anew."""
        body = topics("A", "B").encode()
        self.assertEqual(self.register(BODY_SINCE, body), [])
        self.assertEqual(self.register(BODY_SINCE - 1, body), ["A", "B"])

    def test_no_body(self) -> None:
        """A broker of any release may register without topics."""
        self.assertEqual(self.register(BODY_SINCE - 1, b""), [])
        self.assertIn("broker-a", self.table.groups)

    def test_expired_without_connection(self) -> None:
        """A broker that is known by no connection is removed like others."""
        self.table.register(broker("A", "B"), 0.0)
        self.handlers.removals.expire(EXPIRY + 1)
        self.assertEqual(self.table.groups, {})


class LogTests(Served):
    """What stands in the log of brokers that come and go."""

    def logged(self, *requests: Request[Any]) -> list[str]:
        """Send requests; give the lines that they cause."""
        with capturedLogs() as events:
            for request in requests:
                self.ask(request)
        part = "rocketmq_tw.namesrv."
        return [formatEvent(e) for e in events if e["log_namespace"].startswith(part)]

    def test_comes_once(self) -> None:
        """A broker is named when it comes, not when it registers again."""
        first, second = registration("A", "B"), registration("A", "B", zone_name="z")
        line = (
            "broker broker-a (0) of DefaultCluster registered at 10.0.0.1:10911,"
            " 2 topics"
        )
        self.assertEqual(self.logged(first, first, second), [line])

    def test_goes(self) -> None:
        """It is named with the reason when it goes, once."""
        self.register("A", "B")
        gone = UnregisterBroker(**WHO, broker_id=0)
        line = "broker broker-a of DefaultCluster at 10.0.0.1:10911 is gone: "
        self.assertEqual(self.logged(gone, gone), [line + "it unregistered"])

    def test_is_lost(self) -> None:
        """A lost connection and a time without requests are distinguished."""
        for ends, why in (
            (lambda: self.clock.pump([5.0] * 5), "no request for more than 20 s"),
            (lambda: self.pool.close_all(), "its connection was lost"),
        ):
            self.register("A", "B", heartbeat_timeout_millis=20_000)
            with capturedLogs() as events:
                ends()
                self.cluster.advance()
            lines = [formatEvent(event) for event in events if "why" in event]
            self.assertEqual([line.partition(": ")[2] for line in lines], [why])
            self.clock.advance(60)

    def test_one_line_a_host_a_minute(self) -> None:
        """However often a host asks for a change, it is logged once a minute."""
        self.register("A", "B")
        asked = [WipeWritePermission("x" * 200)] * 50
        self.assertEqual(len(self.logged(*asked)), 1)
        self.clock.advance(60)
        [line] = self.logged(*asked)
        self.assertTrue(line.endswith("(49 more in the last minutes)"))

    def test_timeout_that_no_long_holds(self) -> None:
        """A time beyond Java's is refused in a sentence; nothing is logged."""
        for timeout_ms in (-1, 1 << 63, 10**400):
            wrong = registration("A", "B", heartbeat_timeout_millis=timeout_ms)
            code, remark = self.refused(wrong)
            self.assertEqual(code, 1)
            self.assertIn("heartbeatTimeoutMillis", remark)
            self.assertLess(len(remark), 200)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.register("A", "B", heartbeat_timeout_millis=(1 << 63) - 1)

    def test_permissions(self) -> None:
        """It is logged who changed permissions, of how many topics."""
        self.register("A", "B")
        for request, what in (
            (WipeWritePermission("broker-a"), "no longer be written to"),
            (AddWritePermission("broker-a"), "be written to again"),
        ):
            [line] = self.logged(request)
            self.assertIn(f"broker broker-a may {what}: 2 topics, as 10.0.2.1:", line)
