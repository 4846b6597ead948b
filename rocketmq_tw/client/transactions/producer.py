"""
The producer of transactions.

::

    half message -> local transaction -> verdict -> the broker delivers, or not
                                     \\-> no verdict: the broker asks the checker

Source: ``TransactionMQProducer`` and ``DefaultMQProducerImpl.sendMessageInTransaction``
of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import msgspec
from twisted.internet.defer import CancelledError, Deferred, fail, succeed

from rocketmq_tw.client.consumer.dispatch.running import deferred_of
from rocketmq_tw.client.errors import NotDurable, NotRunning, ValidationError
from rocketmq_tw.client.producer.config import ProducerConfig
from rocketmq_tw.client.producer.producer import Producer
from rocketmq_tw.client.producer.results import SendStatus
from rocketmq_tw.client.producer.selectors import Key, Selector
from rocketmq_tw.client.session import ClientSession
from rocketmq_tw.client.transactions.questions import Checker
from rocketmq_tw.client.transactions.transaction import Transaction
from rocketmq_tw.client.transactions.verdict import (
    UNKNOWN,
    TransactionResult,
    Verdict,
    verdict_of,
)
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.message import (
    PGROUP,
    TRAN_MSG,
    Message,
    StoredMessage,
)
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_retry
from rocketmq_tw.remoting.waiters import Waiters

#: Runs after the half message is stored; returns a verdict, or a Deferred or a
#: coroutine of one.
LocalTransaction = Callable[[Message, Transaction], Any]


class TransactionProducer(Producer):
    """
    Sends messages that consumers get only if a local transaction is committed.

    Made by :meth:`rocketmq_tw.client.client.Client.transaction_producer`. It sends
    plain messages, too.

    :param checker: takes the message of a transaction and returns its verdict, which
        may be a Deferred or a coroutine. Brokers ask any producer of the group, so all
        should have the same checker. If it raises, they ask again.
    :param topics: topics whose brokers can ask from the start on, about transactions
        of an earlier run. Others ask once a message was sent to them.
    """

    def __init__(
        self,
        session: ClientSession,
        group: str,
        checker: Checker,
        config: ProducerConfig | None = None,
        topics: Sequence[str] = (),
    ) -> None:
        super().__init__(session, group, config)
        self._checker = checker
        self._topics = tuple(topics)
        #: The open transactions, by their ids.
        self._open: WeakValueDictionary[str, Transaction] = WeakValueDictionary()
        #: Those of :meth:`send_in_transaction` that have no result yet.
        self._unfinished: set[Deferred[Any]] = set()
        self._is_leaving = False
        self._all_finished = Waiters()

    # -- life

    def startService(self) -> None:
        """Start; brokers of the topics are looked up, and can ask from then on."""
        super().startService()
        self._session.questions.add(self)
        for topic in self._topics:
            self._session.routes.watch(topic)
            found = self._session.routes.find(topic)
            found.addCallback(lambda _: self._session.heartbeats.send_all())
            # It is looked up again when something is sent.
            found.addErrback(lambda _: None)

    def stopService(self) -> Deferred[None]:
        """
        Begin no more transactions, and wait for local transactions that run.

        :returns: fires once all have ended; those without a verdict after the client's
            grace are cancelled, and left to the checkers of the group. Never fails.
        """
        if self._is_leaving:
            return succeed(None)
        self._is_leaving = True
        finished = self._all_finished.add() if self._unfinished else succeed(None)
        finished.addTimeout(self._session.grace, self._session.clock)
        finished.addErrback(lambda _: self._cancel_unfinished())
        finished.addCallback(lambda _: self._session.questions.remove(self.group))
        return finished.addCallback(lambda _: Producer.stopService(self))

    def _cancel_unfinished(self) -> None:
        """Cancel the local transactions that still run."""
        for each in list(self._unfinished):
            each.cancel()

    # -- transactions

    def send_in_transaction(
        self,
        message: Message,
        local: LocalTransaction,
        *,
        queue: MessageQueue | None = None,
        key: Key | None = None,
        selector: Selector | None = None,
        timeout: float | None = None,
    ) -> Deferred[TransactionResult]:
        """
        Send a half message, run a local transaction, and send its verdict.

        :param local: called with the message and the :class:`Transaction` once the half
            message is stored. If it raises the verdict is ``UNKNOWN``, and the
            exception is in the result.
        :param timeout: seconds for the half message, and for the verdict.
        :returns: fires when the broker has confirmed the verdict, or has not in time.
            Fails like :meth:`send` if there is no half message; ``local`` has not run
            then. Cancelling it cancels what ``local`` returned, and leaves the
            transaction to the checker.
        """
        begun = self.begin(
            message, queue=queue, key=key, selector=selector, timeout=timeout
        )
        result = Deferred.fromCoroutine(self._run(begun, message, local))
        self._unfinished.add(result)
        return result.addBoth(self._finished, result)

    def begin(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        key: Key | None = None,
        selector: Selector | None = None,
        timeout: float | None = None,
    ) -> Deferred[Transaction]:
        """
        Send a half message.

        :returns: fires with the open transaction, for ``async with`` or its methods.
            Fails like :meth:`send`, and with :class:`NotDurable` if the half message is
            not as durable as the broker is configured for; it is rolled back then.
        """
        try:
            if self._is_leaving:
                raise NotRunning(f'the producer of the group "{self.group}" stops')
            half = self._half(message)
        except Exception:
            return fail()
        sending = self.send(
            half, queue=queue, key=key, selector=selector, timeout=timeout
        )
        limit = self.config.timeout if timeout is None else timeout
        return sending.addCallback(lambda sent: self._begun(message, sent, limit))

    def check(self, message: StoredMessage) -> Any:
        """
        Return what the checker says about a message; see :class:`Questions`.

        :returns: a verdict or its Deferred; None while the local transaction runs here.
        """
        if message.message_id in self._open:
            return None
        return deferred_of(self._checker(message))

    def _half(self, message: Message) -> Message:
        """
        Return the half message of a message.

        :raises ValidationError: it is delayed, or for a retry topic.
        """
        if message.delay_level or message.is_timed:
            raise ValidationError("a message of a transaction cannot be delayed")
        if is_retry(message.topic):
            why = "a message of a transaction cannot be sent to a retry topic"
            raise ValidationError(why)
        added = {TRAN_MSG: "true", PGROUP: self.group}
        properties = {**message.properties, **added}
        return msgspec.structs.replace(message, properties=properties)

    def _begun(
        self, message: Message, sent: Any, timeout: float
    ) -> Transaction | Deferred[Transaction]:
        """Return the transaction of a half message that was stored."""
        transaction = Transaction(
            message,
            sent,
            group=self.group,
            brokers=self._session.brokers,
            timeout=timeout,
            on_closed=self._closed,
        )
        if sent.status is SendStatus.SEND_OK:
            self._open[transaction.id] = transaction
            return transaction
        not_durable = NotDurable(sent)

        def refuse(_: object) -> Transaction:
            raise not_durable

        return transaction.rollback().addBoth(refuse)

    async def _run(
        self, begun: Deferred[Transaction], message: Message, local: LocalTransaction
    ) -> TransactionResult:
        """Run a local transaction once there is its half message."""
        transaction = await begun
        error: BaseException | None = None
        verdict = UNKNOWN
        try:
            found = deferred_of(local(message, transaction))
            if isinstance(found, Deferred):
                found = await found
            verdict = verdict_of(found)
        except CancelledError:
            transaction.leave()
            raise
        except Exception as raised:
            error = raised
        end_error: RocketMQError | None = None
        if transaction.verdict is None:
            try:
                await transaction.end(verdict)
            except RocketMQError as failed:
                end_error = failed
        return TransactionResult(
            transaction.verdict or UNKNOWN, transaction.sent, error, end_error
        )

    def _closed(self, transaction: Transaction) -> None:
        """Forget a transaction that is not open any more."""
        self._open.pop(transaction.id, None)
        if self._sends.tracer is not None:
            self._sends.tracer.transaction_closed(transaction)

    def responded(self, message: StoredMessage, verdict: Verdict, host: str) -> None:
        """Trace what the checker has said."""
        if self._sends.tracer is not None:
            self._sends.tracer.transaction_checked(message, verdict, host)

    def _finished(self, outcome: Any, result: Deferred[Any]) -> Any:
        """Forget a result that its caller has now."""
        self._unfinished.discard(result)
        if not self._unfinished:
            self._all_finished.fire()
        return outcome
