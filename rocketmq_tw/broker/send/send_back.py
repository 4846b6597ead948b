"""
Messages that a group could not consume: again later, or to its dead letters.

Source: ``AbstractSendMessageProcessor.consumerSendMsgBack`` and
``SendMessageProcessor.handleRetryAndDLQ`` of RocketMQ 5.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.delay.schedule import DelayLevels
from rocketmq_tw.broker.redelivery import redraft
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.message import (
    DELAY,
    ORIGIN_MESSAGE_ID,
    RETRY_TOPIC,
    TAGS,
    WAIT,
)
from rocketmq_tw.model.msgid import offset_message_id
from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.model.topic import (
    PERM_READ,
    PERM_WRITE,
    RETRY_PREFIX,
    TopicConfig,
)
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.interfaces import FlushOutcome, IMessageStore
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.requests.send import SendBack

#: From this version on, a client's own limit of deliveries counts (``V3_4_9``).
_VERSION_OWN_LIMIT = 121


class RetryRules:
    """
    Where a message goes that was not consumed.

    :param is_locked: whether a group holds queue locks, i.e. consumes in order.
    :param store_host: packed; for the id of a message that has none.
    :param broker_permission: the bits of what the broker lets clients do.
    """

    def __init__(
        self,
        store: IMessageStore,
        topics: TopicTable,
        groups: GroupTable,
        levels: DelayLevels,
        is_locked: Callable[[str], bool],
        store_host: bytes,
        broker_permission: int = PERM_READ | PERM_WRITE,
    ) -> None:
        self._store = store
        self._topics = topics
        self._groups = groups
        self._levels = levels
        self._is_locked = is_locked
        self._store_host = store_host
        self._broker_permission = broker_permission

    def routes(self, router: Router) -> None:
        """Take what consumers hand back."""
        router.on(SendBack, self.send_back)

    def target(
        self, topic: str, times: int, own_limit: int | None, call: Call
    ) -> TopicConfig:
        """
        Say where a send to a retry topic goes: there, or to the dead letters.

        :param times: how often the message was delivered.
        :raises Refused: the group is not there, nor may it be created.
        """
        name = topic[len(RETRY_PREFIX) :]
        group = self._group(name)
        if times > self._limit(group, own_limit, call) or self._is_locked(name):
            return self._topics.create_dlq(name)
        return self._retry_topic(group)

    def send_back(self, request: SendBack, call: Call) -> Response | Deferred[Response]:
        """Store a message once more, to be delivered after a while."""
        group = self._group(request.group)
        if not self._broker_permission & PERM_WRITE:
            raise Refused(
                ResponseCode.NO_PERMISSION,
                "the broker does not take messages: its permission lacks write",
            )
        if group.retry_queue_nums <= 0:
            return Response()

        def again(record: bytes | None) -> Response | Deferred[Response]:
            if record is None:
                raise _nothing_at(request.offset)
            draft = self._draft_again(request, record, group, call)
            stored = self._store.put(draft, call.received_at)
            # The original waits not: but the consumer forgets it once this is answered.
            end = stored.commit_log_offset + stored.size
            waiting = self._store.when_flushed(end)
            return Response() if waiting is None else waiting.addCallback(_taken)

        return then(self._store.record_at(request.offset), again)

    def _draft_again(
        self, request: SendBack, record: bytes, group: SubscriptionGroup, call: Call
    ) -> Draft:
        """Draft a message for its next delivery, or for the dead letters."""
        draft, kept = redraft(record)
        kept.setdefault(RETRY_TOPIC, draft.topic.decode())
        kept[WAIT] = "false"
        kept.setdefault(
            ORIGIN_MESSAGE_ID, offset_message_id(self._store_host, request.offset)
        )
        times, level = draft.reconsume_times, request.delay_level
        kept.pop(DELAY, None)
        limit = self._limit(group, request.max_reconsume_times, call)
        if times >= limit or level < 0:
            topic = self._topics.create_dlq(request.group)
        else:
            topic = self._retry_topic(group)
            kept[DELAY] = str(level or 3 + times)
        if not topic.perm & PERM_WRITE:
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"the topic [{topic.topic_name}] is not writable",
            )
        draft.topic = topic.topic_name.encode()
        draft.queue_id = random.randrange(max(1, topic.write_queue_nums))
        draft.tags_code = tags_code(kept.get(TAGS))
        draft.reconsume_times = times + 1
        text = properties.encode(kept)
        draft.properties = text.encode()
        return self._levels.put_aside(draft, text, call.received_at)

    def _retry_topic(self, group: SubscriptionGroup) -> TopicConfig:
        """Find the group's retry topic, as heartbeats would create it."""
        return self._topics.create_retry(
            group.group_name,
            group.retry_queue_nums,
            order=group.consume_message_orderly,
        )

    def _group(self, name: str) -> SubscriptionGroup:
        """Find a group's settings."""
        group = self._groups.find(name)
        if group is None:
            raise Refused(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
                f"subscription group not exist, {name}",
            )
        return group

    def _limit(
        self, group: SubscriptionGroup, own_limit: int | None, call: Call
    ) -> int:
        """Say how often a message is delivered: the client's word counts, if sent."""
        if own_limit is not None and call.header.version >= _VERSION_OWN_LIMIT:
            return own_limit
        return group.retry_max_times


def _nothing_at(place: int) -> Refused:
    """Say that there is no message to be sent back."""
    return Refused(
        ResponseCode.SYSTEM_ERROR,
        f"look message by offset failed, {place}: no message is there",
    )


def _taken(outcome: FlushOutcome) -> Response:
    """Response that a message is on disk. :raises Refused: it is not, so far."""
    if outcome is FlushOutcome.TIMED_OUT:
        why = "the message was stored again, but the disk did not take it in time"
        raise Refused(ResponseCode.SYSTEM_ERROR, why)
    return Response()
