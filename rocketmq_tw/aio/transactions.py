"""The producer of transactions, with coroutines."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from rocketmq_tw.aio.futures import result_of, returning_deferreds
from rocketmq_tw.aio.producer import Producer

if TYPE_CHECKING:
    from rocketmq_tw.client.producer.config import SendOptions
    from rocketmq_tw.client.producer.results import SendResult
    from rocketmq_tw.client.transactions.producer import (
        TransactionProducer as TwistedTransactionProducer,
    )
    from rocketmq_tw.client.transactions.transaction import (
        Transaction as TwistedTransaction,
    )
    from rocketmq_tw.client.transactions.verdict import TransactionResult, Verdict
    from rocketmq_tw.model.message import Message


class Transaction:
    """
    A half message whose transaction is open; see
    :class:`rocketmq_tw.client.Transaction`. As ``async with`` it is committed at the
    end of the block, and rolled back if that raises.
    """

    def __init__(self, transaction: TwistedTransaction) -> None:
        self._transaction = transaction

    @property
    def id(self) -> str:
        """The unique key of the message, by which the checker can find it again."""
        return self._transaction.id

    @property
    def message(self) -> Message:
        """The message, as it was passed."""
        return self._transaction.message

    @property
    def sent(self) -> SendResult:
        """Where the half message was stored."""
        return self._transaction.sent

    @property
    def verdict(self) -> Verdict | None:
        """What was decided; None while it is open."""
        return self._transaction.verdict

    async def commit(self) -> None:
        """Let consumers get the message."""
        await result_of(self._transaction.commit())

    async def rollback(self) -> None:
        """Let nobody get the message."""
        await result_of(self._transaction.rollback())

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
        if self._transaction.verdict is not None:
            return
        if error is None:
            await self.commit()
        elif isinstance(error, Exception):
            rolled_back = self._transaction.rollback()
            # The error of the block is the one that matters.
            rolled_back.addErrback(lambda _: None)
            await result_of(rolled_back)
        else:
            self._transaction.leave()


class TransactionProducer(Producer):
    """
    Sends messages that consumers get only if a local transaction is committed; made by
    :meth:`rocketmq_tw.aio.Client.transaction_producer`.
    """

    def __init__(self, producer: TwistedTransactionProducer) -> None:
        super().__init__(producer)
        self._transactions = producer

    async def send_in_transaction(
        self,
        message: Message,
        local: Callable[[Message, Transaction], Any],
        **options: Unpack[SendOptions],
    ) -> TransactionResult:
        """
        Send a half message, run a local transaction, and send its verdict; see
        :meth:`rocketmq_tw.client.TransactionProducer.send_in_transaction`.

        :param local: may be a coroutine function.
        """

        def call(message: Message, transaction: TwistedTransaction) -> Any:
            return local(message, Transaction(transaction))

        return await result_of(
            self._transactions.send_in_transaction(
                message,
                returning_deferreds(call),
                **options,
            )
        )

    async def begin(
        self,
        message: Message,
        **options: Unpack[SendOptions],
    ) -> Transaction:
        """
        Send a half message, and return its open transaction; see
        :meth:`rocketmq_tw.client.TransactionProducer.begin`.
        """
        begun = self._transactions.begin(message, **options)
        return Transaction(await result_of(begun))
