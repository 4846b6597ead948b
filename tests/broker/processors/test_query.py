"""Tests of looking at single messages, by offset and by key."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.wire import record
from rocketmq_tw.wire.fields import to_ext
from rocketmq_tw.wire.requests.message import QueryMessage, QueryResponse, ViewMessage
from tests.broker.cases import TOPIC, BrokerCase, sent

#: The largest time that a request can name.
EVER = (1 << 63) - 1


class QueryProcessorTests(BrokerCase):
    """A record is found by its commit log offset."""

    def test_gives_the_record(self) -> None:
        """The response's body is the record as it is stored."""
        offset = self.stored(sent(body=b"one")).commit_log_offset
        self.ask(sent(body=b"two"))
        response = self.ask(ViewMessage(offset, TOPIC))
        self.assertEqual(response.body, self.store.record_at(offset))
        self.assertEqual(record.decode(response.body).body, b"one")

    def test_refuses_offsets_without_record(self) -> None:
        """Where no record begins, the response is 1 with the reason."""
        self.ask(sent())
        for offset in (-1, 5, self.store.commit_log_max):
            self.refused(1, str(offset), ViewMessage(offset))


class QueryByKeyTests(BrokerCase):
    """Messages are found by their key."""

    def setUp(self) -> None:
        """Store two messages with the key, and one with another."""
        super().setUp()
        for body, key in ((b"one", "k"), (b"other", "K"), (b"two", "k")):
            self.ask(sent(body=body, properties=f"KEYS\x01{key}\x02"))

    def query(self, key: str = "k", **ext: str) -> QueryResponse:
        """Ask with the fields as they stand on the wire."""
        request = QueryMessage(
            topic=TOPIC, key=key, max_num=10, begin_timestamp=0, end_timestamp=EVER
        )
        response: QueryResponse = self.successResultOf(self.ask(request, ext))
        return response

    def test_tags(self) -> None:
        """With the type T the key is a tag; it is no key without."""
        self.ask(sent(body=b"tagged", properties="TAGS\x01k\x02KEYS\x01x\x02"))
        self.ask(sent(body=b"not", properties="TAGS\x01kk\x02KEYS\x01x\x02"))
        self.clock.pump([0.5] * 4)
        tagged = [each.body for each in self.found(self.query(indexType="T"))]
        self.assertEqual(tagged, [b"tagged"])
        for kind in ("K", ""):
            keyed = [each.body for each in self.found(self.query(indexType=kind))]
            self.assertEqual(keyed, [b"one", b"two"])

    def found(self, response: QueryResponse) -> list[StoredMessage]:
        """Decode the messages of a response."""
        return list(record.decode_all(response.body))

    def test_records_back_to_back(self) -> None:
        """The body is the records; the fields tell how far the index is."""
        self.clock.pump([0.5] * 4)
        response = self.query()
        found = self.found(response)
        self.assertEqual([each.body for each in found], [b"one", b"two"])
        expected = {
            "indexLastUpdateTimestamp": str(found[1].store_time_ms),
            "indexLastUpdatePhyoffset": str(found[1].commit_log_offset),
        }
        self.assertEqual((response.status, to_ext(response)), (0, expected))

    def test_nothing(self) -> None:
        """Nothing found is 22."""
        self.clock.pump([0.5] * 4)
        response = self.query("unknown")
        self.assertEqual((response.status, response.body), (22, b""))

    def test_limits(self) -> None:
        """At most 64 are looked for; 32 for a unique key, whatever is asked."""
        text = "KEYS\x01many\x02UNIQ_KEY\x01U\x02"
        for _ in range(70):
            self.ask(sent(properties=text))
        self.clock.pump([0.5] * 4)
        for key, ext, count in (
            ("many", {"maxNum": "1000"}, 64),
            ("many", {"maxNum": "1", "_UNIQUE_KEY_QUERY": "false"}, 1),
            ("U", {"maxNum": "1", "_UNIQUE_KEY_QUERY": "true"}, 32),
        ):
            self.assertEqual(len(self.found(self.query(key, **ext))), count, ext)


class NoIndexTests(BrokerCase):
    """A broker that keeps no index."""

    settings: dict[str, Any] = {"message_index_enable": False}

    def test_says_why(self) -> None:
        """The response is 22, with the reason."""
        request = QueryMessage(
            topic=TOPIC, key="k", max_num=10, begin_timestamp=0, end_timestamp=EVER
        )
        response = self.successResultOf(self.ask(request))
        self.assertEqual(response.status, 22)
        self.assertIn("messageIndexEnable", response.remark)
