"""Tests of the connection to one name server: when it connects, and registers."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.name_server_link import NameServerLink
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.broker.unregistered import Piece, Unregistered
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.bodies.registration import crc
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.registration import (
    QueryDataVersion,
    RegisterBroker,
    UnregisterBroker,
)
from tests.broker.doubles import MemoryFile

HOST = "10.0.1.1"
ADDRESS = f"{HOST}:10911"


class Pieces(Unregistered):
    """
    What is registered in these tests: nothing but changes have a name.

    :ivar is_large: as the test chooses.
    """

    is_large = False

    def __init__(self) -> None:
        clock = Clock()
        super().__init__(TopicTable(MemoryFile(), "C", "broker-a", clock=clock))


class LinkCase(SynchronousTestCase):
    """Has a name server, and a link to it that is not started."""

    def setUp(self) -> None:
        """Start the name server."""
        self.cluster = MemoryCluster(brokers=0).start()
        self.addCleanup(self.cluster.stop)
        self.server = self.cluster.name_servers[0]
        self.reactor = self.cluster.network.reactor(HOST)
        self.number = 0
        self.pieces = Pieces()
        self.link = NameServerLink(
            reactor=self.reactor,
            pool=ConnectionPool(self.reactor),
            address=self.server.address,
            unregistered=self.pieces,
            make_request=self.request,
            make_query=lambda: QueryDataVersion("broker-a", ADDRESS, "C1", 0),
            timeout=2.0,
        )
        self.addCleanup(self.stop)

    def request(self, piece: Piece) -> RegisterBroker:
        """Make a registration; each has a cluster's name of its own."""
        self.number += 1
        return RegisterBroker(
            broker_name="broker-a",
            broker_addr=ADDRESS,
            cluster_name=f"C{self.number}",
            ha_server_addr=f"{HOST}:10912",
            broker_id=0,
            body_crc32=crc(piece.body),
            body=piece.body,
        )

    def wait(self, name: str = "A") -> Deferred[None]:
        """Let a topic change, and wait for its registration."""
        self.link.change(name)
        return self.link.register_and_wait()

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

    def test_tries_each_second(self) -> None:
        """However long the name server is away."""
        self.cluster.faults.refuse(self.server)
        self.link.start()
        self.cluster.advance()
        for _ in range(60):
            before = self.attempts()
            self.cluster.advance(0.9)
            self.assertEqual(self.attempts(), before)
            self.cluster.advance(0.1)
            self.assertEqual(self.attempts(), before + 1)

    def test_registers_again(self) -> None:
        """A second after a name server is back, and after a lost connection."""
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
        self.link.refresh()
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

    def test_changes_meanwhile(self) -> None:
        """However much changes, one more registration follows the one in flight."""
        for name in "ABCDE":
            self.link.change(name)
            self.link.register()
        self.cluster.faults.heal_all()
        self.cluster.advance()
        self.assertEqual(self.came(), ["C2", "C3"])

    def test_nothing_changed(self) -> None:
        """Nothing is registered, and nobody waits."""
        self.link.register()
        self.successResultOf(self.link.register_and_wait())
        self.cluster.faults.heal_all()
        self.cluster.advance()
        self.assertEqual(self.came(), [])

    def test_stopped_in_flight(self) -> None:
        """Who waits is released; nothing is registered or logged as an outage."""
        waiting = self.wait()
        with capturedLogs() as events:
            stopped = self.link.stop(UnregisterBroker("broker-a", ADDRESS, "C", 0))
            self.successResultOf(waiting)
            self.cluster.faults.heal_all()
            self.cluster.advance(6.0)
        self.successResultOf(stopped)
        self.successResultOf(self.wait())
        self.assertEqual([e for e in events if e["log_level"] > LogLevel.info], [])

    def test_no_response(self) -> None:
        """All who wait are released when the name server takes too long."""
        self.server.traffic.respond(RegisterBroker, None)
        first = self.wait("A")
        second = self.wait("B")
        self.cluster.faults.heal_all()
        self.cluster.advance(1.0)
        self.assertNoResult(first)
        self.assertNoResult(second)
        self.cluster.advance(5.0)
        self.successResultOf(first)
        self.successResultOf(second)

    def test_second_waits_for_the_second(self) -> None:
        """The response to the first releases only those whose changes it had."""
        first = self.wait("A")
        second = self.wait("B")
        order: list[int] = []
        first.addCallback(lambda _: order.append(len(self.came())))
        second.addCallback(lambda _: order.append(len(self.came())))
        self.cluster.faults.heal_all()
        self.cluster.advance()
        self.assertEqual(order, [1, 2])

    def test_waited_too_long(self) -> None:
        """Nobody waits any more, until the name server has responded."""
        first = self.wait("A")
        with capturedLogs() as events:
            first.addErrback(lambda _: None)
            first.cancel()
        [line] = [each for each in events if each["log_level"] is LogLevel.warn]
        self.assertIn("did not respond in time", line["log_format"])
        self.successResultOf(self.wait("B"))
        self.cluster.faults.heal_all()
        self.cluster.advance()
        self.assertNoResult(third := self.wait("C"))
        self.cluster.advance()
        self.successResultOf(third)

    def test_refused(self) -> None:
        """Changes wait for nothing, and are tried again a second later."""
        self.cluster.faults.heal_all()
        words = "register broker failed"
        self.server.traffic.refuse(RegisterBroker, ResponseCode.SYSTEM_ERROR, words)
        waiting = self.wait("A")
        self.cluster.advance()
        self.successResultOf(waiting)
        self.successResultOf(self.wait("B"))
        self.assertEqual(len(self.came()), 1)
        self.cluster.advance(1.0)
        self.assertNoResult(waiting := self.wait("C"))
        self.cluster.advance()
        self.successResultOf(waiting)
        self.assertTrue(self.link.registered)

    def test_no_connection(self) -> None:
        """Nobody waits for a name server that is not there."""
        self.cluster.faults.heal_all()
        self.cluster.faults.reset(self.server, HOST)
        self.cluster.advance()
        self.successResultOf(self.wait())


class RefreshTests(LinkCase):
    """What is registered periodically."""

    def setUp(self) -> None:
        """Connect."""
        super().setUp()
        self.link.start()
        self.cluster.advance()
        self.server.traffic.clear()

    def test_small(self) -> None:
        """A small table is registered again, without a question."""
        self.link.refresh()
        self.cluster.advance()
        self.assertEqual(len(self.came()), 1)
        self.assertEqual(self.server.traffic.requests(QueryDataVersion), [])

    def test_large(self) -> None:
        """Of a large one the version is compared first."""
        self.pieces.is_large = True
        self.link.refresh()
        self.cluster.advance()
        self.assertEqual(len(self.server.traffic.requests(QueryDataVersion)), 1)
        self.assertEqual(len(self.came()), 1)
        self.assertTrue(self.link.registered)

    def test_cannot_compare(self) -> None:
        """A name server that does not know the question gets the table."""
        self.pieces.is_large = True
        code = ResponseCode.REQUEST_CODE_NOT_SUPPORTED
        self.server.traffic.refuse(QueryDataVersion, code, "not supported")
        self.link.refresh()
        self.cluster.advance()
        self.assertEqual(len(self.came()), 1)
        self.assertTrue(self.link.registered)

    def test_in_flight(self) -> None:
        """While a registration is in flight, nothing is added to it."""
        self.cluster.faults.cut(self.server, HOST)
        self.addCleanup(self.cluster.faults.heal_all)
        self.wait("A")
        self.link.refresh()
        self.cluster.faults.heal_all()
        self.cluster.advance()
        self.assertEqual(len(self.came()), 1)
