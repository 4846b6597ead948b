"""
Passes replies on: each is pushed to the client that waits for it, and stored.

The broker knows nothing of the request. A reply names the client, which has to be a
producer that sends heartbeats to this broker. With ``storeReplyMessageEnable`` (the
default) a copy is stored in the topic of replies, also if nobody takes the reply; it is
delivered at once whatever its properties ask for. A copy that cannot be stored is
logged.

Source: ``ReplyMessageProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from rocketmq_tw.broker.new_topics import NewTopics
from rocketmq_tw.broker.reply.pushes import ReplyPushes
from rocketmq_tw.broker.send.batch import too_large
from rocketmq_tw.broker.send.drafts import Drafts
from rocketmq_tw.broker.send.responses import SendResponses
from rocketmq_tw.broker.send.targets import Target, Targets
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.broker.tables.producer_ids import ProducerIds
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.message import PUSH_REPLY_TIME, REPLY_TO_CLIENT
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.interfaces import Appended, IMessageStore
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.requests.reply import (
    PushReplyMessage,
    ReplyFields,
    SendReplyMessage,
    SendReplyMessageV2,
)

#: The message id of a reply that was pushed and not stored.
_NOT_STORED = "0"


class ReplyProcessor:
    """
    Handles replies.

    :param stores: whether copies are stored.
    :param address: of this broker, as ``host:port``.
    :param max_size: the largest body, in bytes.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        store: IMessageStore,
        targets: Targets,
        new_topics: NewTopics,
        drafts: Drafts,
        responses: SendResponses,
        producers: ProducerIds,
        pushes: ReplyPushes,
        stats: BrokerStats,
        stores: bool,
        address: str,
        max_size: int,
    ) -> None:
        self._store = store
        self._targets = targets
        self._new_topics = new_topics
        self._drafts = drafts
        self._responses = responses
        self._producers = producers
        self._pushes = pushes
        self._stats = stats
        self._stores = stores
        self._address = address
        self._max_size = max_size

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(SendReplyMessage, self.reply)
        router.on(SendReplyMessageV2, self.reply)

    def reply(self, request: ReplyFields, call: Call) -> Deferred[Any]:
        """
        Push a reply, and store a copy of it.

        :returns: fires when the client has confirmed it, or will not.
        :raises Refused: as for a send to the topic.
        """
        target = self._targets.known.get(request.topic)
        if target is not None:
            return self._reply(request, call, target)
        return self._new_topics.hold(
            lambda: self._reply(request, call, self._targets.find(request, call))
        )

    def _reply(self, request: ReplyFields, call: Call, target: Target) -> Deferred[Any]:
        queue_id = request.queue_id
        if queue_id < 0 or queue_id >= target.queues:
            queue_id = target.choose_queue(queue_id)
        if len(request.body) > self._max_size:
            raise too_large(len(request.body), self._max_size)
        if request.batch:
            raise Refused(ResponseCode.MESSAGE_ILLEGAL, "a reply cannot be a batch")
        draft = self._drafts.plain(request, call, target, queue_id)
        pushed = self._push(request, draft, call)
        stored = self._store_copy(draft, call) if self._stores else None
        return pushed.addCallback(
            lambda why: self._response(request, queue_id, stored, why)
        )

    def _push(
        self, request: ReplyFields, draft: Draft, call: Call
    ) -> Deferred[str | None]:
        """Push a reply; fires with why its client has not taken it, or None."""
        text = draft.properties.decode()
        client_id = properties.find(text, REPLY_TO_CLIENT)
        if client_id is None:
            return succeed(f"reply message properties[{REPLY_TO_CLIENT}] is null")
        peer = self._producers.find(client_id)
        if peer is None:
            unknown = f"channel of <{log_safe(client_id)}> not found."
            return succeed(f"push reply message fail, {unknown}")
        now_ms = int(call.received_at * 1000)
        push = PushReplyMessage(
            body=request.body,
            producer_group=request.producer_group,
            topic=request.topic,
            default_topic=request.default_topic,
            default_topic_queue_nums=request.default_topic_queue_nums,
            queue_id=draft.queue_id,
            sys_flag=request.sys_flag,
            born_timestamp=request.born_timestamp,
            flag=request.flag,
            properties=f"{text}{PUSH_REPLY_TIME}\x01{now_ms}\x02",
            reconsume_times=request.reconsume_times or 0,
            unit_mode=bool(request.unit_mode),
            born_host=call.peer.address,
            store_host=self._address,
            store_timestamp=now_ms,
        )
        return self._pushes.push(peer, client_id, push)

    def _store_copy(self, draft: Draft, call: Call) -> Appended | None:
        """Store a copy; None if that fails, which is logged."""
        try:
            stored = self._store.put(draft, call.received_at)
        except Exception as error:
            self._log.warn("a reply was not stored: {error}", error=error)
            return None
        self._stats.stored(1, stored.size, call.received_at)
        return stored

    def _response(
        self,
        request: ReplyFields,
        queue_id: int,
        stored: Appended | None,
        why: str | None,
    ) -> Any:
        """
        Return the response.

        :param why: why the client has not taken the reply; None if it has.
        :raises Refused: it has not, and there is no copy.
        """
        if why is None and stored is not None:
            return self._responses.single(request, queue_id, stored)
        if stored is not None:
            response = self._responses.now(queue_id, stored)
        elif why is None:
            response = self._responses.unstored(_NOT_STORED, queue_id)
        else:
            raise Refused(ResponseCode.SYSTEM_ERROR, why)
        if why is not None:
            response.status, response.remark = ResponseCode.SYSTEM_ERROR, why
        return response
