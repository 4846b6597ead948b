"""
What a batch cannot ask for: Apache RocketMQ ignores it in the messages of a batch.

There a delayed message of a batch is delivered at once, and so is one of a transaction,
whatever becomes of that. Here the whole batch is refused. The other mixes are refused
where they are stored: see :mod:`rocketmq_tw.broker.transactions.half`.

Source: ``SendMessageProcessor.sendBatchMessage`` of RocketMQ 5, for what is ignored.
"""

from __future__ import annotations

from rocketmq_tw.broker.delay.levels import delay_level
from rocketmq_tw.broker.send.properties import read
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.codes import ResponseCode

#: Each property that asks for more has one of these letters in its name. The names of
#: usual properties have neither, nor have unique keys: to look for a byte takes 13 ns,
#: for two bytes ten times as long.
L, M = b"LM"
#: Parts of the names of these properties.
_DELAYS, _TRANSACTIONS = b"DEL", b"TRAN_MSG"


def check_item(text: bytes) -> bytes:
    """
    Return the encoded properties of a message of a batch, which have an L or an M.

    :raises Refused: they ask for a delay, a time or a transaction.
    """
    if _DELAYS in text or _TRANSACTIONS in text:
        check_in_batch(text.decode("utf-8", "replace"))
    return text


def check_in_batch(text: str) -> None:
    """
    Check the properties of a batch, or of a message of one.

    :raises Refused: they ask for a delay, a time or a transaction.
    :raises BadField: ``DELAY`` is not a number.
    """
    special = read(text).special
    if special is None:
        return
    if delay_level(special.delay) > 0:
        raise _refused("cannot be delayed", "DELAY")
    if special.is_timed:
        raise _refused("cannot be delivered at a time", "TIMER_...")
    if special.is_transactional:
        raise _refused("cannot be part of a transaction", "TRAN_MSG")


def _refused(what: str, names: str) -> Refused:
    return Refused(
        ResponseCode.MESSAGE_ILLEGAL,
        f"a batch {what}, nor can a message of it: send such a message by itself, or"
        f" remove its property {names}",
    )
