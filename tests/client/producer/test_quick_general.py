"""The short way of a message, with the general way as the oracle."""

from __future__ import annotations

import random
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import SendCancelled, SendError
from rocketmq_tw.client.producer.attempt import call
from rocketmq_tw.client.producer.context import SendContext
from rocketmq_tw.client.producer.in_flight import InFlight
from rocketmq_tw.client.producer.message import Preparation
from rocketmq_tw.client.producer.pending import PendingSend
from rocketmq_tw.client.producer.quick import QuickSender
from rocketmq_tw.client.producer.retry import Repeat, RetryPolicy
from rocketmq_tw.client.producer.selectors import choice_of
from rocketmq_tw.model.message import Message
from rocketmq_tw.wire.codes import ResponseCode
from tests.client.cluster import Cluster

TIMEOUT = 3.0
IN_ORDER = RetryPolicy(Repeat.IF_NOT_STORED)
ANY_QUEUE = RetryPolicy(Repeat.IF_RETRYABLE, 3)

#: What brokers respond; None is no response.
CODES = (
    None,
    ResponseCode.SYSTEM_BUSY,
    ResponseCode.MESSAGE_ILLEGAL,
    ResponseCode.SERVICE_NOT_AVAILABLE,
    ResponseCode.FLUSH_DISK_TIMEOUT,
)
#: What may happen, and with which values: messages with and without a key, responses,
#: time, losses of connections.
STEPS: dict[str, tuple[Any, ...]] = {
    "send": (None, None, "k", "l"),
    "cancel": (1, 2, 3),
    "advance": (0, 0, 0.05, 0.4, 1.0),
    "a responds": CODES,
    "b responds": CODES,
    "lose a": (None,),
    "lose b": (None,),
}
#: How often each, in percent.
WEIGHTS = (45, 5, 24, 10, 10, 3, 3)


def script(seed: int, length: int = 60) -> list[tuple[str, Any]]:
    """Make steps that are the same for the same seed."""
    chance = random.Random(seed)
    names = chance.choices(list(STEPS), WEIGHTS, k=length)
    return [(name, chance.choice(STEPS[name])) for name in names]


class World:
    """
    A cluster of two brokers, and messages that all go one of the two ways.

    :param is_quick: whether they go the short way where it is open to them.
    """

    def __init__(self, case: SynchronousTestCase, is_quick: bool) -> None:
        self.cluster = Cluster(case)
        self.brokers = {"a": self.cluster.broker("broker-a")}
        self.brokers["b"] = self.cluster.broker("broker-b")
        self.cluster.topic("T", broker_a=2, broker_b=2)
        self.client = self.cluster.client(client_id="me")
        self.client.startService()
        self.cluster.deliver()
        session = self.client.session
        self.context = SendContext(
            group="g",
            brokers=session.brokers,
            routes=session.routes,
            clock=session.clock,
            in_flight=InFlight(4, 1 << 20),
            require_ok=False,
        )
        self.quick = QuickSender(self.context) if is_quick else None
        keys = (f"KEY{number}" for number in count())
        self.preparation = Preparation(
            lambda: next(keys), max_size=1 << 20, compress_from=4096, compress_level=5
        )
        self.results: list[Deferred[Any]] = []
        self.outcomes: list[Any] = []

    def run(self, steps: list[tuple[str, Any]]) -> None:
        """Take all steps, then wait for all results."""
        random.seed(1)
        for _ in range(4):
            self.take("send", None)
        self.take("advance", 0)
        for name, value in steps:
            self.take(name, value)
        self.cluster.pump(4)
        stopped = self.client.stop(grace=0)
        self.cluster.pump(3)
        assert stopped.called
        self.context.time_limits.stop()

    def take(self, name: str, value: Any) -> None:
        """Take one step."""
        if name == "send":
            self.send(value)
        elif name == "cancel" and value < len(self.results):
            self.results[-value].cancel()
        elif name == "advance":
            self.cluster.clock.advance(value)
        elif name.endswith("responds"):
            self.brokers[name[0]].respond(value)
        elif name.startswith("lose"):
            self.cluster.disconnect(self.brokers[name[-1]].address)

    def send(self, key: str | None) -> None:
        """Send the next message."""
        number = len(self.results)
        message = Message("T", b"%d" % number)
        prepared = self.preparation.one(message)
        choice = choice_of(message, None, key, None)
        retry = ANY_QUEUE if choice is None else IN_ORDER
        result = None
        if self.quick is not None:
            result = self.quick.send(prepared, choice, TIMEOUT, retry)
        if result is None:
            pending = PendingSend(self.context, prepared, choice, TIMEOUT, retry, call)
            pending.start()
            result = pending.result
        self.results.append(result)
        result.addBoth(self.note, number)

    def note(self, outcome: Any, number: int) -> None:
        """Note what became of a message, and when."""
        error = outcome.value if isinstance(outcome, Failure) else None
        if isinstance(error, SendError):
            attempts = [
                (attempt.address, attempt.queue_id, str(attempt.cause))
                for attempt in error.attempts
            ]
            outcome = (str(error), attempts)
        elif isinstance(error, SendCancelled):
            outcome = str(error)
        else:
            assert error is None, outcome
        at = round(self.cluster.clock.seconds(), 3)
        self.outcomes.append((at, number, outcome, self.context.in_flight.messages))

    def sent(self) -> dict[str, list[Any]]:
        """List what each broker was sent."""
        return {
            name: [(r.queue_id, r.properties, r.body) for r in broker.sent]
            for name, broker in self.brokers.items()
        }


class OracleTests(SynchronousTestCase):
    """Both ways do the same, whatever happens."""

    def check(self, seed: int) -> None:
        """Go both ways; results, their times, and what brokers get are equal."""
        steps = script(seed)
        quick, general = World(self, True), World(self, False)
        quick.run(steps)
        general.run(steps)
        self.assertEqual(quick.outcomes, general.outcomes)
        self.assertEqual(quick.sent(), general.sent())
        self.assertEqual(len(quick.outcomes), len(quick.results))
        self.assertEqual(quick.context.in_flight.messages, 0)
        self.assertEqual(quick.context.pending, set())
        self.assertEqual(quick.cluster.timers(), [])

    def test_first(self) -> None:
        """Two courses of sixty steps."""
        self.check(1)
        self.check(2)

    def test_second(self) -> None:
        """Two others."""
        self.check(3)
        self.check(4)
