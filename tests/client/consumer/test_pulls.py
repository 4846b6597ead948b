"""Sending the pulls of one queue."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure

from rocketmq_tw.client.consumer.pulls import PUSH, TIMEOUT, Pull, PullSender
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import parse
from rocketmq_tw.remoting.errors import (
    BrokerError,
    ConnectError,
    ConnectionLost,
    RequestTimeout,
)
from rocketmq_tw.wire.requests.pull import COMMIT_OFFSET, PullMessage, PullResponse
from tests.client.cases import SessionCase
from tests.client.counting import Deferreds
from tests.client.fakes import pulled

QUEUE = MessageQueue("T", "broker-a", 2)
SUBSCRIPTION = parse("T", "A || B", 5)


class PullCase(SessionCase):
    """The pulls of one queue, whose broker responds as the test wants."""

    def setUp(self) -> None:
        """Connect to the broker."""
        super().setUp()
        connected = self.session.brokers.connection(self.a.address)
        self.cluster.deliver()
        self.successResultOf(connected)
        self.responses: list[PullResponse] = []
        self.failures: list[Any] = []
        self.error: Exception | None = None
        self.sender = PullSender(
            group="G",
            queue=QUEUE,
            batch=7,
            kind=PUSH,
            brokers=self.session.brokers,
            clock=self.session.clock,
            received=self.received,
            failed=lambda failure, _pull: self.failures.append(failure.value),
        )

    def received(self, response: PullResponse, _pull: Pull) -> None:
        """Keep a response."""
        self.responses.append(response)
        if self.error is not None:
            raise self.error

    def pull(self, address: str | None = None) -> Pull:
        """Send one."""
        pull = Pull(self.sender, address or self.a.address, SUBSCRIPTION)
        pull.send(offset=9, commit=8, flags=3)
        self.cluster.deliver()
        return pull

    def respond(self, response: PullResponse | None) -> None:
        """Respond to the next pull."""
        self.a.node.traffic.respond(PullMessage, response)


class ConnectedTests(PullCase):
    """A broker that is connected."""

    def test_request(self) -> None:
        """It is the request that the general way sends."""
        self.respond(pulled())
        self.pull()
        [request] = self.a.node.traffic.requests(PullMessage)
        expected = self.sender.request(SUBSCRIPTION, offset=9, commit=8, flags=3)
        self.assertEqual(request, expected)
        self.assertEqual(request.sys_flag & COMMIT_OFFSET, COMMIT_OFFSET)

    def test_subscription_changes(self) -> None:
        """The next pull has the new version."""
        for version in (5, 6):
            subscription = parse("T", "A", version)
            self.respond(pulled())
            pull = Pull(self.sender, self.a.address, subscription)
            pull.send(offset=0, commit=0, flags=2)
            self.cluster.deliver()
        requests = self.a.node.traffic.requests(PullMessage)
        self.assertEqual([r.sub_version for r in requests], [5, 6])

    def test_responses(self) -> None:
        """Those that found messages and all others are passed on alike."""
        for response in (pulled(0, b"records"), pulled(19), pulled(21)):
            self.respond(response)
            self.pull()
        found = [(each.status, each.body) for each in self.responses]
        self.assertEqual(found, [(0, b"records"), (19, b""), (21, b"")])
        self.assertEqual(self.failures, [])

    def test_work(self) -> None:
        """The client makes no Deferred, and one timer for all pulls."""
        self.respond(pulled(0, b"records"))
        self.pull()
        before = len(self.cluster.timers())
        self.respond(None)
        with Deferreds() as made:
            self.pull()
        self.assertEqual(made.count, 0)
        self.assertEqual(len(self.cluster.timers()), before)

    def test_error(self) -> None:
        """An error of the broker is passed on as a failure."""
        self.a.node.traffic.refuse(PullMessage, 25)
        self.pull()
        [error] = self.failures
        self.assertIsInstance(error, BrokerError)
        self.assertEqual(error.code, 25)

    def test_time_limit(self) -> None:
        """A pull without a response fails after 30 s, not before; once."""
        self.respond(None)
        self.pull()
        self.cluster.pump(TIMEOUT - 1, 1)
        self.assertEqual(self.failures, [])
        self.cluster.pump(2, 1)
        [error] = self.failures
        self.assertIsInstance(error, RequestTimeout)
        self.cluster.pump(TIMEOUT * 2, 1)
        self.assertEqual(len(self.failures), 1)

    def test_lost(self) -> None:
        """So does one whose connection is lost."""
        self.respond(None)
        self.pull()
        self.cluster.disconnect(self.a.address)
        [error] = self.failures
        self.assertIsInstance(error, ConnectionLost)

    def test_cancelled(self) -> None:
        """Neither function is called for it any more."""
        self.respond(None)
        self.pull().cancel()
        self.cluster.disconnect(self.a.address)
        self.cluster.pump(TIMEOUT + 1, 1)
        self.assertEqual((self.responses, self.failures), ([], []))

    def test_cancelled_by_another(self) -> None:
        """Nor if it is cancelled because one before it lost the connection."""
        self.respond(None)
        self.respond(None)
        pulls: list[Pull] = []

        def failed(failure: Failure, _pull: Pull) -> None:
            self.failures.append(failure.value)
            pulls[1].cancel()

        self.sender.failed = failed
        pulls += [self.pull(), self.pull()]
        self.cluster.disconnect(self.a.address)
        self.assertEqual(len(self.failures), 1)

    def test_raises(self) -> None:
        """What the receiver raises is a failure of that pull, and of nothing else."""
        self.error = ZeroDivisionError()
        self.respond(pulled(0, b"records"))
        self.pull()
        self.assertEqual(self.failures, [self.error])
        self.assertTrue(self.session.brokers.live(self.a.address))


class NotConnectedTests(PullCase):
    """A broker that is not connected, or a client that signs its requests."""

    def test_connects(self) -> None:
        """The connection is made first."""
        self.cluster.disconnect(self.a.address)
        self.respond(pulled(0, b"records"))
        self.pull()
        self.assertEqual([each.body for each in self.responses], [b"records"])

    def test_unreachable(self) -> None:
        """A connection that cannot be made is a failure."""
        self.pull("10.0.9.9:10911")
        self.cluster.pump(4)
        self.assertIsInstance(self.failures[0], ConnectError)

    def test_cancelled(self) -> None:
        """The failure says so, as the receiver does not wait for it any more."""
        self.cluster.disconnect(self.a.address)
        self.respond(None)
        self.pull().cancel()
        self.assertIsInstance(self.failures[0], CancelledError)

    def test_signed(self) -> None:
        """A client that signs its requests signs pulls."""
        live = self.session.brokers.live(self.a.address)
        assert live is not None

        def sign(ext: dict[str, str], _body: bytes) -> None:
            ext["AccessKey"] = "me"

        live.sign = sign  # type: ignore[assignment]
        self.respond(pulled(0, b"records"))
        self.pull()
        self.assertEqual([each.body for each in self.responses], [b"records"])
        [command] = self.a.node.traffic.commands(PullMessage)
        self.assertIsInstance(command.fields, PullMessage)
