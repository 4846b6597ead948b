"""
Stores the messages that producers send.

This is the path of every message. Everything that depends on the topic alone is cached
(:mod:`~rocketmq_tw.broker.send.targets`); a plain message is checked, drafted, stored
and confirmed in some 5 microseconds.

Source: ``SendMessageProcessor``, ``AbstractSendMessageProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rocketmq_tw.broker.dedupe.sends import DedupedSends
from rocketmq_tw.broker.new_topics import NewTopics
from rocketmq_tw.broker.send.batch import BatchSender, too_large
from rocketmq_tw.broker.send.drafts import Drafts
from rocketmq_tw.broker.send.in_sync import InSyncGuard, SendHandler
from rocketmq_tw.broker.send.responses import (
    Sending,
    SendResponses,
    add_recall_handle,
    add_transaction_id,
)
from rocketmq_tw.broker.send.targets import Target, Targets
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.broker.timer.sends import TIMED_TOPIC
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.durable import AfterFlush
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.requests.send import (
    SendBatchMessage,
    SendFields,
    SendMessage,
    SendMessageV2,
)


class SendProcessor:
    """
    Handles sends.

    :param recall_handle: returns what recalls a timed message, if anything does.
    :param when_stored: called with what was stored in another topic than its own, by
        that topic.
    :param deduped: stores messages of topics with a window.
    :param max_size: the largest body, in bytes.
    """

    def __init__(
        self,
        *,
        store: IMessageStore,
        targets: Targets,
        new_topics: NewTopics,
        drafts: Drafts,
        batches: BatchSender,
        deduped: DedupedSends,
        responses: SendResponses,
        recall_handle: Callable[[Draft], str | None],
        when_stored: Mapping[bytes, Callable[[Draft], object]],
        stats: BrokerStats,
        max_size: int,
    ) -> None:
        self._put = store.put
        self._targets = targets
        self._new_topics = new_topics
        self._known_target = targets.known.get
        self._draft = drafts.draft
        self._batches = batches
        self._deduped = deduped
        self._respond = responses.single
        self._recall_handle = recall_handle
        self._when_stored = when_stored
        self._stats = stats
        self._max_size = max_size

    def routes(self, router: Router, guard: InSyncGuard | None = None) -> None:
        """
        Register the handlers of the three send requests.

        :param guard: refuses sends; None refuses none.
        """
        send: SendHandler = self.send
        send_batch: SendHandler = self._batches.send
        if guard is not None:
            send, send_batch = guard.guard(send), guard.guard(send_batch)
        router.on(SendMessage, send)
        router.on(SendMessageV2, send)
        router.on(SendBatchMessage, send_batch)

    def send(
        self, request: SendFields, call: Call, target: Target | None = None
    ) -> Sending:
        """
        Store one message, or a batch if the request is marked as one.

        :param target: where it goes, if that was looked up already.
        :raises Refused: the topic, the queue or the message is not accepted.
        """
        if request.batch:
            return self._batches.send(request, call)
        target = target or self._known_target(request.topic)
        if target is None:
            return self._send_first(request, call)
        queue_id = request.queue_id
        if queue_id < 0 or queue_id >= target.queues or target.is_dead_letter:
            queue_id = target.choose_queue(queue_id)
        if len(request.body) > self._max_size:
            raise too_large(len(request.body), self._max_size)
        draft = self._draft(request, call, target, queue_id)
        stored = self._put(draft, call.received_at)
        is_plain = draft.topic is target.topic
        # A priority may have changed the queue.
        queue_id = draft.queue_id if is_plain else queue_id
        sending = self._respond(request, queue_id, stored)
        end = sending.end if isinstance(sending, AfterFlush) else 0
        self._stats.stored(1, stored.size, call.received_at, end, draft)
        if is_plain:
            return sending
        add_transaction_id(sending, draft)
        notify = self._when_stored.get(draft.topic)
        if notify is not None:
            notify(draft)
        if draft.topic is TIMED_TOPIC:
            add_recall_handle(sending, self._recall_handle(draft))
        return sending

    def _send_first(self, request: SendFields, call: Call) -> Sending:
        """Store a message whose topic may be new; that is registered first."""
        return self._new_topics.hold(
            lambda: self._send_to(request, call, self._targets.find(request, call))
        )

    def _send_to(self, request: SendFields, call: Call, target: Target) -> Sending:
        """Store a message whose target is not cached."""
        if target.window_ms:
            return self._deduped.send(request, call, target, self.send)
        return self.send(request, call, target)
