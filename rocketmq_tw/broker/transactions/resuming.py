"""
Lets the broker ask again about a half message that it has given up.

An operator finds it in ``TRANS_CHECK_MAX_TIME_TOPIC``. It becomes a new half message,
which nobody was asked about yet; so its producer must not end the one that was given up
as well, or the message is there twice.

Source: ``AdminBrokerProcessor.resumeCheckHalfMessage`` of RocketMQ 5, which takes any
record at an offset for a half message.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.broker.errors import TooManyHalfMessages
from rocketmq_tw.broker.named_record import check_record, other_topic, record_of
from rocketmq_tw.broker.transactions.counts import TransactionCounts
from rocketmq_tw.broker.transactions.stored import read_half
from rocketmq_tw.model.msgid import parse_offset_message_id
from rocketmq_tw.model.topic import TRANS_CHECK_MAX_TIME_TOPIC
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Outcome
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.record import MalformedRecord
from rocketmq_tw.wire.requests.transaction import ResumeCheckHalfMessage


class ResumeProcessor:
    """
    Handles requests to ask again.

    :param behind: returns how many half messages there are since the oldest pending.
    :param limit: with so many none is resumed.
    :param counts: has the half messages of each topic that are pending.
    """

    def __init__(
        self,
        *,
        store: IMessageStore,
        behind: Callable[[], int],
        limit: int,
        counts: TransactionCounts,
    ) -> None:
        self._store = store
        self._behind = behind
        self._limit = limit
        self._counts = counts

    def resume(self, request: ResumeCheckHalfMessage, call: Call) -> Outcome:
        """
        Store a half message once more that was given up.

        :raises TooManyHalfMessages: too many are pending.
        :raises Refused: there is no such message, or a user names another topic.
        """
        if self._behind() >= self._limit:
            raise TooManyHalfMessages(self._limit)
        topic, store = TRANS_CHECK_MAX_TIME_TOPIC, self._store
        found = record_of(store, _offset_of(request.msg_id), topic, call)
        checked = then(found, lambda record: check_record(store, record))
        return then(checked, lambda record: self._put(record, request, call))

    def _put(
        self, record: bytes, request: ResumeCheckHalfMessage, call: Call
    ) -> Response:
        try:
            half = read_half(record)
        except MalformedRecord as error:
            raise _wrong(f"it is not a half message: {error}") from None
        if call.principal is not None and request.topic:
            # A user is judged by that topic.
            if request.topic not in (TRANS_CHECK_MAX_TIME_TOPIC, half.topic):
                raise other_topic()
        self._store.put(half.resumed(), call.received_at)
        self._counts.stored(half.topic.encode())
        return Response()


def _offset_of(message_id: str | None) -> int:
    """Return the commit log offset in a message id. :raises Refused: it has none."""
    try:
        return parse_offset_message_id(message_id or "")[2]
    except ValueError as error:
        raise _wrong(f"msgId: {error}") from None


def _wrong(why: str) -> Refused:
    return Refused(
        ResponseCode.SYSTEM_ERROR,
        f"Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed: {why}",
    )
