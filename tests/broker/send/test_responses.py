"""Responses to sends, with and without a flush to wait for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.send.responses import SendResponses
from rocketmq_tw.remoting.durable import AfterFlush, ResponseWaiter
from rocketmq_tw.store.interfaces import Appended
from rocketmq_tw.wire.requests.send import SendResponse
from tests.broker.cases import STORE_HOST, sent

FIRST = Appended(0x1234, 100, 7, 0)
SECOND = Appended(0x1298, 50, 8, 0)


class Log:
    """A log of which only its identity is of interest."""

    def await_flush(self, waiter: ResponseWaiter, end: int) -> bool:
        """Nobody calls this."""
        raise AssertionError


def responses(log: Log | None) -> SendResponses:
    """Make responses."""
    return SendResponses(log=log, store_host=STORE_HOST, region="R", trace_on="false")


class SendResponsesTests(SynchronousTestCase):
    """What senders get."""

    def test_single(self) -> None:
        """The id is the store host and the offset in hex; nothing waits."""
        self.assertEqual(
            responses(None).single(sent(), 3, FIRST),
            SendResponse(
                msg_id="0A00000100002A9F0000000000001234",
                queue_id=3,
                queue_offset=7,
                region="R",
                trace_on="false",
            ),
        )

    def test_batch(self) -> None:
        """All ids, joined by commas; the queue offset is the first's."""
        response = responses(None).batch(sent(), 0, [FIRST, SECOND])
        assert isinstance(response, SendResponse)
        self.assertEqual(
            response.msg_id,
            "0A00000100002A9F0000000000001234,0A00000100002A9F0000000000001298",
        )
        self.assertEqual(response.queue_offset, 7)

    def test_waits_for_the_end(self) -> None:
        """It is sent when the last record is on disk up to its end."""
        log = Log()
        response = responses(log).batch(sent(), 0, [FIRST, SECOND])
        assert isinstance(response, AfterFlush)
        self.assertEqual(response.end, 0x1298 + 50)
        self.assertIs(response.log, log)
        single = responses(log).single(sent(), 0, FIRST)
        assert isinstance(single, AfterFlush)
        self.assertEqual(single.end, 0x1234 + 100)

    def test_sender_does_not_wait(self) -> None:
        """Who sent WAIT=false is not kept waiting."""
        request = sent(properties="WAIT\x01false\x02")
        response = responses(Log()).single(request, 0, FIRST)
        self.assertIsInstance(response, SendResponse)
