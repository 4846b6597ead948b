"""
Messages that consumers send back: stored again, to be delivered after a delay.

Source: ``AbstractSendMessageProcessor.consumerSendMsgBack`` of RocketMQ 5.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.delay.levels import DelayLevels
from rocketmq_tw.broker.named_record import check_topic
from rocketmq_tw.broker.new_topics import NewTopics
from rocketmq_tw.broker.redelivery import copy_for_redelivery
from rocketmq_tw.broker.send.retries import RetryRules
from rocketmq_tw.broker.tables.progress import ConsumeProgress
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
from rocketmq_tw.model.topic import DLQ_PREFIX, PERM_WRITE, retry_topic
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.requests.send import SendBack

#: Returns a Deferred with the code of what is missing, if anything is.
WhenSafe = Callable[[int], Deferred[ResponseCode | None] | None]

_DEAD_LETTERS = DLQ_PREFIX.encode()
#: The delay level of the first redelivery (10 s); each later one is a level higher.
_FIRST_LEVEL = 3


class SendBackProcessor:
    """
    Handles messages that consumers send back.

    :param when_safe: returns a Deferred for when a message that ends at an offset may
        be acknowledged; None if it may be now.
    :param store_host: the broker's address, encoded; part of message ids.
    """

    def __init__(
        self,
        *,
        store: IMessageStore,
        retries: RetryRules,
        new_topics: NewTopics,
        levels: DelayLevels,
        when_safe: WhenSafe,
        topics: TopicTable,
        progress: ConsumeProgress,
        store_host: bytes,
    ) -> None:
        self._store = store
        self._retries = retries
        self._new_topics = new_topics
        self._levels = levels
        self._when_safe = when_safe
        self._topics = topics
        self._progress = progress
        self._store_host = store_host

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(SendBack, self.send_back)

    def send_back(self, request: SendBack, call: Call) -> Response | Deferred[Response]:
        """
        Store a copy of a message, to be delivered after a delay.

        :returns: the response, once the copy is on disk, and at the slaves that are in
            sync. Apache RocketMQ does not wait; we do, because the consumer drops the
            message when it gets the response.
        """
        group = self._retries.group(request.group)
        if not self._topics.permission & PERM_WRITE:
            raise Refused(
                ResponseCode.NO_PERMISSION,
                "the broker does not accept messages: its permission lacks write",
            )
        if group.retry_queue_nums <= 0:
            return Response()
        record = self._store.record_at(request.offset)
        checked = then(record, lambda found: self._checked(found, request, call))
        return then(checked, lambda data: self._store_copy(data, request, group, call))

    def _checked(
        self, record: bytes | None, request: SendBack, call: Call
    ) -> bytes | Deferred[bytes]:
        """
        Return the record, which must be of the topic in the request, or its next copy.

        :raises Refused: it is not, or there is none.
        """
        if record is None:
            raise _nothing_at(request.offset)
        if not request.origin_topic:
            return record
        topics = (request.origin_topic, retry_topic(request.group))
        return check_topic(self._store, record, topics, call)

    def _store_copy(
        self,
        record: bytes,
        request: SendBack,
        group: SubscriptionGroup,
        call: Call,
    ) -> Response | Deferred[Response]:
        """Store the copy; a retry topic that this creates is registered first."""
        store = self._store_in_topic
        return self._new_topics.hold(lambda: store(record, request, group, call))

    def _store_in_topic(
        self,
        record: bytes,
        request: SendBack,
        group: SubscriptionGroup,
        call: Call,
    ) -> Response | Deferred[Response]:
        draft = self._copy(record, request, group, call)
        stored = self._store.put(draft, call.received_at)
        self._count(draft, request.group)
        end = stored.commit_log_offset + stored.size
        safe = self._when_safe(end)
        return Response() if safe is None else safe.addCallback(_on_safe)

    def _count(self, draft: Draft, group: str) -> None:
        """Count a copy by its first topic, if that exists: senders may name any."""
        origin = properties.find(draft.properties.decode(), RETRY_TOPIC)
        if origin is not None and self._topics.get(origin) is not None:
            entry = self._progress.entry(origin, group)
            entry.sent_back += 1
            if draft.topic.startswith(_DEAD_LETTERS):
                entry.dead_letters += 1

    def _copy(
        self, record: bytes, request: SendBack, group: SubscriptionGroup, call: Call
    ) -> Draft:
        """Return the draft for the next delivery, or for the dead letters."""
        copy = copy_for_redelivery(record)
        draft, kept = copy.draft, copy.properties
        kept.setdefault(RETRY_TOPIC, draft.topic.decode())
        kept[WAIT] = "false"
        kept.setdefault(
            ORIGIN_MESSAGE_ID, offset_message_id(self._store_host, request.offset)
        )
        kept.pop(DELAY, None)
        times, level = draft.reconsume_times, request.delay_level
        limit = self._retries.limit(
            group, request.max_reconsume_times, call.header.version
        )
        if times >= limit or level < 0:
            topic, level = self._retries.dead_letters(request.group), 0
        else:
            topic = self._retries.retry_topic(group)
            level = level or _FIRST_LEVEL + times
            kept[DELAY] = str(level)
        if not topic.perm & PERM_WRITE:
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"the topic [{topic.topic_name}] is not writable",
            )
        draft.topic = topic.topic_name.encode()
        draft.queue_id = random.randrange(max(1, topic.write_queue_nums))
        draft.tags_code = tags_code(kept.get(TAGS))
        draft.reconsume_times = times + 1
        draft.properties = properties.encode(kept).encode()
        if level <= 0:
            return draft
        return self._levels.schedule(draft, level)


def _nothing_at(offset: int) -> Refused:
    return Refused(
        ResponseCode.SYSTEM_ERROR,
        f"look message by offset failed, {offset}: no message is there",
    )


def _on_safe(missing: ResponseCode | None) -> Response:
    """
    Return the response. Where slaves are late, the copy is stored all the same.

    :raises Refused: the copy is not on disk in time.
    """
    if missing is ResponseCode.FLUSH_DISK_TIMEOUT:
        why = "the message was stored again, but was not flushed to disk in time"
        raise Refused(ResponseCode.SYSTEM_ERROR, why)
    return Response()
