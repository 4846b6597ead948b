"""Tests of registering with name servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.logger import LogPublisher, globalLogPublisher
from twisted.test import iosim
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.registration import BrokerIdentity, Registration
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.registration import crc, decode_registration
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.registration import (
    RegisterBroker,
    RegisterResponse,
    UnregisterBroker,
)
from tests.broker.doubles import MemoryFile


class NameServer:
    """
    A name server in memory.

    :ivar up: whether it can be connected to.
    :ivar refuses: whether it responses registrations with an error.
    :ivar silent: whether it leaves them unanswered.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.up = True
        self.refuses = False
        self.silent = False
        self.registered: list[RegisterBroker] = []
        self.unregistered: list[UnregisterBroker] = []
        self.pumps: list[iosim.IOPump] = []
        self.router = Router()
        self.router.on(RegisterBroker, self._register)
        self.router.on(UnregisterBroker, self._unregister)

    def _register(
        self, request: RegisterBroker, _call: Call
    ) -> Response | Deferred[Any]:
        if self.refuses:
            raise Refused(ResponseCode.SYSTEM_ERROR, "register broker failed")
        self.registered.append(request)
        return Deferred() if self.silent else RegisterResponse()

    def _unregister(self, request: UnregisterBroker, _call: Call) -> Response:
        self.unregistered.append(request)
        return Response()

    def connect(self, factory: Any) -> Deferred[Any]:
        """Connect a client; this is all of an endpoint that is used."""
        if not self.up:
            return fail(ConnectionRefusedError())
        client = factory.buildProtocol(None)
        server = RemotingProtocol(self.router, self.clock, idle_timeout=0)
        self.pumps.append(
            iosim.connect(
                server,
                iosim.makeFakeServer(server),
                client,
                iosim.makeFakeClient(client),
            )
        )
        return succeed(client)

    def flush(self) -> None:
        """Let all bytes arrive."""
        for pump in self.pumps:
            pump.flush()

    def drop(self) -> None:
        """Lose all connections."""
        for pump in self.pumps:
            pump.server.transport.loseConnection()
            pump.flush()


class RegistrationTests(SynchronousTestCase):
    """A broker is known to every name server that can be reached."""

    def setUp(self) -> None:
        """Make a table of topics, two name servers, and a registration with both."""
        self.clock = Clock()
        self.clock.advance(1000)
        self.first, self.second = NameServer(self.clock), NameServer(self.clock)
        self.servers = {"ns1:9876": self.first, "ns2:9876": self.second}
        self.topics = TopicTable(MemoryFile(), "C", "broker-a", clock=self.clock)
        self.topics.load()
        self.registration = self.make()
        self.log: list[Any] = []
        self.watch(globalLogPublisher, self.log.append)

    def watch(self, publisher: LogPublisher, observer: Callable[..., Any]) -> None:
        """Watch the log until the test ends."""
        publisher.addObserver(observer)
        self.addCleanup(publisher.removeObserver, observer)

    def make(self, permission: int = 6) -> Registration:
        """Make a registration with both name servers."""
        pool = ConnectionPool(
            self.clock, endpoint_for=self.servers.__getitem__, idle_timeout=0
        )
        return Registration(
            reactor=self.clock,
            name_servers=list(self.servers),
            identity=BrokerIdentity(
                cluster="C",
                broker_name="broker-a",
                broker_id=0,
                address="10.0.0.1:10911",
                ha_address="10.0.0.1:10912",
            ),
            topics=self.topics,
            permission=permission,
            pool=pool,
        )

    def pass_time(self, seconds: float = 0) -> None:
        """Let time pass and bytes arrive."""
        self.clock.advance(seconds)
        for server in self.servers.values():
            server.flush()

    def start(self) -> None:
        """Start, and let the first registrations be answered."""
        self.registration.startService()
        self.pass_time()

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
        self.assertEqual(self.first.registered, [])
        del self.topics.table[bad]
        self.pass_time(30)
        self.assertEqual(len(self.first.registered), 1)

    def test_registers_with_all_at_once(self) -> None:
        """Each name server is registered with as soon as it is connected."""
        self.start()
        self.assertEqual(self.registration.registered, ["ns1:9876", "ns2:9876"])
        self.assertEqual(len(self.first.registered), 1)

    def test_says_who_the_broker_is(self) -> None:
        """The header names the broker; the body is all topics, with its checksum."""
        self.start()
        (request,) = self.first.registered
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

    def test_registers_every_period(self) -> None:
        """Every 30 s the registration is repeated."""
        self.start()
        self.pass_time(30)
        self.pass_time(30)
        self.assertEqual(len(self.first.registered), 3)

    def test_registers_changed_topics_once(self) -> None:
        """Topics that change in one turn make one registration, at its end."""
        self.start()
        for name in ("A", "B"):
            self.topics.put(TopicConfig(name))
        self.pass_time()
        self.assertEqual(len(self.first.registered), 2)
        body = decode_registration(self.first.registered[-1].body)
        self.assertIn("B", body.topic_table.topic_config_table)

    def test_changes_do_not_flood(self) -> None:
        """Topics that change all the time are registered five times a second."""
        self.start()
        for number in range(100):
            self.topics.put(TopicConfig(f"topic-{number}"))
            self.pass_time(0.01)
        self.pass_time(0.2)
        self.assertLess(len(self.first.registered), 9)
        body = decode_registration(self.first.registered[-1].body)
        self.assertIn("topic-99", body.topic_table.topic_config_table)

    def test_tells_when_all_know(self) -> None:
        """A topic is registered at once, and once; all responses are waited for."""
        self.start()
        self.topics.put(TopicConfig("A"))
        done = self.registration.register_and_wait()
        self.first.flush()
        self.assertNoResult(done)
        self.second.flush()
        self.successResultOf(done)
        self.pass_time(1)
        self.assertEqual(len(self.first.registered), 2)

    def test_tells_of_what_came_while_registering(self) -> None:
        """The response to an earlier registration says nothing about a new topic."""
        self.registration.startService()
        self.topics.put(TopicConfig("A"))
        done = self.registration.register_and_wait()
        for server in (self.first, self.second):
            server.pumps[0].pump()
            server.pumps[0].pump()
            self.assertNoResult(done)
        self.pass_time()
        self.successResultOf(done)
        body = decode_registration(self.first.registered[-1].body)
        self.assertIn("A", body.topic_table.topic_config_table)

    def test_tells_in_time(self) -> None:
        """Name servers that are away, refuse or are silent hold nobody up for long."""
        self.first.up = False
        self.start()
        self.second.silent = True
        done = self.registration.register_and_wait()
        self.pass_time(2.9)
        self.assertNoResult(done)
        self.pass_time(0.1)
        self.successResultOf(done)
        self.second.silent, self.second.refuses = False, True
        self.second.drop()
        self.pass_time(5)
        refused = self.registration.register_and_wait()
        self.pass_time()
        self.successResultOf(refused)
        self.flushLoggedErrors()

    def test_changes_wait_for_the_response(self) -> None:
        """While a registration is under way, the next one waits for its response."""
        self.first.silent = True
        self.start()
        self.topics.put(TopicConfig("A"))
        self.pass_time(1)
        self.assertEqual(len(self.first.registered), 1)
        self.assertEqual(len(self.second.registered), 2)

    def test_comes_back_after_an_outage(self) -> None:
        """A name server is registered with once it is up; an outage is one line."""
        self.first.up = False
        self.start()
        for _ in range(20):
            self.pass_time(1)
        self.assertEqual(self.registration.registered, ["ns2:9876"])
        self.assertEqual(self.complaints(), 1)
        self.first.up = True
        for _ in range(5):
            self.pass_time(1)
        self.assertEqual(len(self.registration.registered), 2)

    def test_comes_back_after_a_lost_connection(self) -> None:
        """A lost connection is made again, and the broker registered at once."""
        self.start()
        self.first.drop()
        self.assertEqual(self.registration.registered, ["ns2:9876"])
        self.pass_time(1)
        self.pass_time()
        self.assertEqual(len(self.first.registered), 2)
        self.assertEqual(self.complaints(), 1)

    def test_tries_again_when_refused(self) -> None:
        """A refusal is logged once; the next round tries again."""
        self.first.refuses = True
        self.start()
        self.pass_time(30)
        self.assertEqual(self.complaints(), 1)
        self.first.refuses = False
        self.pass_time(30)
        self.assertEqual(len(self.registration.registered), 2)

    def test_silent_name_server_gets_a_new_connection(self) -> None:
        """One that does not respond in 24 s is connected to again."""
        self.first.silent = True
        self.start()
        self.pass_time(24)
        self.first.silent = False
        self.pass_time(1)
        self.pass_time()
        self.assertEqual(len(self.first.pumps), 2)
        self.assertEqual(len(self.registration.registered), 2)

    def test_lacking_permission_shows_in_all_topics(self) -> None:
        """A broker that may not be written to registers topics that may not."""
        self.registration = self.make(permission=4)
        self.start()
        body = decode_registration(self.first.registered[0].body)
        perms = {c.perm for c in body.topic_table.topic_config_table.values()}
        self.assertEqual(perms, {4, 0})

    def test_unregisters_on_stop(self) -> None:
        """A stopping broker takes itself out, disconnects and leaves no timer."""
        self.start()
        stopped = self.registration.stopService()
        self.pass_time()
        self.pass_time()
        self.successResultOf(stopped)
        (request,) = self.first.unregistered
        self.assertEqual(request.broker_addr, "10.0.0.1:10911")
        self.topics.put(TopicConfig("A"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_waits_a_second_at_most(self) -> None:
        """A name server that does not respond does not hold the broker up."""
        self.start()
        stopped = self.registration.stopService()
        self.assertNoResult(stopped)
        self.clock.advance(1)
        self.pass_time(1)
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_during_an_outage(self) -> None:
        """Stopping gives up connecting, and returns at once."""
        self.first.up = self.second.up = False
        self.start()
        self.successResultOf(self.registration.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])
