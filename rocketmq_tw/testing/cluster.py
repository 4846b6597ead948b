"""
A cluster in one process, on one clock: name servers, brokers and clients.

The parts are those of the real programs, made in the same way; only their reactors
differ. There are no sockets and no threads, time passes only when the test says so, and
a retry that is due in two hours comes in a millisecond::

    class OrderTests(SynchronousTestCase):
        def test_paid(self):
            cluster = MemoryCluster()
            cluster.start()
            self.addCleanup(cluster.stop)
            seen = []
            cluster.consumer("billing", "orders", lambda m: seen.append(m.body))
            cluster.result_of(cluster.producer().send(Message("orders", b"paid")))
            cluster.wait_until(lambda: seen)
            self.assertEqual(seen, [b"paid"])

In a function, ``with MemoryCluster() as cluster:`` starts and stops it.

**Faults.** :attr:`MemoryCluster.faults` cuts links and breaks connections. A node can
be killed and restarted, its disk can stall or fail, and its responses can be replaced:
see :mod:`~rocketmq_tw.testing.faults`, :mod:`~rocketmq_tw.testing.nodes`,
:mod:`~rocketmq_tw.testing.threads` and :mod:`~rocketmq_tw.testing.traffic`.

**Determinism.** Two runs of the same test do the same in the same order: the global
random generator is seeded at the start, and its state is restored at the stop. Only the
unique keys of messages differ, because they contain the process id and random bytes.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import Any, Self, TypeVar

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.config import BrokerRole
from rocketmq_tw.client.client import Client
from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.client.producer.producer import Producer
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.topic import PERM_READ, PERM_WRITE
from rocketmq_tw.testing.clocks import SettableClock
from rocketmq_tw.testing.faults import Faults
from rocketmq_tw.testing.inspection import Inspection
from rocketmq_tw.testing.network import MemoryNetwork
from rocketmq_tw.testing.nodes import BrokerNode, NameServerNode, Node
from rocketmq_tw.testing.timeline import Timeline
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.topic import CreateTopic

T = TypeVar("T")
A = TypeVar("A", bound=Response)

#: When the clock of a cluster starts: 2023-11-14 22:13:20 UTC.
NOW = 1_700_000_000.0
#: Bytes of messages that each broker keeps in memory.
MEMORY = 64 << 20


class MemoryCluster:
    """
    Name servers, brokers and clients in one process.

    :param name_servers: the number of name servers.
    :param brokers: how many (``broker-a``, ``broker-b``...), or their names.
    :param directory: where messages are kept in files; None keeps them in memory.
    :param broker_settings: fields of :class:`~rocketmq_tw.broker.config.BrokerConfig`
        for all brokers.
    :param name_server_settings: likewise, fields of
        :class:`~rocketmq_tw.namesrv.config.NamesrvConfig`.
    :param now: the time at the start, in seconds since the epoch.
    :param seed: the seed of the random generator.
    :ivar clock: the clock of all parts; the tested application may use it too. Its time
        of day can be set.
    :ivar network: their hosts and connections.
    :ivar faults: causes faults of the network.
    :ivar name_servers: the name servers, in order.
    :ivar brokers: the brokers by name, in order.
    :ivar clients: the clients created so far.
    """

    def __init__(
        self,
        *,
        name_servers: int = 1,
        brokers: int | Sequence[str] = 1,
        directory: str | None = None,
        broker_settings: Mapping[str, Any] | None = None,
        name_server_settings: Mapping[str, Any] | None = None,
        now: float = NOW,
        seed: int = 0,
    ) -> None:
        self.clock = SettableClock()
        self.clock.advance(now)
        self.network = MemoryNetwork(self.clock)
        self.faults = Faults(self.network)
        self.name_servers: list[NameServerNode] = []
        self.brokers: dict[str, BrokerNode] = {}
        self.clients: list[Client] = []
        self._timeline = Timeline(self.clock)
        self._seed = seed
        self._random_state: Any = None
        self._temporary = TemporaryDirectory(prefix="rocketmq-", dir=_in_memory())
        self._directory = directory
        self._offsets = os.path.join(directory or self._temporary.name, "offsets")
        self._inspection: Inspection | None = None
        for _ in range(name_servers):
            self._add_name_server(name_server_settings or {})
        names = (
            [f"broker-{chr(97 + i)}" for i in range(brokers)]
            if isinstance(brokers, int)
            else brokers
        )
        self._broker_settings = dict(broker_settings or {})
        for name in names:
            self.add_broker(name)

    def _add_name_server(self, settings: Mapping[str, Any]) -> None:
        number = len(self.name_servers) + 1
        name = f"name-server-{number}"
        self.name_servers.append(
            NameServerNode(
                name=name,
                host=f"10.0.0.{number}",
                network=self.network,
                timeline=self._timeline,
                directory=os.path.join(self._directory or self._temporary.name, name),
                settings=settings,
            )
        )

    @property
    def name_server_addresses(self) -> list[str]:
        """The addresses of the name servers, for clients."""
        return [node.address for node in self.name_servers]

    @property
    def broker(self) -> BrokerNode:
        """The first broker."""
        return next(iter(self.brokers.values()))

    @property
    def nodes(self) -> list[Node]:
        """All name servers and brokers."""
        return [*self.name_servers, *self.brokers.values()]

    def add_broker(self, name: str, **settings: Any) -> BrokerNode:
        """
        Add a broker; call its ``start()`` if the cluster is running already.

        :param settings: its own settings, which override those of all brokers.
        """
        node = self.brokers[name] = BrokerNode(
            name=name,
            host=f"10.0.1.{len(self.brokers) + 1}",
            network=self.network,
            timeline=self._timeline,
            directory=os.path.join(self._directory or self._temporary.name, name),
            name_servers=self.name_server_addresses,
            memory=MEMORY if self._directory is None else 0,
            settings={**self._broker_settings, **settings},
        )
        return node

    def add_slave(self, of: str, broker_id: int = 1, **settings: Any) -> BrokerNode:
        """
        Add a slave of a broker; its node is called ``broker-a-1``, after both.

        Call its ``start()`` if the cluster is running already.

        :param of: the name of the master.
        """
        return self.add_broker(
            f"{of}-{broker_id}",
            broker_name=of,
            broker_id=broker_id,
            broker_role=BrokerRole.SLAVE,
            **settings,
        )

    # -- life

    def start(self) -> Self:
        """Start all servers, and wait until the brokers are registered."""
        self._random_state = random.getstate()
        random.seed(self._seed)
        for node in self.nodes:
            node.start()
        self.advance()
        return self

    def stop(self) -> None:
        """
        Stop everything in order: clients first, name servers last.

        Afterwards nothing of the cluster is scheduled on the clock.
        """
        self.faults.heal_all()
        clients, self.clients = self.clients, []
        for client in clients:
            self.result_of(client.stop())
        if self._inspection is not None:
            self.result_of(self._inspection.stop())
            self._inspection = None
        for node in reversed(self.nodes):
            node.threads.fail_with(None)
            node.threads.release()
            node.stop()
        self.advance()
        if self._random_state is not None:
            random.setstate(self._random_state)
            self._random_state = None
        self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    # -- time

    def advance(self, seconds: float = 0.0) -> None:
        """
        Let time pass; every timer runs when it is due, including those set meanwhile.
        """
        self._timeline.advance(seconds)

    def wait_until(self, condition: Callable[[], object], within: float = 60.0) -> None:
        """
        Let time pass until a condition is true.

        :raises NoResult: it is not true after ``within`` seconds.
        """
        self._timeline.wait_until(condition, within)

    def result_of(
        self, awaited: Deferred[T] | Coroutine[Any, Any, T], within: float = 60.0
    ) -> T:
        """
        Let time pass until a Deferred or coroutine has its result, and return it.

        :raises NoResult: there is none after ``within`` seconds.
        :raises Exception: the exception with which it failed.
        """
        return self._timeline.result_of(awaited, within)

    # -- clients

    def client(self, **options: Any) -> Client:
        """Create a client on its own host, and start it."""
        client = self.make_client(**options)
        client.startService()
        return client

    def make_client(self, **options: Any) -> Client:
        """
        Create a client without starting it; the cluster stops it nevertheless.

        :param options: see :class:`~rocketmq_tw.client.client.Client`.
        """
        number = len(self.clients) + 1
        options.setdefault("client_id", f"client-{number}")
        options.setdefault("config", ClientConfig(offset_directory=self._offsets))
        reactor = self.network.reactor(f"10.0.2.{number}")
        names = options.pop("name_servers", self.name_server_addresses)
        client = Client(reactor, names, **options)
        self.clients.append(client)
        return client

    def producer(self, group: str = "producers", **options: Any) -> Producer:
        """
        Create a producer with its own client.

        :param options: see
            :class:`~rocketmq_tw.client.producer.config.ProducerConfig`.
        """
        return self.client().producer(group, **options)

    def consumer(
        self,
        group: str,
        topic: str,
        handler: Callable[..., Any],
        expression: str = "*",
        **options: Any,
    ) -> PushConsumer:
        """
        Start a consumer with its own client, as another member of the group.

        Its queues are assigned when this returns. A new group starts at the end of the
        queues, as in a real cluster; ``start_from=EARLIEST`` reads existing messages.

        :param handler: called with each message.
        :param options: see
            :class:`~rocketmq_tw.client.consumer.config.ConsumerConfig`.
        """
        consumer = self.client().push_consumer(group, **options)
        consumer.subscribe(topic, expression, handler)
        self.result_of(consumer.start())
        return consumer

    # -- topics and messages

    def create_topic(
        self,
        topic: str,
        queues: int | Mapping[str, int] = 4,
        perm: int = PERM_READ | PERM_WRITE,
    ) -> None:
        """
        Create a topic; it is registered with the name servers when this returns.

        :param queues: the number on each broker, or a number for each broker name.
        """
        counts = (
            dict.fromkeys(self._masters(), queues)
            if isinstance(queues, int)
            else queues
        )
        for name, count in counts.items():
            request = CreateTopic(
                topic=topic, read_queue_nums=count, write_queue_nums=count, perm=perm
            )
            self.call(self.brokers[name], request)

    def _masters(self) -> list[str]:
        """Return the names of the brokers that are no slaves."""
        return [name for name, node in self.brokers.items() if not node.config.is_slave]

    def messages(self, topic: str) -> list[StoredMessage]:
        """
        Read all messages of a topic, queue by queue.

        For example the dead letters of a group: ``cluster.messages("%DLQ%billing")``.
        An unknown topic has no messages.
        """
        return self.result_of(self._inspect().messages(topic))

    def call(self, node: Node, request: Request[A], timeout: float = 3.0) -> A:
        """
        Send one request to a node, and return its response.

        :raises BrokerError: the node refuses it.
        """
        return self.result_of(self._inspect().call(node.address, request, timeout))

    def _inspect(self) -> Inspection:
        if self._inspection is None:
            reactor = self.network.reactor("10.0.3.1")
            self._inspection = Inspection(reactor, self.name_server_addresses)
        return self._inspection


def _in_memory() -> str | None:
    """Return a directory in memory, where files take no time; None if there is none."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
