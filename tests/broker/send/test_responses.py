"""Responses to sends, with and without a flush to wait for."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rocketmq_tw.broker.send.responses import SendResponses
from rocketmq_tw.store.interfaces import Appended, FlushOutcome, IMessageStore
from rocketmq_tw.wire.requests.send import SendResponse
from tests.broker.cases import STORE_HOST, sent

FIRST = Appended(0x1234, 100, 7, 0)
SECOND = Appended(0x1298, 50, 8, 0)


@implementer(IMessageStore)
class Flushes:
    """A store of which only the flushes are of interest."""

    def __init__(self, flushed: Deferred[FlushOutcome] | None) -> None:
        self.flushed = flushed
        self.ends: list[int] = []

    def when_flushed(self, end: int) -> Deferred[FlushOutcome] | None:
        """Remember the end."""
        self.ends.append(end)
        return self.flushed


def responses(store: Flushes, flushes_first: bool = True) -> SendResponses:
    """Make responses."""
    return SendResponses(
        store=store,
        store_host=STORE_HOST,
        region="R",
        trace_on="false",
        flushes_first=flushes_first,
    )


class SendResponsesTests(SynchronousTestCase):
    """What senders get."""

    def test_single(self) -> None:
        """The id is the store host and the offset in hex; nothing waits."""
        store = Flushes(Deferred())
        self.assertEqual(
            responses(store, flushes_first=False).single(sent(), 3, FIRST),
            SendResponse(
                msg_id="0A00000100002A9F0000000000001234",
                queue_id=3,
                queue_offset=7,
                region="R",
                trace_on="false",
            ),
        )
        self.assertEqual(store.ends, [])

    def test_batch(self) -> None:
        """All ids, joined by commas; the queue offset is the first's."""
        response = responses(Flushes(None)).batch(sent(), 0, [FIRST, SECOND])
        assert isinstance(response, SendResponse)
        self.assertEqual(
            response.msg_id,
            "0A00000100002A9F0000000000001234,0A00000100002A9F0000000000001298",
        )
        self.assertEqual(response.queue_offset, 7)

    def test_waits_for_the_end(self) -> None:
        """It comes when the last record is on disk up to its end."""
        flushed: Deferred[FlushOutcome] = Deferred()
        store = Flushes(flushed)
        response = responses(store).batch(sent(), 0, [FIRST, SECOND])
        assert isinstance(response, Deferred)
        self.assertNoResult(response)
        self.assertEqual(store.ends, [0x1298 + 50])
        flushed.callback(FlushOutcome.ON_DISK)
        self.assertEqual(int(self.successResultOf(response).status), 0)

    def test_too_slow(self) -> None:
        """A flush that takes too long makes code 10; the message is stored."""
        flushed: Deferred[FlushOutcome] = Deferred()
        response = responses(Flushes(flushed)).single(sent(), 0, FIRST)
        assert isinstance(response, Deferred)
        flushed.callback(FlushOutcome.TIMED_OUT)
        self.assertEqual(int(self.successResultOf(response).status), 10)

    def test_sender_does_not_wait(self) -> None:
        """Who sent WAIT=false is not kept waiting."""
        store = Flushes(Deferred())
        request = sent(properties="WAIT\x01false\x02")
        response = responses(store).single(request, 0, FIRST)
        self.assertIsInstance(response, SendResponse)
        self.assertEqual(store.ends, [])
