"""Tests of the connection to one name server: when it connects, and registers."""

from __future__ import annotations

from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.name_server_link import NameServerLink
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.bodies.registration import crc
from rocketmq_tw.wire.requests.registration import RegisterBroker, UnregisterBroker

HOST = "10.0.1.1"
ADDRESS = f"{HOST}:10911"
BODY = (
    b'{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":'
    b'{"counter":1,"stateVersion":0,"timestamp":1},"topicConfigTable":{}}}'
)


class LinkCase(SynchronousTestCase):
    """Has a name server, and a link to it that is not started."""

    def setUp(self) -> None:
        """Start the name server."""
        self.cluster = MemoryCluster(brokers=0).start()
        self.addCleanup(self.cluster.stop)
        self.server = self.cluster.name_servers[0]
        self.reactor = self.cluster.network.reactor(HOST)
        self.number = 0
        self.link = NameServerLink(
            reactor=self.reactor,
            pool=ConnectionPool(self.reactor),
            address=self.server.address,
            make_request=self.request,
            timeout=2.0,
        )
        self.addCleanup(self.stop)

    def request(self) -> RegisterBroker:
        """Make a registration; each has a cluster's name of its own."""
        self.number += 1
        return RegisterBroker(
            broker_name="broker-a",
            broker_addr=ADDRESS,
            cluster_name=f"C{self.number}",
            ha_server_addr=f"{HOST}:10912",
            broker_id=0,
            body_crc32=crc(BODY),
            body=BODY,
        )

    def stop(self) -> None:
        """Stop the link, and wait for it."""
        request = UnregisterBroker("broker-a", ADDRESS, "C", 0)
        self.cluster.result_of(self.link.stop(request))

    def came(self) -> list[str]:
        """List the registrations that came, by their clusters."""
        requests = self.server.traffic.requests(RegisterBroker)
        return [each.cluster_name for each in requests]

    def attempts(self) -> int:
        """Count the attempts to connect."""
        return self.cluster.network.attempts.count(self.server.address)


class ConnectingTests(LinkCase):
    """When a connection is tried."""

    def test_registers_when_connected(self) -> None:
        """One attempt, one registration."""
        self.link.start()
        self.cluster.advance()
        self.assertEqual((self.came(), self.link.registered), (["C1"], True))

    def test_waits_longer_each_time(self) -> None:
        """1, 2, 4, 5 and 5 s lie between the attempts."""
        self.cluster.faults.refuse(self.server)
        self.link.start()
        self.cluster.advance()
        for wait in (1, 2, 4, 5, 5):
            before = self.attempts()
            self.cluster.advance(wait - 0.1)
            self.assertEqual(self.attempts(), before)
            self.cluster.advance(0.1)
            self.assertEqual(self.attempts(), before + 1)

    def test_waits_little_after_a_success(self) -> None:
        """A registration ends the waiting for longer and longer."""
        self.cluster.faults.refuse(self.server)
        self.link.start()
        self.cluster.advance(6.9)
        self.cluster.faults.heal_all()
        self.cluster.advance(0.1)
        self.assertTrue(self.link.registered)
        self.cluster.faults.reset(self.server, HOST)
        self.cluster.advance(0.9)
        self.assertFalse(self.link.registered)
        self.cluster.advance(0.1)
        self.assertTrue(self.link.registered)

    def test_connection_on_which_nothing_comes_back(self) -> None:
        """It is given up after the time-out, and replaced by a new one."""
        self.link.start()
        self.cluster.advance()
        self.cluster.faults.silence(self.server, HOST)
        self.link.register()
        self.cluster.advance(1.9)
        self.assertTrue(self.link.registered)
        self.cluster.advance(0.1)
        self.assertFalse(self.link.registered)
        self.cluster.advance(1.0)
        self.assertEqual((self.came(), self.link.registered), (["C1", "C3"], True))

    def test_an_outage_is_logged_once(self) -> None:
        """Failed attempts add no line; an outage after a success is a new one."""
        with capturedLogs() as events:
            self.cluster.faults.refuse(self.server)
            self.link.start()
            self.cluster.advance(6.9)
            self.cluster.faults.heal_all()
            self.cluster.advance(0.1)
            self.cluster.faults.reset(self.server, HOST)
            self.cluster.faults.refuse(self.server)
            self.cluster.advance(10.0)
        levels = [
            each["log_level"] for each in events if each.get("ns") == self.link.address
        ]
        self.assertEqual(levels, [LogLevel.warn, LogLevel.info, LogLevel.warn])

    def test_stopped_while_waiting(self) -> None:
        """Nothing is scheduled any more, and nobody connects."""
        self.cluster.faults.refuse(self.server)
        self.link.start()
        self.cluster.advance()
        self.stop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stop_unregisters(self) -> None:
        """Once; a name server that does not respond is waited for a second."""
        self.link.start()
        self.cluster.advance()
        self.server.traffic.ignore(UnregisterBroker)
        stopped = self.link.stop(UnregisterBroker("broker-a", ADDRESS, "C", 0))
        self.cluster.advance(0.9)
        self.assertNoResult(stopped)
        self.cluster.advance(0.1)
        self.successResultOf(stopped)
        self.assertEqual(len(self.server.traffic.requests(UnregisterBroker)), 1)


class RegisteringTests(LinkCase):
    """One registration at a time."""

    def setUp(self) -> None:
        """Connect, and let the name server be slow."""
        super().setUp()
        self.link.start()
        self.cluster.advance()
        self.server.traffic.clear()
        self.cluster.faults.cut(self.server, HOST)
        self.addCleanup(self.cluster.faults.heal_all)

    def test_asked_for_meanwhile(self) -> None:
        """However often it is asked for, one more follows the one in flight."""
        for _ in range(5):
            self.link.register()
        self.cluster.faults.heal_all()
        self.cluster.advance()
        self.assertEqual(self.came(), ["C2", "C3"])

    def test_stopped_in_flight(self) -> None:
        """Who waits is released; nothing is registered or logged as an outage."""
        waiting = self.link.register_and_wait()
        with capturedLogs() as events:
            stopped = self.link.stop(UnregisterBroker("broker-a", ADDRESS, "C", 0))
            self.successResultOf(waiting)
            self.cluster.faults.heal_all()
            self.cluster.advance(6.0)
        self.successResultOf(stopped)
        self.successResultOf(self.link.register_and_wait())
        self.assertEqual([e for e in events if e["log_level"] > LogLevel.info], [])

    def test_waits_for_what_is_true_now(self) -> None:
        """Who asks while one is in flight waits for the next one."""
        self.server.traffic.respond(RegisterBroker, None)
        first = self.link.register_and_wait()
        second = self.link.register_and_wait()
        self.cluster.faults.heal_all()
        self.cluster.advance(1.0)
        self.assertNoResult(first)
        self.assertNoResult(second)
        self.cluster.advance(5.0)
        self.successResultOf(first)
        self.successResultOf(second)

    def test_second_waits_for_the_second(self) -> None:
        """The response to the first releases only those who asked for it."""
        first = self.link.register_and_wait()
        second = self.link.register_and_wait()
        order: list[int] = []
        first.addCallback(lambda _: order.append(len(self.came())))
        second.addCallback(lambda _: order.append(len(self.came())))
        self.cluster.faults.heal_all()
        self.cluster.advance()
        self.assertEqual(order, [1, 2])

    def test_who_waits_no_more(self) -> None:
        """A cancelled wait is forgotten; others are not disturbed."""
        first = self.link.register_and_wait()
        other = self.link.register_and_wait()
        for each in (first, other):
            each.addErrback(lambda _: None)
            each.cancel()
        third = self.link.register_and_wait()
        self.cluster.faults.heal_all()
        self.cluster.advance()
        self.successResultOf(third)

    def test_no_connection(self) -> None:
        """Nobody waits for a name server that is not there."""
        self.cluster.faults.heal_all()
        self.cluster.faults.reset(self.server, HOST)
        self.cluster.advance()
        self.successResultOf(self.link.register_and_wait())
