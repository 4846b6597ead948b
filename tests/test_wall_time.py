"""
The time of day is set while a cluster runs: nothing stops, and nothing is cut.

Each family of timers and ages has a test, which runs with the clock set back and set
forward by ten minutes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.client import EARLIEST
from rocketmq_tw.client.producer.results import SendResult, SendStatus
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.testing.cluster import NOW
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.bodies.locks import LockBatchRequestBody
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from rocketmq_tw.wire.requests.lock import LockQueues
from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, SUSPEND
from rocketmq_tw.wire.requests.registration import RegisterBroker
from tests.broker.cases import pulled

TEN_MINUTES = 600.0


class WallTimeCase(SynchronousTestCase):
    """
    Runs a cluster with a topic.

    :cvar shift: by how much a test sets the clock, in seconds.
    :cvar settings: of the broker.
    """

    shift = -TEN_MINUTES
    settings: dict[str, Any] = {}

    def setUp(self) -> None:
        """Start the cluster."""
        self.cluster = MemoryCluster(
            directory=os.path.abspath(self.mktemp()), broker_settings=self.settings
        )
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("orders")

    def set_clock(self) -> None:
        """Set the time of day."""
        self.cluster.clock.shift_wall_time(self.shift)

    def send(self, body: bytes = b"x", **options: Any) -> Any:
        """Send a message and return the result."""
        producer = self.cluster.producer()
        return self.cluster.result_of(producer.send(Message("orders", body, **options)))

    def consumed(self, **options: Any) -> list[float]:
        """Start a consumer; return the list of the times at which messages come."""
        times: list[float] = []
        self.cluster.consumer(
            "billing", "orders", lambda _: times.append(self.elapsed), **options
        )
        return times

    @property
    def elapsed(self) -> float:
        """How long the cluster has run, in seconds."""
        return self.cluster.clock.seconds() - NOW


class BrokerTests(WallTimeCase):
    """The timers and ages of a broker."""

    def test_held_pull(self) -> None:
        """A pull that is held gets its response at its deadline."""
        pool = self.cluster.client().session.pool
        flags = SUSPEND | SUBSCRIPTION
        asked = pulled("orders", sys_flag=flags, suspend_timeout_millis=5000)
        response = pool.call(self.cluster.broker.address, asked, timeout=30.0)
        begin = self.elapsed
        self.cluster.advance(1)
        self.set_clock()
        failure = self.cluster.result_of(response.addErrback(lambda f: f))
        self.assertTrue(5.0 <= self.elapsed - begin <= 6.0, failure)

    def test_message_wakes_a_held_pull(self) -> None:
        """A consumer that waits gets the next message at once."""
        times = self.consumed()
        self.cluster.advance(20)
        self.set_clock()
        begin = self.elapsed
        self.send()
        self.cluster.wait_until(lambda: times)
        self.assertLess(times[0] - begin, 0.1)

    def test_members(self) -> None:
        """Nobody with a heartbeat is removed; one without is, after two minutes."""
        self.consumed()
        self.cluster.advance(5)
        self.set_clock()
        self.cluster.advance(60)
        self.assertEqual(len(self.members()), 1)
        self.cluster.broker.traffic.ignore(Heartbeat)
        self.cluster.advance(80)
        self.assertEqual(len(self.members()), 1)
        self.cluster.wait_until(lambda: not self.members(), within=60)

    def members(self) -> list[str]:
        """Return the client ids of the consumer group."""
        clients: ClientTable = self.cluster.broker.service._tables.clients
        return clients.client_ids("billing")

    def test_locks(self) -> None:
        """A lock on a queue lasts a minute."""
        self.assertEqual((self.lock("one"), self.lock("two")), (1, 0))
        self.set_clock()
        self.cluster.advance(50)
        self.assertEqual(self.lock("two"), 0)
        self.cluster.advance(15)
        self.assertEqual(self.lock("two"), 1)

    def lock(self, client_id: str) -> int:
        """Lock a queue; return how many the client has."""
        broker = self.cluster.broker
        queues = frozenset([MessageQueue("orders", broker.name, 0)])
        asked = LockBatchRequestBody("billing", client_id, queues)
        response = self.cluster.call(broker, LockQueues(body=asked.encode()))
        return response.body.count(b"orders")

    def test_offsets(self) -> None:
        """Committed offsets are written every few seconds."""
        times = self.consumed(start_from=EARLIEST)
        self.send()
        self.cluster.wait_until(lambda: times)
        self.set_clock()
        self.cluster.advance(15)
        folder = Path(self.cluster.broker.directory)
        (path,) = folder.rglob("consumerOffset.json")
        self.assertIn("orders@billing", path.read_text())

    def test_flush(self) -> None:
        """What is stored is on disk within the interval of flushing."""
        store = self.cluster.broker.service._store
        self.set_clock()
        self.send()
        self.assertLess(store._flush.flushed, store.commit_log_max)
        self.cluster.advance(11)
        self.assertEqual(store._flush.flushed, store.commit_log_max)

    def test_delay(self) -> None:
        """What is sent with a delay after the clock was set comes after that delay."""
        times = self.consumed()
        self.cluster.advance(5)
        self.set_clock()
        begin = self.elapsed
        self.send(delay_level=3)
        self.cluster.wait_until(lambda: times)
        self.assertTrue(10.0 <= times[0] - begin <= 10.3)

    def test_statistics(self) -> None:
        """The broker is as old as it is, and shows the rates of the last minute."""
        self.cluster.advance(60)
        self.set_clock()
        self.send()
        self.cluster.advance(10)
        shown = self.cluster.call(self.cluster.broker, GetRuntimeInfo())
        table = KVTable.decode(shown.body).table
        runtime = "[ 0 days, 0 hours, 1 minutes, 10 seconds ]"
        self.assertEqual(table["runtime"], runtime)
        self.assertEqual(table["putTps"].split()[0], "0.1")

    def test_store_time(self) -> None:
        """Messages bear the time of day."""
        self.set_clock()
        self.send()
        (message,) = self.cluster.messages("orders")
        now_ms = self.cluster.clock.wall_seconds() * 1000
        self.assertTrue(now_ms - 5000 <= message.store_time_ms <= now_ms)
        self.assertTrue(now_ms - 5000 <= message.born_time_ms <= now_ms)


class SynchronousFlushTests(WallTimeCase):
    """Sends that wait for the disk."""

    settings = {"flush_disk_type": FlushDiskType.SYNC_FLUSH}

    def test_timeout(self) -> None:
        """A send that waits for a disk that hangs is answered at its timeout."""
        sending = self.hang()
        self.cluster.advance(1)
        self.set_clock()
        result = self.cluster.result_of(sending, within=5.0)
        self.assertIs(result.status, SendStatus.FLUSH_DISK_TIMEOUT)
        self.cluster.broker.threads.release()

    def hang(self) -> Deferred[SendResult]:
        """Send while the disk hangs."""
        producer = self.cluster.producer(timeout=30.0)
        self.cluster.result_of(producer.send(Message("orders", b"first")))
        self.cluster.broker.threads.hold()
        return producer.send(Message("orders", b"x"))


class ConnectionTests(WallTimeCase):
    """Connections, and who registers over them."""

    def test_connections(self) -> None:
        """No connection is cut, and requests get their responses."""
        self.send()
        self.cluster.advance(10)
        links = set(self.cluster.network.links)
        self.set_clock()
        self.cluster.advance(20)
        self.send()
        self.assertLessEqual(links, set(self.cluster.network.links))

    def test_idle(self) -> None:
        """A connection without traffic is closed after two minutes."""
        closed: list[float] = []
        pool = ConnectionPool(self.cluster.network.reactor("10.9.9.9"), idle_timeout=0)
        connection = self.cluster.result_of(
            pool.connection(self.cluster.broker.address)
        )
        begin = self.elapsed
        connection.on_lost.append(lambda _: closed.append(self.elapsed - begin))
        self.cluster.advance(10)
        self.set_clock()
        self.cluster.wait_until(lambda: closed, within=200)
        self.assertTrue(119 <= closed[0] <= 121)

    def test_registration(self) -> None:
        """A broker registers as before, and the name server keeps it."""
        self.set_clock()
        traffic = self.cluster.name_servers[0].traffic
        traffic.clear()
        self.cluster.advance(61)
        self.assertEqual(len(traffic.requests(RegisterBroker)), 2)
        self.cluster.result_of(self.cluster.client().route("orders"))

    def test_new_topic(self) -> None:
        """A new topic is registered at once."""
        self.set_clock()
        self.cluster.create_topic("new")
        self.cluster.result_of(self.cluster.client().route("new"), within=1.0)

    def test_silent_broker(self) -> None:
        """A broker that no longer registers is removed after two minutes."""
        server = self.cluster.name_servers[0]
        self.cluster.faults.silence(self.cluster.broker, server)
        self.cluster.faults.refuse(server)
        self.cluster.advance(5)
        self.set_clock()
        self.cluster.advance(80)
        self.assertIn("broker-a", server.service.table.groups)
        self.cluster.wait_until(lambda: not server.service.table.groups, within=120)


class ClientTests(WallTimeCase):
    """The timers and ages of a client."""

    def test_heartbeats(self) -> None:
        """Heartbeats are sent every 30 s, and at most a tenth later."""
        self.consumed()
        self.cluster.advance(1)
        self.set_clock()
        self.cluster.broker.traffic.clear()
        self.cluster.advance(66)
        sent = self.cluster.broker.traffic.requests(Heartbeat)
        self.assertGreaterEqual(len(sent), 2)

    def test_timeout(self) -> None:
        """A request without a response fails at its timeout."""
        pool, broker = self.cluster.client().session.pool, self.cluster.broker
        broker.traffic.ignore(Heartbeat)
        failed: list[float] = []
        begin = self.elapsed
        call = pool.call(broker.address, Heartbeat(body=b"{}"), 3.0)
        call.addErrback(lambda _: failed.append(self.elapsed - begin))
        self.set_clock()
        self.cluster.wait_until(lambda: failed)
        self.assertEqual(failed, [3.0])


class BrokerSetForwardTests(BrokerTests):
    """The same with the clock set forward."""

    shift = TEN_MINUTES


class SynchronousFlushSetForwardTests(SynchronousFlushTests):
    """The same with the clock set forward."""

    shift = TEN_MINUTES


class ConnectionSetForwardTests(ConnectionTests):
    """The same with the clock set forward."""

    shift = TEN_MINUTES


class ClientSetForwardTests(ClientTests):
    """The same with the clock set forward."""

    shift = TEN_MINUTES
