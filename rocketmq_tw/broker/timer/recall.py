"""
Recalls timed messages: stores a record that cancels one before it is due.

That record waits in the same slot as the message. When the slot is emptied, the message
is dropped. Nobody looks whether there is such a message.

Source: ``RecallMessageProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.broker.timer.sends import TimedSends
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import (
    BORN_TIMESTAMP,
    PGROUP,
    TAGS,
    TIMER_DEL_UNIQKEY,
    TIMER_DELIVER_MS,
    UNIQ_KEY,
)
from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.model.topic import PERM_WRITE
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.durable import AfterFlush, DurableLog
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.recall import decode_handle
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.record_layout import HOST_V4_SIZE
from rocketmq_tw.wire.requests.recall import RecallMessage, RecallResponse

_TAG = "_RECALL_TAG_"


class RecallProcessor:
    """
    Handles recalls.

    :param is_enabled: whether they are allowed.
    :param with_topic: whether the key begins with the topic, as in RocketMQ 5.3.
    :param log: what producers wait for: the disk, slaves, or both; None for nothing.
    """

    def __init__(
        self,
        *,
        store: IMessageStore,
        topics: TopicTable,
        sends: TimedSends,
        broker_name: str,
        region: str,
        is_enabled: bool,
        with_topic: bool,
        log: DurableLog | None,
    ) -> None:
        self._store = store
        self._topics = topics
        self._sends = sends
        self._broker_name = broker_name
        self._region = region
        self._is_enabled = is_enabled
        self._with_topic = with_topic
        self._log = log

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(RecallMessage, self.recall)

    def recall(
        self, request: RecallMessage, call: Call
    ) -> RecallResponse | AfterFlush | Deferred[Any]:
        """
        Cancel the message of a handle.

        :raises Refused: the handle is not one of this broker, or the message is due.
        """
        if not self._is_enabled:
            raise Refused(
                ResponseCode.NO_PERMISSION, "recall failed, operation is forbidden"
            )
        if not self._topics.permission & PERM_WRITE:
            raise Refused(ResponseCode.SERVICE_NOT_AVAILABLE, _NOT_AVAILABLE)
        if self._topics.get(request.topic) is None:
            why = f"recall failed, the topic[{request.topic}] not exist"
            raise Refused(ResponseCode.TOPIC_NOT_EXIST, why)
        time_ms, key = self._checked(request, int(call.received_at * 1000))
        draft = self._draft(request, call, time_ms, key)
        stored = self._store.put(
            self._sends.schedule(draft, call.received_at), call.received_at
        )
        response = RecallResponse(msg_id=key, region=self._region)
        if self._log is None:
            return response
        return AfterFlush(response, stored.commit_log_offset + stored.size, self._log)

    def _checked(self, request: RecallMessage, now_ms: int) -> tuple[int, str]:
        """Return the time and the unique key of a handle."""
        try:
            topic, broker_name, text, key = decode_handle(request.recall_handle)
        except BadField:
            raise _illegal("recall handle is invalid") from None
        if topic != request.topic:
            raise _illegal("recall failed, topic not match")
        if broker_name != self._broker_name:
            raise _illegal(_NOT_AVAILABLE)
        time_ms = properties.whole_number(text, 18)
        latest = now_ms + self._sends.settings.max_delay_ms
        if time_ms is None or not now_ms < time_ms < latest:
            raise _illegal("recall failed, timestamp invalid")
        return time_ms, key

    def _draft(
        self, request: RecallMessage, call: Call, time_ms: int, key: str
    ) -> Draft:
        """Return the record that cancels a message, for the message's topic."""
        kept = {
            TAGS: _TAG,
            UNIQ_KEY: key,
            TIMER_DEL_UNIQKEY: request.topic + key if self._with_topic else key,
            TIMER_DELIVER_MS: str(time_ms),
            BORN_TIMESTAMP: str(int(call.received_at * 1000)),
        }
        if request.producer_group:
            kept[PGROUP] = request.producer_group
        host = call.peer.host_bytes
        return Draft(
            topic=request.topic.encode(),
            queue_id=0,
            flag=0,
            sys_flag=0 if len(host) == HOST_V4_SIZE else sysflag.BORN_HOST_V6,
            born_time_ms=int(call.received_at * 1000),
            born_host=host,
            body=b"0",
            properties=properties.encode(kept).encode(),
            tags_code=tags_code(_TAG),
        )


_NOT_AVAILABLE = "recall failed, broker service not available"


def _illegal(why: str) -> Refused:
    return Refused(ResponseCode.ILLEGAL_OPERATION, why)
