"""Pulling one queue."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.fetcher import (
    PAUSED_WAIT,
    TIMEOUT,
    WATCHDOG,
    Fetcher,
)
from rocketmq_tw.client.consumer.limits import CacheSize, PullLimits
from rocketmq_tw.client.consumer.offsets.remote import RemoteOffsetStore
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.subscription import parse
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.requests.pull import PullMessage, PullResponse
from tests.client.fakes import FakeSession, pulled, queues, stored

QUEUE = queues("T", 1)[0]


class FetcherTests(SynchronousTestCase):
    """A fetcher whose responses the test gives."""

    def setUp(self) -> None:
        """Start at offset 7."""
        self.session = FakeSession({"T": 1})
        self.offsets = RemoteOffsetStore(
            self.session.brokers,  # type: ignore[arg-type]
            "G",
        )
        self.cache = CacheSize()
        self.held = ProcessQueue(QUEUE, self.cache)
        self.locked = True
        self.dispatched: list[int] = []
        self.illegal: list[int] = []
        self.subscription = parse("T", "A", 5)
        self.fetcher = self._fetcher()
        self.offsets.begin(QUEUE, 7, stored=True)
        self.fetcher.start(7)

    def _fetcher(self, **limits: int) -> Fetcher:
        """Make a fetcher."""
        return Fetcher(
            group="G",
            messages=self.held,
            offsets=self.offsets,
            cache=self.cache,
            limits=PullLimits(**limits),
            brokers=self.session.brokers,  # type: ignore[arg-type]
            routes=self.session.routes,  # type: ignore[arg-type]
            clock=self.session.clock,
            is_held=lambda _queue: self.locked,
            subscription_of=lambda _topic: self.subscription,
            dispatch=self._dispatch,
            on_illegal_offset=lambda _fetcher, offset: self.illegal.append(offset),
        )

    def _dispatch(self, _held: ProcessQueue, messages: list[StoredMessage]) -> None:
        """Note the offsets."""
        self.dispatched += [message.queue_offset for message in messages]

    def _respond(self, response: PullResponse | Exception) -> None:
        """Respond to the last pull."""
        waiting = self.session.brokers.calls[-1][2]
        if isinstance(response, Exception):
            waiting.errback(response)
        else:
            waiting.callback(response)

    def _pulls(self) -> list[Any]:
        """List the pulls."""
        return self.session.brokers.sent(PullMessage)

    def test_request(self) -> None:
        """The broker may hold it; our offset goes along, and our version."""
        request = self._pulls()[0]
        self.assertEqual((request.queue_offset, request.max_msg_nums), (7, 32))
        self.assertEqual((request.sys_flag, request.commit_offset), (3, 7))
        self.assertEqual(
            (request.suspend_timeout_millis, request.sub_version), (15000, 5)
        )
        self.assertIsNone(request.subscription)

    def test_found(self) -> None:
        """Messages are dispatched, filtered by text, and the next pull leaves."""
        self._respond(pulled(body=stored(7, "A") + stored(8, "B"), next_offset=9))
        self.assertEqual((self.dispatched, len(self.held)), ([7], 1))
        self.assertEqual([r.queue_offset for r in self._pulls()], [7, 9])

    def test_commits_what_was_consumed(self) -> None:
        """The next pull takes the offset of what handlers have consumed at once."""

        def consume(held: ProcessQueue, messages: list[StoredMessage]) -> None:
            self.offsets.update(QUEUE, held.remove(messages))

        self.fetcher._dispatch = consume
        self._respond(pulled(body=stored(7, "A"), next_offset=8))
        self.assertEqual(self._pulls()[-1].commit_offset, 8)

    def test_commit_that_is_lost(self) -> None:
        """The offset that a failed pull took along is sent again."""
        self.offsets.begin(QUEUE, 7, stored=False)
        self._respond(pulled(19, next_offset=7))
        self.session.brokers.made.one_way.clear()
        self.offsets.commit_changed()
        self.assertEqual(self.session.brokers.made.one_way, [])
        self._respond(BrokerError(1, "gone", "a", "r"))
        self.offsets.commit_changed()
        (sent,) = self.session.brokers.made.one_way
        self.assertEqual(sent.commit_offset, 7)

    def test_commit_that_is_not_new(self) -> None:
        """A failed pull does not send again what the broker has: it may be reset."""
        self.offsets.begin(QUEUE, 7, stored=True)
        self._respond(pulled(19, next_offset=7))
        self.session.brokers.made.one_way.clear()
        self._respond(BrokerError(1, "gone", "a", "r"))
        self.offsets.commit_changed()
        self.assertEqual(self.session.brokers.made.one_way, [])

    def test_dispatch_fails(self) -> None:
        """The next pull leaves all the same."""

        def fail(_held: ProcessQueue, _messages: list[StoredMessage]) -> None:
            raise KeyError("why")

        self.fetcher._dispatch = fail
        self._respond(pulled(body=stored(7, "A"), next_offset=8))
        self.assertEqual([r.queue_offset for r in self._pulls()], [7, 8])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_all_filtered(self) -> None:
        """Where nothing is for us, and nothing waits, the offset moves on."""
        self._respond(pulled(body=stored(7, "B"), next_offset=8))
        self.assertEqual((self.dispatched, self.offsets.read(QUEUE)), ([], 8))

    def test_nothing(self) -> None:
        """Codes 19 and 20 move the offset too, if nothing waits, and pull at once."""
        self._respond(pulled(20, next_offset=12))
        self._respond(pulled(body=stored(12, "A"), next_offset=13))
        self._respond(pulled(19, next_offset=13))
        self.assertEqual(self.offsets.read(QUEUE), 12)
        self.assertEqual([r.queue_offset for r in self._pulls()], [7, 12, 13, 13])

    def test_offset_illegal(self) -> None:
        """Code 21 ends the pulling, and reports what the broker proposes."""
        self._respond(pulled(21, next_offset=3))
        self.assertEqual((self.illegal, len(self._pulls())), ([3], 1))
        self.assertEqual(self.session.clock.getDelayedCalls(), [])

    def test_errors(self) -> None:
        """After an error the next pull is 1 s away; 20 ms under flow control."""
        self._respond(BrokerError(2, "busy", "a", "r"))
        self.session.clock.advance(0.9)
        self.assertEqual(len(self._pulls()), 1)
        self.session.clock.advance(0.1)
        self.assertEqual(len(self._pulls()), 2)
        self._respond(BrokerError(215, "slow", "a", "r"))
        self.session.clock.advance(0.02)
        self.assertEqual(len(self._pulls()), 3)

    def test_malformed(self) -> None:
        """Bytes that are no records count as an error: the loop goes on."""
        self._respond(pulled(body=b"rubbish"))
        self.session.clock.advance(1)
        self.assertEqual([r.queue_offset for r in self._pulls()], [7, 7])

    def test_timeout(self) -> None:
        """A pull without a response for 30 s is an error like another."""
        self.session.clock.advance(TIMEOUT)
        self.session.clock.advance(1)
        self.assertEqual(len(self._pulls()), 2)

    def test_watchdog(self) -> None:
        """A pull that not even times out is given up and made again."""
        self.fetcher.check()
        self.session.clock.rightNow += WATCHDOG + 1
        self.fetcher.check()
        self.assertEqual(len(self._pulls()), 2)

    def test_limits(self) -> None:
        """Each threshold is compared with "greater"; below, pulling goes on."""
        three = len(3 * stored(7, "A"))
        for limits in ({"messages": 2}, {"span": 2}, {"total_size": three - 1}):
            self.setUp()
            self.fetcher.stop()
            self.fetcher = self._fetcher(**limits)
            self.fetcher.start(7)
            count = len(self._pulls())
            self._respond(pulled(body=stored(7, "A") + stored(8, "A"), next_offset=9))
            self.assertEqual(len(self._pulls()), count + 1)
            self._respond(pulled(body=stored(10, "A"), next_offset=11))
            self.assertEqual(len(self._pulls()), count + 1)
            self.held.remove(self.held.messages)
            self.session.clock.advance(0.05)
            self.assertEqual(len(self._pulls()), count + 2)

    def test_paused(self) -> None:
        """A paused fetcher pulls no further; waking it pulls at once."""
        self.fetcher.paused = True
        self._respond(pulled(19, next_offset=7))
        self.session.clock.advance(5)
        self.assertEqual(len(self._pulls()), 1)
        self.fetcher.paused = False
        self.fetcher.wake()
        self.assertEqual(len(self._pulls()), 2)

    def test_suggested_broker(self) -> None:
        """The next pull goes to the broker that was suggested, if it is known."""
        response = pulled(19, next_offset=7)
        response.suggest_which_broker_id = 1
        asked: list[int] = []
        known = self.session.brokers.address

        def address(name: str, broker_id: int = 0, any_broker: bool = False) -> Any:
            asked.append(broker_id)
            return "10.0.0.2:10911" if broker_id else known(name)

        self.session.brokers.address = address  # type: ignore[method-assign]
        self._respond(response)
        self.assertEqual(asked[0], 1)
        self.assertEqual(self.session.brokers.calls[-1][0], "10.0.0.2:10911")
        self.assertEqual(self._pulls()[-1].sys_flag, 2)

    def test_stop(self) -> None:
        """A stopped fetcher leaves nothing behind, and a late response is dropped."""
        self.fetcher.stop()
        self.assertEqual(self.session.clock.getDelayedCalls(), [])
        self.assertEqual(len(self._pulls()), 1)

    def test_not_locked(self) -> None:
        """A queue whose lock is lost is pulled again a second after it is back."""
        self._respond(pulled(status=19, next_offset=7))
        self.locked = False
        count = len(self._pulls())
        self._respond(pulled(status=19, next_offset=7))
        self.session.clock.advance(PAUSED_WAIT)
        self.assertEqual(len(self._pulls()), count)
        self.locked = True
        self.session.clock.advance(PAUSED_WAIT)
        self.assertEqual(len(self._pulls()), count + 1)

    def test_interval(self) -> None:
        """With an interval, a pull that found messages is followed by a pause."""
        self.fetcher.stop()
        self.fetcher = self._fetcher(interval=2)
        self.fetcher.start(7)
        count = len(self._pulls())
        self._respond(pulled(body=stored(7, "A"), next_offset=8))
        self.assertEqual((len(self._pulls()), self.dispatched), (count, [7]))
        self.session.clock.advance(2)
        self.assertEqual(len(self._pulls()), count + 1)
