"""
Many messages of one topic, sent in as few requests as their size lets.

Source: ``SimpleBatch`` and ``SplitBatch`` of Apache RocketMQ's examples, which leave
that to the application.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rocketmq_tw.client.errors import BatchesIncomplete
from rocketmq_tw.client.producer.message import Preparation, Prepared
from rocketmq_tw.client.producer.results import SendResult
from rocketmq_tw.client.producer.selectors import Choice
from rocketmq_tw.client.producer.sends import Sends
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
    for part in _parts(preparation, messages, max_size, max_messages):
        first = part[0]
        # As in a batch, no body is compressed that takes a thread.
        plain = (first.body, 0) if preparation.is_large(first) else None
        is_one = len(part) == 1
        prepared.append(
            preparation.one(first, plain) if is_one else preparation.batch(part)
        )
    return prepared


def _parts(
    preparation: Preparation,
    messages: Sequence[Message],
    max_size: int,
    max_messages: int,
) -> Iterator[Sequence[Message]]:
    """Split messages by the bytes that they take in a batch."""
    begin = size = 0
    for index, message in enumerate(messages):
        more = preparation.size_in_batch(message, messages[0])
        if begin < index and (size + more > max_size or index - begin == max_messages):
            yield messages[begin:index]
            begin, size = index, 0
        size += more
    if messages:
        yield messages[begin:]


async def send_in_turn(
    sends: Sends,
    batches: Sequence[Prepared],
    choice: Choice | None,
    timeout: float | None,
) -> list[SendResult]:
    """
    Send batches, each when the one before is stored.

    :param timeout: of each, in seconds.
    :raises BatchesIncomplete: one could not be sent; those behind it were not.
    """
    results: list[SendResult] = []
    sent = 0
    for prepared in batches:
        try:
            results.append(await sends.send(prepared, choice, timeout))
        except RocketMQError as error:
            raise BatchesIncomplete(results, sent, error) from error
        sent += prepared.message_id.count(",") + 1
    return results
