"""Tests of :mod:`rocketmq_tw.namesrv.ownership`."""

from __future__ import annotations

from typing import Any

from twisted.logger import capturedLogs, formatEvent

from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.registration import (
    BrokerHeartbeat,
    QueryDataVersion,
    UnregisterBroker,
    WipeWritePermission,
)

from .fixtures import CLUSTER, MASTER, REPLICA, Served, registration

UNREGISTER = UnregisterBroker("broker-a", MASTER, CLUSTER, 0)


class OwnershipTests(Served):
    """A broker that is connected, and peers that act for it."""

    def setUp(self) -> None:
        """Register the broker, and make a peer on another host."""
        super().setUp()
        self.register("A", "B")
        self.other = ConnectionPool(self.cluster.network.reactor("10.0.6.6"))

    def ask_elsewhere(self, request: Request[Any]) -> str | None:
        """Send a request from the other host; return the remark of a refusal."""
        asked = self.other.call(self.node.address, request)
        asked.addErrback(lambda failure: failure.value)
        self.cluster.advance()
        result = self.successResultOf(asked)
        return result.remark if isinstance(result, BrokerError) else None

    def addrs(self) -> dict[int, str]:
        """Return the addresses of the brokers."""
        group = self.service.table.groups.get("broker-a")
        return dict(group.addrs) if group else {}

    def test_wipe(self) -> None:
        """Nobody elsewhere lets producers leave a broker, unless that is allowed."""
        self.config.remote_administration = False
        wipe = WipeWritePermission("broker-a")
        self.assertIn("by its own host", self.ask_elsewhere(wipe) or "")
        self.assertEqual(self.service.table.queues["A"]["broker-a"].perm, 6)
        self.assertIsNone(self.ask_elsewhere(WipeWritePermission("unknown")))
        here = ConnectionPool(self.cluster.network.reactor(self.node.host))
        for pool in (self.pool, here):
            self.assertEqual(self.ask(wipe, pool).wipe_topic_count, 2)
        self.config.remote_administration = True
        self.assertIsNone(self.ask_elsewhere(wipe))

    def test_takeover(self) -> None:
        """Name and id, or the address, cannot be taken; both sides can log why."""
        for change in (
            {"broker_addr": REPLICA},
            {"broker_addr": REPLICA, "cluster_name": "X"},
            {"zone_name": "z"},
            {"broker_name": "broker-b"},
        ):
            remark = self.ask_elsewhere(registration("C", "D", **change))
            self.assertIn("is registered by 10.0.2.1:", remark or "accepted")
        self.assertEqual(self.addrs(), {0: MASTER})
        self.assertEqual(sorted(self.service.table.queues), ["A", "B"])

    def test_logged(self) -> None:
        """The name server logs a refusal, once for each host and minute."""
        with capturedLogs() as events:
            for _ in range(50):
                self.ask_elsewhere(registration("C", "D", broker_addr=REPLICA))
        [line] = [formatEvent(event) for event in events if "why" in event]
        self.assertIn("refused 10.0.6.6:", line)

    def test_unregister(self) -> None:
        """Other hosts cannot remove a broker, under whatever cluster name."""
        for cluster in (CLUSTER, "X"):
            request = UnregisterBroker("broker-a", MASTER, cluster, 0)
            self.assertIsNotNone(self.ask_elsewhere(request))
        self.assertEqual(self.addrs(), {0: MASTER})
        self.ask(UNREGISTER)
        self.assertEqual(self.addrs(), {})

    def test_kept_alive_by_others(self) -> None:
        """Requests of other hosts do not renew a broker's entry; its own host's do."""
        live = next(iter(self.service.table.live))
        seen = live.last_seen
        beat = BrokerHeartbeat(CLUSTER, MASTER, "broker-a")
        query = QueryDataVersion("broker-a", MASTER, CLUSTER, 0)
        for request in (beat, query):
            self.cluster.advance(1)
            self.assertIsNone(self.ask_elsewhere(request))
            self.assertEqual(live.last_seen, seen)
            self.ask(request, self.connect())
            self.assertGreater(live.last_seen, seen)
            seen = live.last_seen
        self.config.refuse_broker_takeover = False
        self.cluster.advance(1)
        self.ask_elsewhere(beat)
        self.assertGreater(live.last_seen, seen)

    def test_same_host(self) -> None:
        """A broker that connects again replaces and removes its own entry."""
        again = self.connect()
        self.register("A", "B", "C", pool=again)
        self.assertEqual(sorted(self.service.table.queues), ["A", "B", "C"])
        self.ask(UNREGISTER, again)
        self.assertEqual(self.addrs(), {})

    def test_second_broker_of_the_host(self) -> None:
        """Another one of the same host cannot take name and id, or the address."""
        other = self.connect()
        for change in ({"broker_addr": REPLICA}, {"broker_name": "broker-b"}):
            asked = other.call(self.node.address, registration("C", "D", **change))
            self.cluster.advance()
            error = self.failureResultOf(asked, BrokerError).value
            self.assertIn("is registered by 10.0.2.1:", error.remark or "")
        self.assertEqual(self.addrs(), {0: MASTER})

    def test_restarted_on_another_port(self) -> None:
        """A broker whose connection is lost can have another address."""
        self.pool.close_all()
        self.cluster.advance()
        self.register("A", "B", broker_addr=REPLICA, pool=self.connect())
        self.assertEqual(self.addrs(), {0: REPLICA})

    def test_gone(self) -> None:
        """A broker whose connection is lost can come back on another host."""
        self.pool.close_all()
        self.cluster.advance()
        self.assertIsNone(self.ask_elsewhere(registration("A", "B")))
        self.assertEqual(self.addrs(), {0: MASTER})

    def test_unused(self) -> None:
        """So can one whose connection was not used for a minute."""
        self.clock.advance(61)
        moved = registration("A", "B", broker_addr=REPLICA)
        self.assertIsNone(self.ask_elsewhere(moved))
        self.assertEqual(self.addrs(), {0: REPLICA})

    def test_replicas(self) -> None:
        """Another id of the name is free for another host."""
        replica = registration("A", "B", broker_addr=REPLICA, broker_id=1)
        self.assertIsNone(self.ask_elsewhere(replica))
        self.assertEqual(self.addrs(), {0: MASTER, 1: REPLICA})

    def test_allowed(self) -> None:
        """Where controllers elect masters, the setting lets the latest one win."""
        self.config.refuse_broker_takeover = False
        moved = registration("A", "B", broker_addr=REPLICA)
        self.assertIsNone(self.ask_elsewhere(moved))
        self.assertEqual(self.addrs(), {0: REPLICA})
