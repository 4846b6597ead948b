"""A member of a consumer group, on a session without a network."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.config import StopReport
from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.client.errors import NotRunning, StateError, ValidationError
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.consumers import ConsumerIdList
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.heartbeat import GetConsumerList
from rocketmq_tw.wire.requests.offset import (
    GetMinOffset,
    OffsetResponse,
    QueryConsumerOffset,
    UpdateConsumerOffset,
)
from rocketmq_tw.wire.requests.pull import PullMessage
from rocketmq_tw.wire.requests.send import SendBack
from tests.client.fakes import FakeSession, pulled, queues, stored


class PushConsumerTests(SynchronousTestCase):
    """One consumer of the topic T with two queues."""

    def setUp(self) -> None:
        """Let the broker know only us, and no offsets."""
        self.session = FakeSession({"T": 2, "%RETRY%G": 1})
        self.session.brokers.responses = {
            GetConsumerList: self._members,
            QueryConsumerOffset: BrokerError(22, None, "a", "r"),
            GetMinOffset: OffsetResponse(offset=0),
            UpdateConsumerOffset: Response(),
            SendBack: Response(),
        }
        self.members = [self.session.client_id]
        self.seen: list[Any] = []
        self.outcome: Any = None
        self.consumer = self._consumer()

    def _consumer(self, **options: Any) -> PushConsumer:
        """Make a consumer."""
        options = {"start_from": EARLIEST, **options}
        consumer = PushConsumer(self.session, "G", **options)  # type: ignore[arg-type]
        consumer.subscribe("T", "*", self._handle)
        return consumer

    def _members(self, _request: Any) -> Response:
        """Make the list of members."""
        return Response(body=ConsumerIdList(tuple(self.members)).encode())

    def _handle(self, given: Any) -> Any:
        """Note the message."""
        self.seen.append(given)
        return self.outcome() if callable(self.outcome) else self.outcome

    def _start(self) -> None:
        """Start."""
        self.successResultOf(self.consumer.start())

    def _waiting_pull(self, queue: MessageQueue) -> Deferred[Any]:
        """Find the pull of a queue that waits for its response."""
        return next(
            response
            for _, request, response in reversed(self.session.brokers.calls)
            if isinstance(request, PullMessage)
            and (request.topic, request.queue_id) == (queue.topic, queue.queue_id)
        )

    def _give(self, *offsets: int) -> None:
        """Response the pull of the first queue."""
        body = b"".join(map(stored, offsets))
        response = pulled(body=body, next_offset=offsets[-1] + 1)
        self._waiting_pull(queues("T", 1)[0]).callback(response)

    def _committed(self) -> dict[tuple[str, int], int]:
        """Give the offsets that were stored."""
        return {
            (r.topic, r.queue_id): r.commit_offset
            for r in self.session.brokers.sent(UpdateConsumerOffset)
        }

    def _stop(self, **how: Any) -> StopReport:
        """Stop; nothing is left on the clock."""
        report = self.successResultOf(self.consumer.stop(**how))
        self.assertEqual(self.session.clock.getDelayedCalls(), [])
        return report

    def test_start(self) -> None:
        """Once started the group knows us, and the queues are being pulled."""
        self._start()
        self.assertEqual(
            self.consumer.assignment(), queues("%RETRY%G", 1) + queues("T", 2)
        )
        self.assertGreaterEqual(self.session.heartbeats.count, 1)
        data = self.session.groups.members["G"].consumer_data()
        topics = sorted(each.topic for each in data.subscription_data_set)
        self.assertEqual(topics, ["%RETRY%G", "T"])
        self._stop()

    def test_not_startable(self) -> None:
        """Without a client, a subscription or a handler, and twice, it fails."""
        self.session.running = False
        self.failureResultOf(self.consumer.start(), NotRunning)
        self.session.running = True
        bare = PushConsumer(self.session, "G")  # type: ignore[arg-type]
        self.failureResultOf(bare.start(), ValidationError)
        bare.subscribe("T")
        self.failureResultOf(bare.start(), ValidationError)
        self._start()
        self.failureResultOf(self.consumer.start(), StateError)
        self._stop()

    def test_options(self) -> None:
        """Options out of range are refused at once."""
        for wrong in ({"concurrency": 0}, {"batch": 2000}, {"start_from": "now"}):
            self.assertRaises(ValidationError, self._consumer, **wrong)

    def test_consumes_and_commits(self) -> None:
        """What is consumed is committed every 5 s, and only if it changed."""
        self._start()
        waiting: list[Deferred[None]] = []
        self.outcome = lambda: waiting.append(Deferred()) or waiting[-1]
        self._give(0, 1, 2)
        self.assertEqual([m.queue_offset for m in self.seen], [0, 1, 2])
        for each in waiting:
            each.callback(None)
        self.session.clock.advance(5)
        self.session.clock.advance(5)
        sent = [
            (r.topic, r.queue_id, r.commit_offset)
            for r in self.session.brokers.made.one_way
        ]
        self.assertEqual(len([s for s in sent if s == ("T", 0, 3)]), 1)
        self.assertEqual(self._stop(), StopReport())
        self.assertEqual(self._committed()[("T", 0)], 3)

    def test_stored_offset(self) -> None:
        """A group that has an offset goes on from it."""
        self.session.brokers.responses[QueryConsumerOffset] = OffsetResponse(offset=42)
        self._start()
        offsets = {r.queue_offset for r in self.session.brokers.sent(PullMessage)}
        self.assertEqual(offsets, {42})
        self._stop()
        self.assertEqual(self._committed(), {})

    def test_offset_unknown(self) -> None:
        """A queue whose offset cannot be learnt is taken a little later."""
        self.session.brokers.responses[QueryConsumerOffset] = BrokerError(
            1, "no", "a", "r"
        )
        self._start()
        self.assertEqual(self.consumer.assignment(), [])
        self.session.brokers.responses[QueryConsumerOffset] = OffsetResponse(offset=1)
        self.session.clock.advance(1)
        self.assertEqual(len(self.consumer.assignment()), 3)
        self._stop()

    def test_revoked(self) -> None:
        """A queue that goes is committed first; the handler's result counts."""
        self.consumer = self._consumer(concurrency=5)
        revoked: list[Any] = []
        self.consumer.on_revoked(revoked.append)
        self._start()
        waiting: list[Deferred[None]] = []
        self.outcome = lambda: waiting.append(Deferred()) or waiting[-1]
        body = stored(0)
        last = queues("T", 2)[1]
        self._waiting_pull(last).callback(pulled(body=body, next_offset=1))
        self.members.append("z")
        self.session.groups.members["G"].members_changed()
        self.session.clock.advance(1)
        self.assertIn(last, self.consumer.assignment())
        waiting[0].callback(None)
        self.assertNotIn(last, self.consumer.assignment())
        self.assertEqual((revoked, self._committed()[("T", 1)]), ([[last]], 1))
        self._stop()

    def test_revoked_with_a_slow_handler(self) -> None:
        """A handler is waited for 3 s; then its result no longer counts."""
        self._start()
        waiting: list[Deferred[None]] = []
        self.outcome = lambda: waiting.append(Deferred()) or waiting[-1]
        last = queues("T", 2)[1]
        self._waiting_pull(last).callback(pulled(body=stored(0), next_offset=1))
        self.members.append("z")
        self.session.groups.members["G"].members_changed()
        self.session.clock.advance(1)
        self.session.clock.advance(3)
        self.assertNotIn(last, self.consumer.assignment())
        waiting[0].callback(None)
        self.assertEqual(self._committed().get(("T", 1), 0), 0)
        self._stop()

    def test_offset_repaired(self) -> None:
        """An offset that the queue does not hold is stored as the broker proposes."""
        self._start()
        first = queues("T", 1)[0]
        self.session.brokers.responses[QueryConsumerOffset] = OffsetResponse(offset=30)
        self._waiting_pull(first).callback(pulled(21, next_offset=30))
        self.assertEqual(self._committed()[("T", 0)], 30)
        self.session.clock.advance(0)
        self.assertIn(first, self.consumer.assignment())
        self.assertEqual(self.session.brokers.sent(PullMessage)[-1].queue_offset, 30)
        self._stop()

    def test_stop_waits_for_handlers(self) -> None:
        """Running handlers may finish; what they consumed is committed."""
        self._start()
        waiting: Deferred[None] = Deferred()
        self.outcome = waiting
        self._give(0)
        stopped = self.consumer.stop(grace=10)
        done = self.consumer.done
        self.session.clock.advance(5)
        self.assertNoResult(stopped)
        waiting.callback(None)
        self.assertEqual(self.successResultOf(stopped), StopReport())
        self.successResultOf(done)
        self.assertEqual(self._committed()[("T", 0)], 1)
        self.assertEqual(self.session.heartbeats.unregistered, ["G"])
        self.assertEqual(self.session.groups.members, {})

    def test_stop_cuts_handlers(self) -> None:
        """After the grace handlers are cancelled and their messages sent back."""
        self._start()
        stuck: Deferred[None] = Deferred()
        self.outcome = stuck
        self._give(0)
        stopped = self.consumer.stop(grace=10)
        self.session.clock.advance(10)
        report = self.successResultOf(stopped)
        self.assertEqual([m.queue_offset for m in report.abandoned], [0])
        self.assertEqual(len(self.session.brokers.sent(SendBack)), 1)
        self.assertEqual(self._committed()[("T", 0)], 1)

    def test_cancelling_the_stop(self) -> None:
        """Cancelling ends the grace, not the stop."""
        self._start()
        self.outcome = Deferred()
        self._give(0)
        stopped = self.consumer.stop(grace=10)
        stopped.cancel()
        self.assertEqual(len(self.successResultOf(stopped).abandoned), 1)

    def test_stop_reports_uncommitted(self) -> None:
        """Queues whose offset the broker does not take are named."""
        self._start()
        self._give(0)
        self.session.brokers.responses[UpdateConsumerOffset] = BrokerError(
            1, "no", "a", "r"
        )
        self.assertIn(queues("T", 1)[0], self._stop().uncommitted)

    def test_cancelled_start(self) -> None:
        """A start that is cancelled leaves nothing behind."""
        del self.session.brokers.responses[GetConsumerList]
        started = self.consumer.start()
        started.cancel()
        self.failureResultOf(started, CancelledError)
        self.assertEqual(self.session.groups.members, {})
        self.assertEqual(self.session.clock.getDelayedCalls(), [])

    def test_stopped_while_starting(self) -> None:
        """The start ends with the stop, and does not fail: nothing went wrong."""
        del self.session.brokers.responses[GetConsumerList]
        started = self.consumer.start()
        self.assertNoResult(started)
        self._stop()
        self.assertIs(self.successResultOf(started), self.consumer)
        self.assertEqual(self.session.groups.members, {})

    def test_pause(self) -> None:
        """Paused queues are pulled no further, also when they come back."""
        first = queues("T", 1)[0]
        self.consumer.pause([first])
        self._start()
        self.assertNotIn(
            0,
            [
                r.queue_id
                for r in self.session.brokers.sent(PullMessage)
                if r.topic == "T"
            ],
        )
        self.consumer.resume()
        self._give(0)
        self.assertEqual(len(self.seen), 1)
        self._stop()

    def test_unsubscribe(self) -> None:
        """The queues of a topic that is no longer read are given up."""
        self._start()
        self.consumer.unsubscribe("T")
        self.assertEqual(self.consumer.assignment(), queues("%RETRY%G", 1))
        self._stop()

    def test_service(self) -> None:
        """As a service it starts in the background and stops in order."""
        self.consumer.startService()
        self.assertEqual(len(self.consumer.assignment()), 3)
        self.successResultOf(self.consumer.stopService())
        self.successResultOf(self.consumer.done)
