"""Tests of looking at single messages, by place and by key."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.processors.query import QueryProcessor
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.interfaces import Queried
from rocketmq_tw.wire.fields import from_ext, to_ext
from rocketmq_tw.wire.requests.message import QueryMessage, QueryResponse, ViewMessage
from tests.broker.doubles import MemoryQueues, call


class QueryProcessorTests(SynchronousTestCase):
    """A record is given by its place in the commit log."""

    def setUp(self) -> None:
        """Make a store with one record."""
        store = MemoryQueues()
        store.records[200] = b"record"
        self.processor = QueryProcessor(config=BrokerConfig(), store=store)

    def test_gives_the_record(self) -> None:
        """The response's body is the record as it is stored."""
        response = self.processor.view(ViewMessage(200, "T"), call())
        self.assertEqual(response.body, b"record")

    def test_refuses_places_without_record(self) -> None:
        """Where no record begins, the response is 1 with the reason."""
        for offset in (-1, 100):
            error = self.assertRaises(
                Refused, self.processor.view, ViewMessage(offset), call()
            )
            self.assertEqual(error.code, 1)
            self.assertIn(str(offset), error.remark)

    def test_takes_its_request(self) -> None:
        """The router knows who handles the code."""
        router = Router()
        self.processor.routes(router)
        self.assertIsNotNone(router.find(33))
        self.assertIsNotNone(router.find(12))


class _Index(MemoryQueues):
    """A store that responds to every query alike, and remembers what was asked."""

    def __init__(self, found: Queried) -> None:
        super().__init__()
        self.found = found
        self.asked: list[tuple[object, ...]] = []

    def query(self, *wanted: object) -> Deferred[Queried]:
        """Give the response."""
        self.asked.append(wanted)
        return succeed(self.found)


class QueryByKeyTests(SynchronousTestCase):
    """Messages are given by their key."""

    def ask(self, index: _Index, **ext: str) -> QueryResponse:
        """Send the fields as they stand on the wire."""
        ext = {
            "topic": "T",
            "key": "k",
            "maxNum": "10",
            "beginTimestamp": "0",
            "endTimestamp": str((1 << 63) - 1),
            **ext,
        }
        processor = QueryProcessor(config=BrokerConfig(), store=index)
        response = processor.query(from_ext(QueryMessage, ext), call())
        return self.successResultOf(response)

    def test_records_back_to_back(self) -> None:
        """The body is the records; the fields tell how far the index is."""
        index = _Index(Queried([b"one", b"two"], 1000, 7))
        response = self.ask(index)
        self.assertEqual((response.status, response.body), (0, b"onetwo"))
        self.assertEqual(
            to_ext(response),
            {"indexLastUpdateTimestamp": "1000", "indexLastUpdatePhyoffset": "7"},
        )
        self.assertEqual(index.asked, [("T", "k", 10, 0, (1 << 63) - 1, False)])

    def test_nothing(self) -> None:
        """Nothing found is 22, with the reason if there is one."""
        response = self.ask(_Index(Queried([])))
        self.assertEqual(response.status, 22)
        response = self.ask(_Index(Queried([], gap="it is being made")))
        self.assertIn("it is being made", response.remark or "")

    def test_limits(self) -> None:
        """At most 64 are looked for; 32 for a unique key, whatever is asked."""
        index = _Index(Queried([]))
        self.ask(index, maxNum="1000")
        self.ask(index, maxNum="1", _UNIQUE_KEY_QUERY="true")
        self.ask(index, maxNum="1", _UNIQUE_KEY_QUERY="false")
        self.assertEqual([each[2] for each in index.asked], [64, 32, 1])
        self.assertEqual([each[5] for each in index.asked], [False, True, False])
