"""Tests of registering with name servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import LogPublisher, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.registration import BrokerIdentity, Registration
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.testing.nodes import Node
from rocketmq_tw.wire.bodies.registration import crc, decode_registration
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.registration import (
    RegisterBroker,
    UnregisterBroker,
)
from tests.broker.doubles import MemoryFile

HOST = "10.0.1.1"
FIRST, SECOND = "10.0.0.1:9876", "10.0.0.2:9876"


class RegistrationTests(SynchronousTestCase):
    """A broker is known to every name server that can be reached."""

    def setUp(self) -> None:
        """Make a table of topics, two name servers, and a registration with both."""
        self.cluster = MemoryCluster(name_servers=2, brokers=0).start()
        self.addCleanup(self.cluster.stop)
        self.faults = self.cluster.faults
        self.first, self.second = self.cluster.name_servers
        self.reactor = self.cluster.network.reactor(HOST)
        self.topics = TopicTable(MemoryFile(), "C", "broker-a", clock=self.reactor)
        self.topics.load()
        self.registration = self.make()
        self.log: list[Any] = []
        self.watch(globalLogPublisher, self.log.append)

    def watch(self, publisher: LogPublisher, observer: Callable[..., Any]) -> None:
        """Watch the log until the test ends."""
        publisher.addObserver(observer)
        self.addCleanup(publisher.removeObserver, observer)

    def make(self, **more: Any) -> Registration:
        """Make a registration with both name servers."""
        return Registration(
            reactor=self.reactor,
            name_servers=self.cluster.name_server_addresses,
            identity=BrokerIdentity(
                cluster="C",
                broker_name="broker-a",
                broker_id=0,
                address="10.0.0.1:10911",
                ha_address="10.0.0.1:10912",
            ),
            topics=self.topics,
            **more,
        )

    def pass_time(self, seconds: float = 0) -> None:
        """Let time pass and bytes arrive."""
        self.cluster.advance(seconds)

    def start(self) -> None:
        """Start, and let the responses to the first registrations come."""
        self.registration.startService()
        self.pass_time()

    def registered(self, node: Node) -> list[RegisterBroker]:
        """Give the registrations that a name server got."""
        return node.traffic.requests(RegisterBroker)

    def refuse(self, node: Node) -> None:
        """Let a name server refuse all registrations."""
        code, words = ResponseCode.SYSTEM_ERROR, "register broker failed"
        node.traffic.refuse(RegisterBroker, code, words, times=99)

    def timers(self) -> list[Any]:
        """Give what the broker has scheduled."""
        return self.reactor.getDelayedCalls()

    def complaints(self) -> int:
        """Count the lines about name servers that do not know the broker."""
        return sum("not registered" in (e["log_format"] or "") for e in self.log)

    def test_a_failure_does_not_end_the_ticking(self) -> None:
        """A table that cannot be written is logged; the next one is registered."""
        bad = "\ud800"
        self.topics.table[bad] = TopicConfig(bad)
        self.start()
        self.pass_time(30)
        self.assertTrue(self.flushLoggedErrors(UnicodeEncodeError))
        self.assertEqual(self.registered(self.first), [])
        del self.topics.table[bad]
        self.pass_time(30)
        self.assertEqual(len(self.registered(self.first)), 1)

    def test_registers_with_all_at_once(self) -> None:
        """Each name server is registered with as soon as it is connected."""
        self.start()
        self.assertEqual(self.registration.registered, [FIRST, SECOND])
        self.assertEqual(len(self.registered(self.first)), 1)

    def test_says_who_the_broker_is(self) -> None:
        """The header names the broker; the body is all topics, with its checksum."""
        self.start()
        (request,) = self.registered(self.first)
        self.assertEqual(request.broker_name, "broker-a")
        self.assertEqual(request.broker_addr, "10.0.0.1:10911")
        self.assertEqual(request.cluster_name, "C")
        self.assertEqual(request.ha_server_addr, "10.0.0.1:10912")
        self.assertEqual(request.broker_id, 0)
        self.assertEqual(request.heartbeat_timeout_millis, 120_000)
        self.assertIs(request.compressed, False)
        self.assertEqual(request.body_crc32, crc(request.body))
        table = decode_registration(request.body).topic_table
        self.assertEqual(table.topic_config_table, self.topics.table)
        self.assertEqual(table.data_version, self.topics.data_version)

    def test_large(self) -> None:
        """A table that is too large for one registration comes in pieces."""
        for n in range(1000):
            self.topics.table[f"topic-{n}"] = TopicConfig(f"topic-{n}", 8, 8)
        self.registration = self.make(size=20_000)
        self.start()
        requests = self.registered(self.first)
        self.assertEqual(len(requests), 9)
        self.assertLess(max(len(each.body) for each in requests), 21_000)
        for each in requests:
            self.assertEqual(each.body_crc32, crc(each.body))
        parts = ["first", *["next"] * 7, "last"]
        self.assertEqual([each.part for each in requests], parts)
        self.assertEqual(self.registration.registered, [FIRST, SECOND])
        table = self.first.service.table
        self.assertEqual(self.topics.table.keys(), table.queues.keys())
        (live,) = table.live
        self.assertEqual(live.version, self.topics.data_version)

    def test_registers_every_period(self) -> None:
        """Every 30 s the registration is repeated."""
        self.start()
        self.pass_time(30)
        self.pass_time(30)
        self.assertEqual(len(self.registered(self.first)), 3)

    def test_registers_changed_topics_once(self) -> None:
        """Topics that change in one turn make one registration, at its end."""
        self.start()
        for name in ("A", "B"):
            self.topics.put(TopicConfig(name))
        self.pass_time()
        self.assertEqual(len(self.registered(self.first)), 2)
        body = decode_registration(self.registered(self.first)[-1].body)
        self.assertIn("B", body.topic_table.topic_config_table)

    def test_changes_do_not_flood(self) -> None:
        """While one registration is in flight, changes are kept for the next one."""
        self.start()
        self.faults.cut(HOST, self.first)
        for number in range(100):
            self.topics.put(TopicConfig(f"topic-{number}"))
            self.pass_time(0.01)
        self.faults.heal(HOST, self.first)
        self.pass_time()
        self.assertEqual(len(self.registered(self.first)), 3)
        self.assertEqual(len(self.registered(self.second)), 101)
        body = decode_registration(self.registered(self.first)[-1].body)
        self.assertEqual(len(body.topic_table.topic_config_table), 99)
        self.assertEqual(body.topic_table.data_version, self.topics.data_version)
        self.assertLessEqual(
            self.topics.table.keys(), self.first.service.table.queues.keys()
        )

    def test_deleted(self) -> None:
        """A deleted topic is named, and does not come back."""
        self.topics.put(TopicConfig("A"))
        self.start()
        self.topics.put(TopicConfig("B"))
        self.topics.delete("A")
        self.pass_time()
        body = decode_registration(self.registered(self.first)[-1].body)
        self.assertEqual(list(body.topic_table.topic_config_table), ["B"])
        self.assertEqual(body.deleted_topics, ("A",))
        self.pass_time(30)
        body = decode_registration(self.registered(self.first)[-1].body)
        self.assertNotIn("A", body.topic_table.topic_config_table)
        self.assertIsNone(body.deleted_topics)

    def test_tells_when_all_know(self) -> None:
        """A topic is registered at once, and once; all responses are waited for."""
        self.start()
        self.topics.put(TopicConfig("A"))
        self.faults.cut(HOST, self.second)
        done = self.waiting()
        self.pass_time()
        self.assertEqual(len(self.registered(self.first)), 2)
        self.assertNoResult(done)
        self.faults.heal(HOST, self.second)
        self.pass_time()
        self.successResultOf(done)
        self.pass_time(1)
        self.assertEqual(len(self.registered(self.first)), 2)

    def waiting(self) -> Deferred[None]:
        """Register what has changed, and wait for it."""
        done = self.registration.register_and_wait()
        assert done is not None
        return done

    def test_tells_of_what_came_while_registering(self) -> None:
        """The response to an earlier registration says nothing about a new topic."""
        self.start()
        nodes = self.first, self.second
        for node in nodes:
            self.faults.cut(HOST, node)
        self.topics.put(TopicConfig("A"))
        earlier = self.waiting()
        self.cluster.clock.advance(0)
        self.topics.put(TopicConfig("B"))
        done = self.waiting()
        known = done.addCallback(lambda _: [self.knows(node, "B") for node in nodes])
        for node in nodes:
            self.faults.heal(HOST, node)
        self.pass_time()
        self.successResultOf(earlier)
        self.assertEqual(self.successResultOf(known), [True, True])

    def knows(self, node: Node, topic: str) -> bool:
        """Say whether the last registration at a name server had a topic."""
        body = decode_registration(self.registered(node)[-1].body)
        return topic in body.topic_table.topic_config_table

    def test_tells_in_time(self) -> None:
        """Name servers that are away, refuse or are silent hold nobody up for long."""
        self.faults.refuse(self.first)
        self.start()
        self.second.traffic.ignore(RegisterBroker)
        self.topics.put(TopicConfig("A"))
        done = self.waiting()
        self.pass_time(2.9)
        self.assertNoResult(done)
        self.pass_time(0.1)
        self.successResultOf(done)
        self.topics.put(TopicConfig("B"))
        self.assertIsNone(self.registration.register_and_wait())
        self.second.traffic.restore()
        self.refuse(self.second)
        self.faults.reset(HOST, self.second)
        self.pass_time(5)
        self.topics.put(TopicConfig("C"))
        self.assertNoResult(refused := self.waiting())
        self.pass_time()
        self.successResultOf(refused)

    def test_tells_who_comes_after_the_end_of_an_iteration(self) -> None:
        """Who asks while changes wait for a response is not forgotten."""
        self.start()
        self.faults.cut(HOST, self.first)
        for name in ("A", "B"):
            self.topics.put(TopicConfig(name))
            self.pass_time(0.01)
        done = self.waiting()
        self.pass_time(3.1)
        self.successResultOf(done)

    def test_nothing_changed(self) -> None:
        """Then nobody waits."""
        self.start()
        self.assertIsNone(self.registration.register_and_wait())

    def test_stopped_while_waiting(self) -> None:
        """Who waits is released when the broker stops."""
        self.start()
        self.topics.put(TopicConfig("A"))
        done = self.waiting()
        self.registration.stopService()
        self.successResultOf(done)

    def test_changes_wait_for_the_response(self) -> None:
        """While a registration is under way, the next one waits for its response."""
        self.first.traffic.ignore(RegisterBroker)
        self.start()
        self.topics.put(TopicConfig("A"))
        self.pass_time(1)
        self.assertEqual(len(self.registered(self.first)), 1)
        self.assertEqual(len(self.registered(self.second)), 2)

    def test_comes_back_after_an_outage(self) -> None:
        """A name server is registered with once it is up; an outage is one line."""
        self.faults.refuse(self.first)
        self.start()
        for _ in range(20):
            self.pass_time(1)
        self.assertEqual(self.registration.registered, [SECOND])
        self.assertEqual(self.complaints(), 1)
        self.faults.admit(self.first)
        for _ in range(5):
            self.pass_time(1)
        self.assertEqual(len(self.registration.registered), 2)

    def test_name_server_restarts(self) -> None:
        """It knows all routes within 2 s of the broker's new connection."""
        for number in range(500):
            self.topics.put(TopicConfig(f"topic-{number}"))
        self.start()
        self.pass_time(10)
        self.first.stop()
        self.pass_time(30)
        self.first.start()
        table = self.first.service.table
        self.cluster.wait_until(lambda: table.size)
        self.pass_time(2)
        self.assertEqual(table.size, len(self.topics.table))

    def test_comes_back_after_a_lost_connection(self) -> None:
        """A lost connection is made again, and the broker registered at once."""
        self.start()
        self.faults.reset(HOST, self.first)
        self.assertEqual(self.registration.registered, [SECOND])
        self.pass_time(1)
        self.pass_time()
        self.assertEqual(len(self.registered(self.first)), 2)
        self.assertEqual(self.complaints(), 1)

    def test_tries_again_when_refused(self) -> None:
        """A refusal is logged once; the next round tries again."""
        self.refuse(self.first)
        self.start()
        self.pass_time(30)
        self.assertEqual(self.complaints(), 1)
        self.first.traffic.restore()
        self.pass_time(30)
        self.assertEqual(len(self.registration.registered), 2)

    def test_silent_name_server_gets_a_new_connection(self) -> None:
        """One that does not answer in 24 s is connected to anew."""
        self.first.traffic.ignore(RegisterBroker)
        self.start()
        self.pass_time(24)
        self.first.traffic.restore()
        self.pass_time(1)
        self.pass_time()
        attempts = self.cluster.network.attempts
        self.assertEqual((attempts.count(FIRST), attempts.count(SECOND)), (2, 1))
        self.assertEqual(len(self.registration.registered), 2)

    def test_lacking_permission_shows_in_all_topics(self) -> None:
        """A broker that may not be written to registers topics that may not."""
        self.topics.permission = 4
        self.start()
        body = decode_registration(self.registered(self.first)[0].body)
        perms = {c.perm for c in body.topic_table.topic_config_table.values()}
        self.assertEqual(perms, {4, 0})

    def test_changed_permission(self) -> None:
        """All topics are registered at once, in pieces, with a new version."""
        for n in range(100):
            self.topics.table[f"topic-{n}"] = TopicConfig(f"topic-{n}", 8, 8)
        self.registration = self.make(size=5_000)
        self.start()
        known = len(self.registered(self.first))
        self.topics.set_permission(4)
        waiting = self.registration.register_and_wait()
        assert waiting is not None
        self.pass_time()
        self.successResultOf(waiting)
        pieces = self.registered(self.first)[known:]
        self.assertEqual({each.part for each in pieces}, {"changes"})
        self.assertGreater(len(pieces), 3)
        for node in (self.first, self.second):
            (live,) = node.service.table.live
            self.assertEqual(live.version, self.topics.data_version)
        perms = {}
        for each in pieces:
            table = decode_registration(each.body).topic_table.topic_config_table
            perms |= {name: config.perm for name, config in table.items()}
        self.assertEqual(perms.keys(), self.topics.table.keys())
        self.assertEqual(set(perms.values()), {4, 0})
        self.topics.set_permission(4)
        self.assertIsNone(self.registration.register_and_wait())

    def test_unregisters_on_stop(self) -> None:
        """A stopping broker takes itself out, disconnects and leaves no timer."""
        self.start()
        stopped = self.registration.stopService()
        self.pass_time()
        self.pass_time()
        self.successResultOf(stopped)
        (request,) = self.first.traffic.requests(UnregisterBroker)
        self.assertEqual(request.broker_addr, "10.0.0.1:10911")
        self.topics.put(TopicConfig("A"))
        self.assertEqual(self.timers(), [])

    def test_stop_waits_a_second_at_most(self) -> None:
        """A name server that does not respond does not hold the broker up."""
        self.start()
        self.first.traffic.ignore(UnregisterBroker)
        stopped = self.registration.stopService()
        self.pass_time(0.9)
        self.assertNoResult(stopped)
        self.pass_time(0.1)
        self.successResultOf(stopped)
        self.assertEqual(self.timers(), [])

    def test_stop_during_an_outage(self) -> None:
        """Stopping gives up connecting, and answers at once."""
        self.faults.refuse(self.first)
        self.faults.refuse(self.second)
        self.start()
        self.successResultOf(self.registration.stopService())
        self.assertEqual(self.timers(), [])
