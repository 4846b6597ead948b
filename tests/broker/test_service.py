"""A broker's service: it starts, refuses to, stops in stages, and starts again."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.broker.broker import Broker, Install
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.features import FEATURES
from rocketmq_tw.broker.service import BrokerService
from rocketmq_tw.jsonfile import DamagedDocument, UnreadableDocument
from rocketmq_tw.remoting.errors import ConnectionLost, Refused
from rocketmq_tw.remoting.listen_errors import PortTaken
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.store.errors import StoreLocked, StoreUnreadable
from rocketmq_tw.testing import MemoryNetwork
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.heartbeat import GetConsumerList, Heartbeat
from rocketmq_tw.wire.requests.offset import QueryConsumerOffset, UpdateConsumerOffset
from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, SUSPEND
from rocketmq_tw.wire.requests.registration import (
    RegisterBroker,
    RegisterResponse,
    UnregisterBroker,
)
from rocketmq_tw.wire.requests.topic import CreateTopic
from tests.broker.cases import GROUP, TOPIC, pulled, sent
from tests.store.cases import NOW

HEARTBEAT = (
    b'{"clientID":"c","consumerDataSet":[{"groupName":"GroupTest"}],'
    b'"producerDataSet":[]}'
)


HOST = "10.0.0.1"


class Client:
    """A client's connection to a broker; it may stop reading."""

    def __init__(self, network: MemoryNetwork, port: int) -> None:
        self._clock = network.clock
        self._came: list[Any] = []
        pool = ConnectionPool(network.reactor("10.0.0.9"))
        connected: list[RemotingProtocol] = []
        pool.connection(f"{HOST}:{port}").addCallback(connected.append)
        self._clock.advance(0)
        (self.connection,) = connected

    def send(self, request: Request[Any]) -> None:
        """Send a request, and let its response come, if it is not held."""
        self.connection.call(request, timeout=None).addBoth(self._receive)
        self._clock.advance(0)

    def _receive(self, response: Any) -> None:
        self._came.append(response)

    def responses(self) -> list[Any]:
        """Give the responses that came since the last time; refusals as failures."""
        came, self._came = self._came, []
        return came

    def codes(self) -> list[int]:
        """Give the codes of the responses that came since the last time."""
        return [
            each.value.code if isinstance(each, Failure) else int(each.status)
            for each in self.responses()
        ]

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
        self._clock.advance(0)


class ServiceCase(SynchronousTestCase):
    """Makes brokers in one folder."""

    def setUp(self) -> None:
        """Make a folder and a host."""
        self.root = os.path.abspath(self.mktemp())
        self.clock = Clock()
        self.clock.advance(NOW)
        self.network = MemoryNetwork(self.clock)
        self.reactor = self.network.reactor(HOST)

    def broker(
        self,
        *,
        features: Sequence[Install] = FEATURES,
        name_servers: Sequence[str] = (),
        **settings: Any,
    ) -> BrokerService:
        """Make a broker; it is stopped at the end."""
        values: dict[str, Any] = {
            "broker_name": "broker-a",
            "broker_ip1": HOST,
            "broker_ip2": HOST,
            # Clients are on another host.
            "access": AccessSettings(remote_administration=True),
            "store_path_root_dir": self.root,
            "mapped_file_size_commit_log": 2 << 20,
            "mapped_file_size_consume_queue": 2000,
        }
        config = BrokerConfig(**values | settings)
        threads = self.reactor.threads
        return BrokerService(
            self.reactor, config, name_servers, threads, features=features
        )

    def start(self, broker: BrokerService) -> Any:
        """Start a broker and give what became of it."""
        broker.startService()
        self.addCleanup(self.stop, broker)
        assert broker.started is not None
        results: list[Any] = []
        broker.started.addBoth(results.append)
        self.clock.advance(0)
        return results[0] if results else "still starting"

    def client(self, port: int = 10911) -> Client:
        """Connect."""
        return Client(self.network, port)

    def stop(self, broker: BrokerService) -> None:
        """Stop a broker, and wait for it."""
        stopped = broker.stopService()
        self.clock.pump([0.1] * 20)
        self.successResultOf(stopped)

    def write(self, name: str, data: bytes) -> None:
        """Make a file below the store's folder."""
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


class StartTests(ServiceCase):
    """Beginning."""

    def test_listens(self) -> None:
        """Three ports are taken, and the files of the tables are there."""
        broker = self.broker()
        self.assertIsNone(self.start(broker))
        ports = [f"{HOST}:{port}" for port in (10911, 10909, 10912)]
        self.assertEqual(list(self.network.ports), ports)
        self.assertEqual(broker.address, "10.0.0.1:10911")
        self.assertTrue(broker.running)
        self.clock.advance(0)
        self.assertTrue(os.path.exists(f"{self.root}/config/topics.json"))

    def test_interface(self) -> None:
        """The fast port and that of slaves are taken at the same address."""
        self.start(self.broker(listen="tcp:10911:interface=127.0.0.1"))
        interfaces = [port.interface for port in self.network.ports.values()]
        self.assertEqual(interfaces, ["127.0.0.1"] * 3)

    def test_no_pulls_on_the_fast_port(self) -> None:
        """The fast port takes sends, not pulls."""
        self.start(self.broker())
        client = self.client(10909)
        client.send(sent())
        client.send(pulled())
        self.assertEqual(client.codes(), [0, 3])

    def test_offsets_are_bounded(self) -> None:
        """A group that had read what a power cut took starts at the queue's end."""
        broker = self.broker()
        self.start(broker)
        client = self.client()
        client.send(sent())
        client.send(UpdateConsumerOffset(GROUP, TOPIC, 0, 99))
        self.assertEqual(client.codes(), [0, 0])
        self.stop(broker)
        self.start(self.broker())
        client = self.client()
        client.send(QueryConsumerOffset(GROUP, TOPIC, 0))
        (response,) = client.responses()
        self.assertEqual(response.offset, 1)

    def test_topics_are_restored(self) -> None:
        """A topic that has messages and is in no table is a topic again."""
        broker = self.broker()
        self.start(broker)
        self.client().send(sent(queue_id=2))
        self.stop(broker)
        os.unlink(f"{self.root}/config/topics.json")
        self.start(self.broker(auto_create_topic_enable=False))
        client = self.client()
        client.send(sent())
        self.assertEqual(client.codes(), [0])


class FeatureTests(ServiceCase):
    """What is installed into a broker."""

    def test_stages(self) -> None:
        """A feature's steps run in their stages; it started first, so it ends last."""
        seen: list[str] = []

        def install(name: str) -> Install:
            def feature(broker: Broker, router: Router) -> None:
                for stage in ("start", "drain", "stop"):
                    note = functools.partial(seen.append, f"{stage} {name}")
                    getattr(broker.lifecycle, f"on_{stage}").append(note)
                broker.lifecycle.on_connection_lost.append(
                    lambda peer: seen.append(f"lost {name}")
                )
                broker.periodic.every(1000, lambda: seen.append(f"tick {name}"))

            return feature

        broker = self.broker(features=(install("a"), install("b")))
        self.start(broker)
        self.assertEqual(seen, ["start a", "start b"])
        self.client().close()
        self.clock.advance(1)
        self.assertEqual(seen[2:], ["lost a", "lost b", "tick a", "tick b"])
        self.stop(broker)
        self.assertEqual(seen[6:], ["drain b", "drain a", "stop b", "stop a"])

    def test_guards_hold_on_both_ports(self) -> None:
        """A guard that a feature registers stands before the handlers of all others."""

        def install(_broker: Broker, router: Router) -> None:
            router.guard(refuse)

        def refuse(_request: object, _call: object) -> None:
            raise Refused(ResponseCode.NO_PERMISSION, "nobody may")

        self.start(self.broker(features=(*FEATURES, install)))
        for port in (10911, 10909):
            client = self.client(port)
            client.send(sent())
            self.assertEqual(client.codes(), [16])

    def test_one_cannot_start(self) -> None:
        """What a feature raises at the start is the reason; the others stop."""
        seen: list[str] = []

        def works(broker: Broker, _router: Router) -> None:
            broker.lifecycle.on_stop.append(lambda: seen.append("stopped"))

        def fails(broker: Broker, _router: Router) -> None:
            broker.lifecycle.on_start.append(refuse)

        def refuse() -> None:
            raise DamagedDocument("x.json", "it is empty")

        broker = self.broker(features=(works, fails))
        self.assertIsInstance(self.start(broker).value, DamagedDocument)
        self.stop(broker)
        self.assertEqual(seen, ["stopped"])

    def test_clients_are_forgotten(self) -> None:
        """A lost connection leaves its groups, and its held pulls are released."""
        self.start(self.broker())
        one, two = self.client(), self.client()
        one.send(Heartbeat(body=HEARTBEAT))
        two.send(Heartbeat(body=HEARTBEAT.replace(b'"c"', b'"d"')))
        one.send(GetConsumerList(GROUP))
        self.assertEqual(one.responses()[-1].body, b'{"consumerIdList":["c","d"]}')
        two.close()
        one.send(GetConsumerList(GROUP))
        self.assertEqual(one.responses()[-1].body, b'{"consumerIdList":["c"]}')


class RegistrationTests(ServiceCase):
    """What name servers learn of a broker."""

    def setUp(self) -> None:
        """Run a name server that notes what it is sent, and may be slow."""
        super().setUp()
        self.seen: list[Request[Any]] = []
        self.slow: list[Deferred[Response]] = []
        self.is_slow = False
        router = Router()
        router.on(RegisterBroker, self.register)
        router.on(UnregisterBroker, self.register)
        reactor = self.network.reactor("10.0.0.2")
        reactor.listenTCP(9876, RemotingServerFactory(router, self.clock))

    def register(
        self, request: Request[Any], _call: object
    ) -> Response | Deferred[Response]:
        """Note a request."""
        self.seen.append(request)
        if not self.is_slow:
            return RegisterResponse()
        self.slow.append(Deferred())
        return self.slow[-1]

    def test_from_start_to_stop(self) -> None:
        """It registers once it is started, and unregisters before its port closes."""
        broker = self.broker(name_servers=["10.0.0.2:9876"])
        self.start(broker)
        self.clock.advance(0)
        (request,) = self.seen
        self.assertEqual(request.broker_addr, "10.0.0.1:10911")
        self.assertEqual(request.ha_server_addr, "10.0.0.1:10912")
        self.is_slow = True
        stopped = broker.stopService()
        self.clock.advance(0)
        self.assertIsInstance(self.seen[-1], UnregisterBroker)
        self.client()
        self.slow.pop().callback(Response())
        self.clock.pump([0.1] * 20)
        self.successResultOf(stopped)

    def test_topic_is_known(self) -> None:
        """Who creates a topic has the response once the name servers know it."""
        self.start(self.broker(name_servers=["10.0.0.2:9876"]))
        self.clock.advance(0)
        self.is_slow = True
        client = self.client()
        client.send(
            CreateTopic(
                topic="T",
                default_topic="TBW102",
                read_queue_nums=4,
                write_queue_nums=4,
                perm=6,
                topic_filter_type="SINGLE_TAG",
            )
        )
        self.clock.advance(1)
        self.assertEqual(client.codes(), [])
        self.slow.pop().callback(RegisterResponse())
        self.clock.advance(0)
        self.assertEqual(client.codes(), [0])


class CannotStartTests(ServiceCase):
    """Each reason is an error that says it in a sentence."""

    def fails(self, kind: type[Exception], words: str, **settings: Any) -> None:
        """Expect a failure."""
        broker = self.broker(**settings)
        failure = self.start(broker)
        self.assertIsInstance(failure.value, kind)
        self.assertIn(words, str(failure.value))
        self.stop(broker)

    def test_ports_are_released(self) -> None:
        """A broker whose fast port is taken releases the main one at once."""
        taken = self.reactor.listenTCP(10909, Factory())
        broker = self.broker()
        self.assertIsInstance(self.start(broker).value, PortTaken)
        self.reactor.listenTCP(10911, Factory()).stopListening()
        taken.stopListening()
        self.stop(broker)

    def test_port_taken(self) -> None:
        """Nothing but the lock is touched then, and it is released."""
        for taken in (10911, 10909):
            port = self.reactor.listenTCP(taken, Factory())
            self.fails(PortTaken, f"port {taken} is in use")
            port.stopListening()
        self.assertEqual(os.listdir(self.root), ["lock"])
        self.assertIsNone(self.start(self.broker()))

    def test_locked(self) -> None:
        """Two brokers cannot use one folder; the second does not ask for ports."""
        self.assertIsNone(self.start(self.broker()))
        self.fails(StoreLocked, "another broker has this store open")

    def test_folder_is_a_file(self) -> None:
        """A file in the folder's place is named."""
        with open(self.root, "wb"):
            self.fails(StoreUnreadable, self.root)

    def test_log_of_a_wrong_size(self) -> None:
        """So is a file of the commit log."""
        self.write("commitlog/" + "0" * 20, bytes(999))
        self.fails(StoreUnreadable, "commitlog")

    def test_damaged_table(self) -> None:
        """So is a table; the next start is no recovery after a crash."""
        self.write("config/topics.json", b'{"topicConfigTable":{')
        self.fails(DamagedDocument, "topics.json cannot be used")
        self.clock.advance(1)
        self.assertFalse(os.path.exists(f"{self.root}/abort"))

    def test_no_table(self) -> None:
        """JSON that is something else is refused too."""
        self.write("config/topics.json", b'{"topicConfigTable":[1]}')
        self.fails(DamagedDocument, "topicConfigTable")

    def test_folder_in_a_files_place(self) -> None:
        """What the system says becomes a sentence with the path."""
        os.makedirs(f"{self.root}/config/consumerOffset.json")
        words = "consumerOffset.json cannot be read: Is a directory"
        self.fails(UnreadableDocument, words)

    def test_file_in_a_folders_place(self) -> None:
        """So is a file where the folder of the tables should be."""
        self.write("config", b"")
        self.fails(StoreUnreadable, "config: File exists")

    def test_failure_releases_the_folder(self) -> None:
        """Another broker may use the folder, though nobody stopped the failed one."""
        self.write("config/topics.json", b"{")
        self.assertIsInstance(self.start(self.broker()).value, DamagedDocument)
        os.unlink(f"{self.root}/config/topics.json")
        self.assertIsNone(self.start(self.broker(listen_port=10921)))

    def test_started_after_failure(self) -> None:
        """Once the reason is gone, the same folder works."""
        self.write("config/topics.json", b"{")
        broker = self.broker()
        self.assertIsInstance(self.start(broker).value, DamagedDocument)
        self.stop(broker)
        os.unlink(f"{self.root}/config/topics.json")
        self.assertIsNone(self.start(broker))


class StopTests(ServiceCase):
    """Ending."""

    def test_held_pulls_get_responses(self) -> None:
        """Pulls that wait get their responses before the connection is closed."""
        broker = self.broker()
        self.start(broker)
        client = self.client()
        client.send(sent())
        client.send(pulled(queue_offset=1, sys_flag=SUBSCRIPTION | SUSPEND))
        self.assertEqual(client.codes(), [0])
        stopped = broker.stopService()
        self.clock.advance(0)
        self.assertEqual(client.codes(), [19])
        self.assertFalse(client.connection.connected)
        self.successResultOf(stopped)

    def test_client_that_does_not_read(self) -> None:
        """A client that leaves its responses unread is cut off after 2 s."""
        broker = self.broker()
        self.start(broker)
        client = self.client()
        client.connection.transport.pauseProducing()
        client.send(sent())
        self.assertEqual(client.codes(), [])
        stopped = broker.stopService()
        self.clock.advance(1)
        self.assertNoResult(stopped)
        self.clock.advance(1)
        self.successResultOf(stopped)
        (failure,) = client.responses()
        self.assertIsInstance(failure.value, ConnectionLost)

    def test_nothing_lost(self) -> None:
        """After a stop the next start finds all, and needs no recovery."""
        broker = self.broker()
        self.start(broker)
        client = self.client()
        for _ in range(100):
            client.send(sent())
        self.assertEqual(client.codes(), [0] * 100)
        self.stop(broker)
        self.assertFalse(os.path.exists(f"{self.root}/abort"))
        self.assertIsNone(self.start(self.broker()))
        client = self.client()
        client.send(pulled(queue_offset=99))
        client.send(pulled(queue_offset=100))
        self.assertEqual(client.codes(), [0, 19])

    def test_again(self) -> None:
        """One service may be started again after it was stopped, many times."""
        broker = self.broker()
        for count in range(3):
            self.assertIsNone(self.start(broker))
            client = self.client()
            client.send(sent())
            client.send(pulled(queue_offset=count))
            self.assertEqual(client.codes(), [0, 0])
            self.stop(broker)

    def test_while_starting(self) -> None:
        """Stopping a broker that recovers ends the recovery, and is no failure."""
        self.leave_much_to_recover()
        broker = self.broker()
        broker.startService()
        assert broker.started is not None
        self.assertNoResult(broker.started)
        stopped = broker.stopService()
        self.assertNoResult(stopped)
        self.clock.advance(0)
        self.successResultOf(stopped)
        self.assertIsNone(self.successResultOf(broker.started))
        self.assertIsNone(self.start(self.broker()))

    def leave_much_to_recover(self) -> None:
        """Leave a log, as of a broker that was killed: more than one slice of work."""
        broker = self.broker()
        self.start(broker)
        client = self.client()
        for _ in range(10):
            client.send(sent(body=bytes(1 << 20)))
        self.assertEqual(client.codes(), [0] * 10)
        self.stop(broker)
        for name in set(os.listdir(self.root)) - {"commitlog"}:
            path = os.path.join(self.root, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        self.write("abort", b"")

    def test_nothing_left(self) -> None:
        """No timer runs on after the stop."""
        broker = self.broker()
        self.start(broker)
        self.stop(broker)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failed_document(self) -> None:
        """A table that could not be written is written some seconds later."""
        self.start(self.broker())
        self.clock.advance(0)
        path = f"{self.root}/config/topics.json"
        os.mkdir(path + ".tmp")
        client = self.client()
        client.send(sent(TOPIC))
        self.clock.advance(0)
        os.rmdir(path + ".tmp")
        self.clock.advance(10)
        with open(path, "rb") as file:
            self.assertIn(TOPIC.encode(), file.read())
