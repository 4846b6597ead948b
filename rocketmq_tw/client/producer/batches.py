"""
Many messages of one topic, sent in as few requests as their size lets.

Source: ``SimpleBatch`` and ``SplitBatch`` of Apache RocketMQ's examples, which leave
that to the application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from twisted.internet.defer import Deferred

from rocketmq_tw.client.errors import BatchesIncomplete
from rocketmq_tw.client.producer.message import BatchPart, Preparation, Prepared
from rocketmq_tw.client.producer.results import SendResult
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.message import Message

#: The most messages of a request, as brokers set their limit.
MAX_MESSAGES = 32_768


def split(
    preparation: Preparation,
    messages: Sequence[Message],
    max_size: int,
    max_messages: int = MAX_MESSAGES,
) -> list[Prepared]:
    """
    Prepare messages as batches of at most ``max_size`` bytes each, in order.

    A message that is larger is sent by itself.

    :raises ValidationError: a message is not valid, or cannot be in a batch.
    """
    prepared: list[Prepared] = []
    for begin, parts in _groups(preparation, messages, max_size, max_messages):
        first = messages[begin]
        if len(parts) > 1:
            prepared.append(preparation.of_parts(parts, first))
        else:
            # As in a batch, no body is compressed that takes a thread.
            plain = (first.body, 0) if preparation.is_large(first) else None
            prepared.append(preparation.one(first, plain))
    return prepared


def _groups(
    preparation: Preparation,
    messages: Sequence[Message],
    max_size: int,
    max_messages: int,
) -> Iterator[tuple[int, list[BatchPart]]]:
    """Split messages by the bytes that they take; yield where each batch begins."""
    begin = size = 0
    parts: list[BatchPart] = []
    for index, message in enumerate(messages):
        part = preparation.part(message, messages[0])
        more = part.size
        if parts and (size + more > max_size or len(parts) == max_messages):
            yield begin, parts
            begin, size, parts = index, 0, []
        parts.append(part)
        size += more
    if parts:
        yield begin, parts


async def send_in_turn(
    batches: Sequence[Prepared], send: Callable[[Prepared], Deferred[SendResult]]
) -> list[SendResult]:
    """
    Send batches, each when the one before is stored.

    :param send: sends one.
    :raises BatchesIncomplete: one could not be sent; those behind it were not.
    """
    results: list[SendResult] = []
    sent = 0
    for prepared in batches:
        try:
            results.append(await send(prepared))
        except RocketMQError as error:
            raise BatchesIncomplete(results, sent, error) from error
        sent += prepared.message_id.count(",") + 1
    return results
