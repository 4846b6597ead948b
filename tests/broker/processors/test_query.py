"""Tests of looking at single messages."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.processors.query import QueryProcessor
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.requests.message import ViewMessage
from tests.broker.doubles import MemoryQueues, call


class QueryProcessorTests(SynchronousTestCase):
    """A record is given by its place in the commit log."""

    def setUp(self) -> None:
        """Make a store with one record."""
        store = MemoryQueues()
        store.records[200] = b"record"
        self.processor = QueryProcessor(store)

    def test_gives_the_record(self) -> None:
        """The answer's body is the record as it is stored."""
        answer = self.processor.view(ViewMessage(200, "T"), call())
        self.assertEqual(answer.body, b"record")

    def test_refuses_places_without_record(self) -> None:
        """Where no record begins, the answer is 1 with the reason."""
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
