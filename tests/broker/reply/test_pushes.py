"""Replies that are pushed: how many may wait, and what becomes of them."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.reply.pushes import ReplyPushes
from rocketmq_tw.remoting.errors import ConnectionLost
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.reply import PushReplyMessage
from tests.broker.reply.cases import Requester

PUSH = PushReplyMessage(
    producer_group="PG",
    topic="C_REPLY_TOPIC",
    default_topic="TBW102",
    default_topic_queue_nums=4,
    queue_id=0,
    sys_flag=0,
    born_timestamp=1,
    flag=0,
    born_host="10.0.0.9:4000",
    store_host="10.0.0.1:10911",
    store_timestamp=2,
)


class ReplyPushesTests(SynchronousTestCase):
    """At most three wait, and two of one client."""

    def setUp(self) -> None:
        """Make the limits, and two clients."""
        self.clock = Clock()
        self.pushes = ReplyPushes(self.clock, limit=3, limit_of_one=2)
        self.one, self.two = Requester(), Requester()

    def push(self, peer: Requester) -> Deferred[str | None]:
        """Push a reply to the client c."""
        return self.pushes.push(peer, "c", PUSH)

    def test_confirmed(self) -> None:
        """A reply that its client confirms is taken, and nothing of it is kept."""
        pushed = self.push(self.one)
        self.assertNoResult(pushed)
        self.assertEqual(self.pushes.waiting, 1)
        self.one.pushed[0][1].callback(Response())
        self.assertIsNone(self.successResultOf(pushed))
        self.assertEqual((self.pushes.waiting, self.pushes._of_one), (0, {}))

    def test_connection_lost(self) -> None:
        """The reply is not taken; the remark begins as Apache RocketMQ's."""
        pushed = self.push(self.one)
        self.one.pushed[0][1].errback(ConnectionLost("h:1", "lost"))
        why = self.successResultOf(pushed) or ""
        self.assertTrue(why.startswith("push reply message to cfail."), why)
        self.assertEqual((self.pushes.waiting, self.pushes._of_one), (0, {}))

    def test_late(self) -> None:
        """Each has its ten seconds; one timer is enough, and it stops."""
        first = self.push(self.one)
        self.clock.advance(4)
        second, third = self.push(self.one), self.push(self.two)
        self.two.pushed[0][1].callback(Response())
        self.assertIsNone(self.successResultOf(third))
        self.clock.advance(5.9)
        self.assertNoResult(first)
        self.clock.advance(0.1)
        why = self.successResultOf(first) or ""
        self.assertIn("cfail. 10.0.0.8:5000", why)
        self.assertIn("no response within 10 s", why)
        self.assertEqual((self.pushes.waiting, self.pushes._of_one), (1, {self.one: 1}))
        self.clock.advance(3.9)
        self.assertNoResult(second)
        self.clock.advance(0.1)
        self.assertIn("within 10 s", self.successResultOf(second) or "")
        self.assertEqual((self.pushes.waiting, self.pushes._of_one), (0, {}))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopped(self) -> None:
        """No timer is left when the broker stops."""
        self.pushes.stop()
        self.push(self.one)
        self.pushes.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_batched(self) -> None:
        """A client that waits for one reply has it at once; more come together."""
        self.push(self.one)
        self.push(self.two)
        self.assertEqual((self.one.batched, self.two.batched), (0, 0))
        self.push(self.one)
        self.assertEqual((self.one.batched, self.two.batched), (1, 0))

    def test_limits(self) -> None:
        """Past a limit nothing is pushed, and the sentence names the setting."""
        for _ in range(2):
            self.push(self.one)
        why = self.successResultOf(self.push(self.one)) or ""
        self.assertIn("maxReplyPushesPerConnection", why)
        self.push(self.two)
        why = self.successResultOf(self.push(self.two)) or ""
        self.assertIn("maxReplyPushes ", why)
        self.assertEqual((self.pushes.waiting, self.pushes.refused), (3, 2))
        self.assertEqual((len(self.one.pushed), len(self.two.pushed)), (2, 1))
        for _, waiting in self.one.pushed:
            waiting.callback(Response())
        self.assertNoResult(self.push(self.one))

    def test_client_that_does_not_read(self) -> None:
        """Nothing is written to it: the bytes would be kept here."""
        self.one.is_write_blocked = True
        why = self.successResultOf(self.push(self.one)) or ""
        self.assertIn("does not read", why)
        self.assertEqual(self.one.pushed, [])

    def test_closed_connection(self) -> None:
        """Nothing is written to a connection that is being closed."""
        self.one.is_connected = False
        why = self.successResultOf(self.push(self.one)) or ""
        self.assertIn("closed", why)
        self.assertEqual(self.one.pushed, [])
