"""Where a group starts on a queue it never read."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.offsets.start import (
    EARLIEST,
    LATEST,
    consume_from,
    first_offset,
)
from rocketmq_tw.model.group import ConsumeFrom
from rocketmq_tw.wire.requests.offset import (
    GetMaxOffset,
    GetMinOffset,
    OffsetResponse,
    SearchOffset,
)
from tests.client.fakes import FakeSession, queues


class FirstOffsetTests(SynchronousTestCase):
    """Where a group starts on a queue it never read."""

    def _start(self, topic: str, start: object) -> tuple[int, str]:
        """Give the offset and the request that was sent."""
        session = FakeSession({topic: 1})
        session.brokers.responses = {
            GetMinOffset: OffsetResponse(offset=-1),
            GetMaxOffset: OffsetResponse(offset=100),
            SearchOffset: lambda r: OffsetResponse(offset=r.timestamp // 1000),
        }
        queue = queues(topic, 1)[0]
        found = first_offset(session.brokers, queue, start)  # type: ignore[arg-type]
        return self.successResultOf(found), type(session.brokers.calls[0][1]).__name__

    def test_table(self) -> None:
        """Ordinary topics follow the option; retry topics are read whole."""
        when = datetime.fromtimestamp(50, UTC)
        self.assertEqual(self._start("T", LATEST), (100, "GetMaxOffset"))
        self.assertEqual(self._start("T", EARLIEST), (0, "GetMinOffset"))
        self.assertEqual(self._start("T", when), (50, "SearchOffset"))
        self.assertEqual(self._start("%RETRY%G", LATEST), (0, "GetMinOffset"))
        self.assertEqual(self._start("%RETRY%G", EARLIEST), (0, "GetMinOffset"))
        self.assertEqual(self._start("%RETRY%G", when), (100, "GetMaxOffset"))

    def test_words(self) -> None:
        """Heartbeats name the option as Apache RocketMQ does."""
        self.assertEqual(consume_from(LATEST), ConsumeFrom.CONSUME_FROM_LAST_OFFSET)
        self.assertEqual(consume_from(EARLIEST), ConsumeFrom.CONSUME_FROM_FIRST_OFFSET)
        when = datetime.fromtimestamp(0, UTC)
        self.assertEqual(consume_from(when), ConsumeFrom.CONSUME_FROM_TIMESTAMP)
