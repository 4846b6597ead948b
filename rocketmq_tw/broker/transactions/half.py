"""
Half messages, as producers send them: stored where no consumer reads.

A message with ``TRAN_MSG`` goes to queue 0 of ``RMQ_SYS_TRANS_HALF_TOPIC``; properties
keep its own topic and queue, and the group of its producer, which is asked how the
transaction ended.

Source: ``TransactionalMessageBridge.parseHalfMessageInner`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.broker.errors import TooManyHalfMessages
from rocketmq_tw.broker.send.drafts import Sent
from rocketmq_tw.broker.transactions.counts import TransactionCounts
from rocketmq_tw.broker.transactions.stored import STORED_MS
from rocketmq_tw.model.message import (
    PGROUP,
    REAL_QUEUE_ID,
    REAL_TOPIC,
    TRAN_PREPARED_QUEUE_OFFSET,
    TRANSACTION_CHECK_TIMES,
    TRANSACTION_ID,
    UNIQ_KEY,
)
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC, is_retry
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.store.errors import PropertiesTooLong
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.record import Draft

HALF_TOPIC = TRANS_HALF_TOPIC.encode()
#: What only brokers write, here or in copies.
OF_BROKERS = (
    REAL_TOPIC,
    REAL_QUEUE_ID,
    TRANSACTION_ID,
    TRAN_PREPARED_QUEUE_OFFSET,
    TRANSACTION_CHECK_TIMES,
    STORED_MS,
)
#: Bytes of properties that copies and questions may get besides: how often producers
#: were asked, and which half message it was, stored when.
RESERVED = 150


class HalfMessages:
    """
    Redirects messages of transactions to the topic of half messages.

    :param behind: returns how many half messages there are from the first on that is
        pending.
    :param limit: how many there may be.
    :param counts: has how many of each topic are pending.
    :param forbidden: why no half message is accepted; None where they are.
    :ivar refused: how many were refused because of the limit.
    """

    def __init__(
        self,
        *,
        behind: Callable[[], int],
        limit: int,
        counts: TransactionCounts,
        forbidden: str | None = None,
    ) -> None:
        self._behind = behind
        self._counts = counts
        self._limit = limit
        self._forbidden = forbidden
        self.refused = 0

    @property
    def is_open(self) -> bool:
        """Whether half messages are accepted at all."""
        return self._forbidden is None

    def redirect(self, draft: Draft, sent: Sent) -> Draft:
        """
        Return the half message of a message.

        :raises Refused: it is asked for something that a half message cannot have, or
            none is accepted.
        :raises TooManyHalfMessages: too many are stored behind one that is pending.
        :raises PropertiesTooLong: no space is left for those that are added.
        """
        self._check(sent)
        text = draft.properties.decode("utf-8", "replace")
        if any(name in text for name in OF_BROKERS):
            kept = properties.decode(text)
            kept = {n: v for n, v in kept.items() if n not in OF_BROKERS}
            text = properties.encode(kept)
        added = {
            REAL_TOPIC: draft.topic.decode(),
            REAL_QUEUE_ID: str(draft.queue_id),
            TRANSACTION_ID: properties.find(text, UNIQ_KEY) or "",
        }
        if not properties.find(text, PGROUP):
            # Apache RocketMQ can never end such a transaction.
            added[PGROUP] = sent.request.producer_group
        encoded = (text + properties.encode(added)).encode()
        if len(encoded) > MAX_PROPERTIES - RESERVED:
            # Its copies could not be stored, so it could not be given up.
            raise PropertiesTooLong(len(encoded), MAX_PROPERTIES - RESERVED)
        draft.topic = HALF_TOPIC
        draft.queue_id = 0
        draft.properties = encoded
        return draft

    def stored(self, draft: Draft) -> None:
        """Count a half message that was stored."""
        text = draft.properties.decode("utf-8", "replace")
        self._counts.stored((properties.find(text, REAL_TOPIC) or "").encode())

    def _check(self, sent: Sent) -> None:
        """Refuse what would be lost, and what is not accepted now."""
        if self._forbidden is not None:
            raise Refused(ResponseCode.NO_PERMISSION, self._forbidden)
        special = sent.properties.special
        if sent.delay_level > 0 or (special is not None and special.is_timed):
            raise Refused(
                ResponseCode.MESSAGE_ILLEGAL,
                "a message of a transaction cannot be delayed: it is delivered when the"
                " transaction is committed",
            )
        if is_retry(sent.request.topic):
            raise Refused(
                ResponseCode.MESSAGE_ILLEGAL,
                "a message of a transaction cannot be sent to a retry topic",
            )
        if self._behind() >= self._limit:
            self.refused += 1
            raise TooManyHalfMessages(self._limit)
