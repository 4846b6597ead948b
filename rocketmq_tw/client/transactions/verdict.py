"""
What becomes of a transaction.

Source: ``LocalTransactionState`` and ``TransactionSendResult`` of RocketMQ 5.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from rocketmq_tw.client.producer.results import SendResult
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.errors import RocketMQError


class Verdict(IntEnum):
    """What a local transaction, or a checker, has decided; as on the wire."""

    #: Consumers get the message.
    COMMIT = sysflag.COMMIT
    #: Nobody gets it.
    ROLLBACK = sysflag.ROLLBACK
    #: Not decided: the broker asks later.
    UNKNOWN = sysflag.NOT_TRANSACTIONAL


COMMIT: Final = Verdict.COMMIT
ROLLBACK: Final = Verdict.ROLLBACK
UNKNOWN: Final = Verdict.UNKNOWN


class TransactionResult(msgspec.Struct, frozen=True):
    """
    What became of a message and its local transaction.

    :ivar verdict: what the local transaction has decided.
    :ivar sent: where the half message was stored.
    :ivar error: the exception of the local transaction; its verdict is ``UNKNOWN``.
    :ivar end_error: why the broker has not confirmed the verdict. It asks later, so
        nothing is lost.
    """

    verdict: Verdict
    sent: SendResult
    error: BaseException | None = None
    end_error: RocketMQError | None = None


def verdict_of(value: object) -> Verdict:
    """
    Return the verdict that an application's function returned; None is ``UNKNOWN``.

    :raises TypeError: it is something else.
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, Verdict):
        return value
    raise TypeError(
        f"a verdict is COMMIT, ROLLBACK or UNKNOWN; found {type(value).__name__}"
    )
