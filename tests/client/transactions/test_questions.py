"""Tests of rocketmq_tw.client.transactions.questions."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.transactions.questions import (
    MOST_RUNNING,
    MOST_WAITING,
    Questions,
)
from rocketmq_tw.client.transactions.verdict import COMMIT, ROLLBACK, Verdict
from rocketmq_tw.model.message import PGROUP, UNIQ_KEY, StoredMessage
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.record import Draft, encode
from rocketmq_tw.wire.requests.transaction import CheckTransactionState, EndTransaction
from tests.broker.cases import HOST
from tests.broker.doubles import MemoryConnection, call_from
from tests.client.transactions.cases import HELLO, ProducerCase


class AskedTests(ProducerCase):
    """Brokers ask, and the checker decides."""

    def leave(self, count: int = 1) -> None:
        """Leave some transactions undecided."""
        producer = self.producer()
        for _ in range(count):
            self.now(producer.send_in_transaction(HELLO, lambda m, t: None))

    def test_commit(self) -> None:
        """It gets the message as consumers would."""
        self.says = COMMIT
        self.leave()
        self.cluster.advance(10)
        (message,) = self.checked
        self.assertEqual((message.topic, message.body), ("T", b"hello"))
        self.assertEqual(message.properties["p"], "v")
        self.assertEqual((self.consumed(), self.pending), ([b"hello"], 0))

    def test_roll_back_later(self) -> None:
        """The checker may return a Deferred, or be a coroutine function."""

        async def check() -> Any:
            return ROLLBACK

        self.says = check()
        self.leave()
        self.cluster.advance(10)
        self.assertEqual((self.consumed(), self.pending), ([], 0))

    def test_asked_again(self) -> None:
        """If it decides nothing, raises, or returns something else; thrice here."""
        self.leave()
        self.cluster.advance(6)
        self.says = KeyError("the database is away")
        self.cluster.advance(5)
        self.says = "commit"
        self.cluster.advance(5)
        self.assertEqual(len(self.flushLoggedErrors(KeyError, TypeError)), 2)
        self.assertEqual(len(self.checked), 3)
        self.cluster.advance(10)
        self.assertEqual(len(self.checked), 3)
        self.assertEqual(self.gauge("transactionsGivenUp"), 1)

    def test_while_the_local_transaction_runs(self) -> None:
        """The checker is not asked: it would not find what is not written yet."""
        decided: Deferred[Any] = Deferred()
        sending = self.producer().send_in_transaction(HELLO, lambda m, t: decided)
        self.cluster.advance(11)
        self.assertEqual(self.checked, [])
        self.assertGreater(self.gauge("transactionsAsked"), 0)
        decided.callback(COMMIT)
        self.now(sending)
        self.assertEqual(self.consumed(), [b"hello"])

    def test_after_the_producer_is_gone(self) -> None:
        """Another one of the group is asked, which has sent nothing yet."""
        client = self.client()
        producer = self.producer(client)
        self.now(producer.send_in_transaction(HELLO, lambda m, t: None))
        self.now(client.stop())
        self.says = COMMIT
        self.producer(topics=["T"])
        self.cluster.advance(10)
        self.assertEqual(self.consumed(), [b"hello"])


class ConnectionOf(MemoryConnection):
    """A broker's connection that remembers verdicts."""

    def call(self, request: Request[Any], timeout: float | None = 3.0) -> Deferred[Any]:
        """Remember a verdict; its response does not come yet."""
        self.told.append(request)
        self.waiting: Deferred[Any] = Deferred()
        return self.waiting


class OneGroup:
    """A producer whose checkers the test fires."""

    group = "pg"

    def __init__(self) -> None:
        self.running: list[Deferred[Any]] = []
        self.noted: list[tuple[Verdict, str]] = []
        self.knows_nothing = False

    def check(self, message: StoredMessage) -> Deferred[Any] | None:
        """Check later, unless the test says that nothing is known."""
        if self.knows_nothing:
            return None
        self.running.append(Deferred())
        return self.running[-1]

    def responded(self, message: StoredMessage, verdict: Verdict, host: str) -> None:
        """Note a verdict."""
        self.noted.append((verdict, host))


class LimitTests(SynchronousTestCase):
    """How much a broker can ask at a time."""

    def setUp(self) -> None:
        """Have one producer."""
        self.router = Router()
        self.questions = Questions(self.router)
        self.producer = OneGroup()
        self.questions.add(self.producer)
        self.broker = ConnectionOf()

    def ask(self, number: int, group: str = "pg") -> None:
        """Ask about a half message."""
        text = properties.encode({PGROUP: group, UNIQ_KEY: f"id{number}"})
        draft = Draft(b"T", 1, 0, 0, 1, HOST, b"x", text.encode())
        request = CheckTransactionState(
            tran_state_table_offset=number,
            commit_log_offset=number * 100,
            msg_id=f"id{number}",
            topic="T",
            broker_name="broker-a",
        )
        request.body = encode(draft, number, number * 100, 1, HOST)
        found = self.router.find(int(request.code))
        assert found is not None
        self.assertIsNone(found[1](request, call_from(self.broker, 0.0)))

    def test_verdict(self) -> None:
        """It names what was asked about, over the same connection."""
        self.ask(7)
        self.producer.running[0].callback(COMMIT)
        self.assertEqual(self.producer.noted, [(COMMIT, self.broker.address)])
        (end,) = self.broker.told
        self.assertEqual(
            end,
            EndTransaction(
                producer_group="pg",
                tran_state_table_offset=7,
                commit_log_offset=700,
                commit_or_rollback=8,
                from_transaction_check=True,
                msg_id="id7",
                transaction_id="id7",
                topic="T",
                broker_name="broker-a",
            ),
        )
        self.assertEqual(len(self.questions), 1)
        self.broker.waiting.callback(Response())
        self.assertEqual(len(self.questions), 0)

    def test_repeated(self) -> None:
        """A question that is not answered yet is not asked twice."""
        self.ask(1)
        self.ask(1)
        self.assertEqual(len(self.producer.running), 1)

    def test_in_turn(self) -> None:
        """Some checkers run at a time; others wait, and beyond that brokers repeat."""
        for number in range(MOST_RUNNING + MOST_WAITING + 5):
            self.ask(number)
        self.assertEqual(len(self.producer.running), MOST_RUNNING)
        self.assertEqual(len(self.questions), MOST_RUNNING + MOST_WAITING)
        self.producer.running[3].callback(None)
        self.assertEqual(len(self.producer.running), MOST_RUNNING + 1)

    def test_many_at_once(self) -> None:
        """All that wait may have their verdicts, or none, at once."""
        for number in range(MOST_RUNNING + MOST_WAITING):
            self.ask(number)
        self.producer.knows_nothing = True
        self.producer.running[0].callback(None)
        self.assertEqual(len(self.questions), MOST_RUNNING - 1)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_removed(self) -> None:
        """Its checkers are cancelled, and what waits is forgotten."""
        for number in range(MOST_RUNNING + 5):
            self.ask(number)
        self.questions.remove("pg")
        self.assertEqual(len(self.questions), 0)
        self.assertEqual(len(self.producer.running), MOST_RUNNING)
        self.ask(1)
        self.assertEqual(len(self.questions), 0)

    def test_of_another_group(self) -> None:
        """Or about nothing: there is no checker to ask."""
        self.ask(1, "other")
        found = self.router.find(39)
        assert found is not None
        request = CheckTransactionState(tran_state_table_offset=1, commit_log_offset=1)
        found[1](request, call_from(self.broker, 0.0))
        self.assertEqual(self.producer.running, [])
