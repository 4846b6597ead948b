"""Tests of what a broker does before it registers."""

from __future__ import annotations

from typing import Any

from twisted.logger import capturedLogs

from rocketmq_tw.wire.requests.offset import (
    GetAllConsumerOffset,
    UpdateConsumerOffset,
)
from rocketmq_tw.wire.requests.registration import RegisterBroker
from rocketmq_tw.wire.requests.replication import ExchangeHaInfo
from tests.broker.slave.test_acting import ActingCase


class PreOnlineTests(ActingCase):
    """A master and a slave that wait for one another."""

    settings: dict[str, Any] = {**ActingCase.settings, "total_replicas": 2}

    def commit(self, node: Any, offset: int, group: str = "G") -> None:
        """Commit an offset of queue 0."""
        self.cluster.call(node, UpdateConsumerOffset(group, "T", 0, offset))

    def master_offsets(self) -> dict[str, dict[str, dict[int, int]]]:
        """Return the offsets in the table of the master, by group."""
        offsets = self.master.service._tables.offsets
        return {group: offsets.of_group(group) for group in ("G", "H")}

    def registrations(self) -> int:
        """Return how often the master has registered."""
        (name_server,) = self.cluster.name_servers
        requests = name_server.traffic.requests(RegisterBroker)
        return len([each for each in requests if each.broker_id == 0])

    def away(self) -> None:
        """Let the master be away for a while."""
        self.commit(self.master, 3)
        self.commit(self.master, 9, group="H")
        self.cluster.advance(15)
        self.master.kill()
        self.cluster.advance(15)

    def test_progress_is_taken_over(self) -> None:
        """The master has what was committed at the slave before it registers."""
        self.away()
        self.commit(self.slave, 5)
        before = self.registrations()
        self.master.start()
        self.cluster.wait_until(lambda: self.registrations() > before)
        expected = {"G": {"T": {0: 5}}, "H": {"T": {0: 9}}}
        self.assertEqual(self.master_offsets(), expected)
        self.cluster.advance(15)
        self.assertEqual(self.master_offsets(), expected)

    def test_nothing_is_lost(self) -> None:
        """An offset that the slave has not heard of stays."""
        self.cluster.advance(1)
        self.commit(self.master, 3)
        self.cluster.advance(15)
        self.commit(self.master, 7)
        self.master.stop()
        self.cluster.advance(2)
        self.master.start()
        self.cluster.advance(2)
        self.assertEqual(self.master_offsets()["G"], {"T": {0: 7}})

    def test_waits_for_the_slave(self) -> None:
        """It is not registered before, however long that takes."""
        self.away()
        self.slave.traffic.ignore(ExchangeHaInfo)
        before = self.registrations()
        with capturedLogs() as events:
            self.master.start()
            self.cluster.advance(20)
            self.assertEqual(self.registrations(), before)
        text = " ".join(event["log_format"] for event in events)
        self.assertEqual(text.count("not ready to register"), 1)
        self.slave.traffic.restore()
        self.cluster.advance(5)
        self.assertGreater(self.registrations(), before)

    def test_slave_is_gone_too(self) -> None:
        """A master that finds nobody registers at once."""
        self.away()
        self.slave.kill()
        self.cluster.advance(1)
        before = self.registrations()
        self.master.start()
        self.cluster.advance(0.5)
        self.assertGreater(self.registrations(), before)

    def test_slave_waits_for_the_master(self) -> None:
        """A slave registers once it follows its master."""
        self.slave.stop()
        self.cluster.advance(1)
        self.slave.start()
        self.cluster.advance(2)
        self.assertTrue(self.slave.service._replication.status().follows.is_connected)
        self.send(b"1")
        self.assertFalse(self.acting)

    def test_stopped_meanwhile(self) -> None:
        """A broker that waits can be stopped; no timer is left."""
        self.away()
        self.slave.traffic.ignore(ExchangeHaInfo)
        self.master.start()
        self.cluster.advance(2)
        self.master.stop()
        self.assertEqual(self.flushLoggedErrors(), [])
        assert self.master.reactor is not None
        self.assertEqual(self.master.reactor.getDelayedCalls(), [])

    def test_asked(self) -> None:
        """The offsets of the slave are asked for once."""
        self.away()
        self.slave.traffic.clear()
        self.master.start()
        self.cluster.advance(5)
        self.assertEqual(len(self.slave.traffic.requests(GetAllConsumerOffset)), 1)
