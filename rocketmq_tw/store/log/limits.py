"""
The limits of a message that is stored.

Source: ``HookUtils.checkBeforePutMessage`` of RocketMQ 5.
"""

import re

from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.store.errors import PropertiesTooLong, RecordTooLong, TopicTooLong
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.record import MAX_TOPIC_V1, Draft

MAX_TOPIC = 255
#: A topic may also contain ``+``, which joins group and topic in pop retry topics.
LEGAL_TOPIC = re.compile(rb"[%|a-zA-Z0-9_+-]{1,255}")
_LONG_TOPICS = (b"%RETRY%", b"%DLQ%")


def check_sizes(draft: Draft, max_message_size: int) -> None:
    """
    Check the sizes of body and properties.

    :raises RecordTooLong: the body has over ``max_message_size`` bytes.
    :raises PropertiesTooLong: the properties text is over 32,767 bytes.
    """
    if len(draft.body) > max_message_size:
        raise RecordTooLong(len(draft.body), max_message_size)
    if len(draft.properties) > MAX_PROPERTIES:
        raise PropertiesTooLong(len(draft.properties), MAX_PROPERTIES)


def check_topic(topic: bytes) -> None:
    """
    Check the length of a topic.

    :raises TopicTooLong: it has over 127 bytes, %RETRY% and %DLQ% over 255.
    """
    limit = MAX_TOPIC if topic.startswith(_LONG_TOPICS) else MAX_TOPIC_V1
    if len(topic) > limit:
        raise TopicTooLong(len(topic), limit)


def check_queue(topic: bytes, queue_id: int) -> None:
    """
    Check that topic and queue id can become a path.

    :raises IllegalTopic: they cannot.
    """
    if not LEGAL_TOPIC.fullmatch(topic):
        text = topic.decode("utf-8", "replace")
        raise IllegalTopic(text, "a consume queue cannot have it in its path")
    if queue_id < 0:
        raise IllegalTopic(topic.decode(), f"it has no queue {queue_id}")
