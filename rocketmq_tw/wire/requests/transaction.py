"""
Requests that end transactions, and that ask how they ended.

Source: ``EndTransactionRequestHeader`` and ``CheckTransactionStateRequestHeader`` of
RocketMQ 5.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Int32, Int64, Request, Response


class EndTransaction(Request[Response]):
    """
    Commit a half message or roll it back.

    Clients send it one way. There is no response if the transaction is not decided.

    :ivar tran_state_table_offset: the queue offset of the half message.
    :ivar commit_log_offset: that of the half message, too.
    :ivar commit_or_rollback: bits of the system flag, 8 or 12; 0 if it is not decided.
    :ivar from_transaction_check: it follows a :class:`CheckTransactionState`.
    :ivar msg_id: the unique key of the message.
    """

    code: ClassVar[int] = RequestCode.END_TRANSACTION
    producer_group: str
    tran_state_table_offset: Int64
    commit_log_offset: Int64
    commit_or_rollback: Int32
    from_transaction_check: bool = False
    msg_id: str | None = None
    transaction_id: str | None = None
    topic: str | None = None
    broker_name: str | None = msgspec.field(name="bname", default=None)


class CheckTransactionState(Request[Response]):
    """
    Ask a producer of a group how a transaction ended.

    Sent one way; the body is the record of the half message, with the topic and the
    queue for which it is meant. The producer sends :class:`EndTransaction`.
    """

    code: ClassVar[int] = RequestCode.CHECK_TRANSACTION_STATE
    tran_state_table_offset: Int64
    commit_log_offset: Int64
    msg_id: str | None = None
    transaction_id: str | None = None
    offset_msg_id: str | None = None
    topic: str | None = None
    broker_name: str | None = msgspec.field(name="bname", default=None)


class ResumeCheckHalfMessage(Request[Response]):
    """
    Ask the broker to ask producers again about a half message that was given up.

    :ivar topic: where tools found it; before 5.5 they do not name it.
    :ivar msg_id: the offset id of the copy in ``TRANS_CHECK_MAX_TIME_TOPIC``.
    """

    code: ClassVar[int] = RequestCode.RESUME_CHECK_HALF_MESSAGE
    topic: str | None = None
    msg_id: str | None = None
