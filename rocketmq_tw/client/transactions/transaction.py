"""
One transaction, from the half message to the verdict.

Source: ``DefaultMQProducerImpl.endTransaction`` of RocketMQ 5, which waits for no
response.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from twisted.internet.defer import CancelledError, Deferred, fail, succeed

from rocketmq_tw.client.brokers import Brokers
from rocketmq_tw.client.errors import StateError
from rocketmq_tw.client.producer.results import SendResult
from rocketmq_tw.client.transactions.verdict import COMMIT, ROLLBACK, Verdict
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.msgid import parse_offset_message_id
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.transaction import EndTransaction


class Transaction:
    """
    A half message whose transaction is open; made by
    :meth:`~rocketmq_tw.client.transactions.producer.TransactionProducer.begin`.

    As ``async with`` it is committed at the end of the block, and rolled back if that
    raises. If the block is cancelled nothing is decided, and the broker asks later.

    :ivar message: as it was passed; consumers get it with the properties that the
        producer adds.
    :ivar sent: where the half message was stored.
    :ivar verdict: what was decided; None while it is open.
    """

    def __init__(
        self,
        message: Message,
        sent: SendResult,
        *,
        group: str,
        brokers: Brokers,
        timeout: float,
        on_closed: Callable[[Transaction], None],
    ) -> None:
        self.message = message
        self.sent = sent
        self.verdict: Verdict | None = None
        self._group = group
        self._brokers = brokers
        self._timeout = timeout
        self._on_closed = on_closed

    @property
    def id(self) -> str:
        """The unique key of the message, by which the checker can find it again."""
        return self.sent.transaction_id or self.sent.message_id

    def commit(self) -> Deferred[None]:
        """
        Let consumers get the message.

        :returns: fires when the broker has stored it. Fails with
            :class:`BrokerError` or an error of the network; then the broker asks later.
            Fails with :class:`StateError` if the transaction is not open any more.
        """
        return self.end(COMMIT)

    def rollback(self) -> Deferred[None]:
        """Let nobody get the message; fires and fails as :meth:`commit`."""
        return self.end(ROLLBACK)

    def end(self, verdict: Verdict) -> Deferred[None]:
        """Decide; ``UNKNOWN`` leaves it to the checker, and sends nothing."""
        if self.verdict is not None:
            ended = self.verdict.name
            return fail(StateError(f"the transaction {self.id} has ended: {ended}"))
        self.verdict = verdict
        self._on_closed(self)
        if not verdict:
            return succeed(None)
        return self._send(verdict).addCallback(lambda _: None)

    def leave(self) -> None:
        """Leave an open transaction to the checker."""
        if self.verdict is None:
            self.end(Verdict.UNKNOWN)

    def _send(self, verdict: Verdict) -> Deferred[Response]:
        """Send the verdict to the broker that has the half message."""
        sent = self.sent
        name = sent.queue.broker_name
        address = self._brokers.address(name)
        if address is None:
            return fail(ConnectError(name, "no route has the address of its master"))
        request = end_request(
            self._group,
            verdict,
            queue_offset=sent.queue_offset,
            commit_log_offset=parse_offset_message_id(sent.offset_message_id)[2],
            message_id=self.id,
            topic=self.message.topic,
        )
        request.broker_name = name
        return self._brokers.call(address, request, self._timeout)

    async def __aenter__(self) -> Self:
        """Return the transaction, which is open already."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Decide by how the block ended, unless it was decided in the block."""
        if self.verdict is not None:
            return
        if error is None:
            await self.commit()
        elif isinstance(error, Exception) and not isinstance(error, CancelledError):
            rolled_back = self.rollback()
            # The error of the block is the one that matters.
            rolled_back.addErrback(lambda _: None)
            await rolled_back
        else:
            self.leave()


def end_request(
    group: str,
    verdict: Verdict,
    *,
    queue_offset: int,
    commit_log_offset: int,
    message_id: str,
    topic: str,
) -> EndTransaction:
    """Return the request that ends the transaction of a half message."""
    return EndTransaction(
        producer_group=group,
        tran_state_table_offset=queue_offset,
        commit_log_offset=commit_log_offset,
        commit_or_rollback=int(verdict),
        msg_id=message_id,
        transaction_id=message_id,
        topic=topic,
    )
