"""Tests of installing sends: what of the broker's settings reaches them."""

from __future__ import annotations

import time

from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.wire.requests.send import SendBack
from tests.broker.cases import GROUP, BrokerCase, sent
from tests.broker.send.test_batch import batched
from tests.store.cases import NOW


class SettingsTests(BrokerCase):
    """A broker whose settings are not the defaults."""

    settings = {
        "broker_cluster_name": "Cluster",
        "region_id": "Region",
        "trace_on": False,
        "max_message_size": 100,
        "message_delay_level": "1s 2s",
    }

    def test_added_properties(self) -> None:
        """Each message says where it was stored; the response does too."""
        expected = {"CLUSTER": "Cluster", "MSG_REGION": "Region", "TRACE_ON": "false"}
        found = self.stored(sent()).properties
        self.assertLessEqual(expected.items(), found.items())
        response = self.ask(sent())
        self.assertEqual((response.region, response.trace_on), ("Region", "false"))

    def test_largest_message(self) -> None:
        """The limit holds for single messages and for each of a batch."""
        self.assertEqual(self.ask(sent(body=bytes(100))).status, 0)
        self.refused(13, "at most 100", sent(body=bytes(101)))
        self.refused(13, "at most 100", batched(bytes(101)))

    def test_delay_levels(self) -> None:
        """There are as many as the setting has, for both requests."""
        message = self.stored(sent(properties="DELAY\x019\x02"))
        self.assertEqual(message.queue_id, 1)
        back = SendBack(group=GROUP, offset=message.commit_log_offset, delay_level=9)
        self.assertEqual(self.stored(back).queue_id, 1)

    def test_unique_keys(self) -> None:
        """A key has the broker's address and the time since the month began."""
        key = bytes.fromhex(self.stored(sent()).properties["UNIQ_KEY"])
        today = time.localtime(NOW)
        month = time.mktime((today.tm_year, today.tm_mon, 1, 0, 0, 0, 0, 0, -1))
        self.assertEqual(key[:4], bytes([10, 0, 0, 1]))
        self.assertEqual(int.from_bytes(key[10:14], "big"), int(NOW - month) * 1000)


class SyncFlushTests(BrokerCase):
    """A broker that flushes before it responds."""

    settings = {"flush_disk_type": FlushDiskType.SYNC_FLUSH}

    def test_waits(self) -> None:
        """The response comes with the end of the reactor iteration."""
        response = self.ask(sent())
        self.assertNoResult(response)
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(response).status, 0)
