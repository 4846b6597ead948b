"""
Recalls a timed message.

Source: ``DefaultMQProducerImpl.recallMessage`` of RocketMQ 5.3.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.client.brokers import Brokers
from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.recall import decode_handle
from rocketmq_tw.wire.requests.recall import RecallMessage, RecallResponse


def recall(
    brokers: Brokers, group: str, topic: str, handle: str, timeout: float
) -> Deferred[RecallResponse]:
    """
    Ask the broker that a handle names to cancel its message.

    :returns: fires with the response, which has the message's unique key.
    :raises ValidationError: it is no handle of a message to this topic.
    """
    try:
        own_topic, broker_name, _, _ = decode_handle(handle)
    except BadField as error:
        raise ValidationError(str(error)) from None
    if own_topic != topic:
        raise ValidationError(
            f'the recall handle is of the topic "{own_topic}", not of "{topic}"'
        )
    request = RecallMessage(
        topic, handle, producer_group=group, broker_name=broker_name
    )
    return brokers.call_for(MessageQueue(topic, broker_name, 0), request, timeout)
