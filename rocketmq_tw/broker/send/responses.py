"""
The responses to sends: where the messages were stored, now or when they are safe.

Source: ``SendMessageProcessor.handlePutMessageResult`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.send.properties import waits_for_flush
from rocketmq_tw.model.message import UNIQ_KEY
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.remoting.durable import AfterFlush, DurableLog
from rocketmq_tw.store.interfaces import Appended
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.requests.send import SendFields, SendResponse

#: The response to a send, at once or when the message is safe.
Sending = SendResponse | AfterFlush | Deferred[Any]

_HALF_TOPIC = TRANS_HALF_TOPIC.encode()


class SendResponses:
    """
    Makes the responses of one broker.

    :param store_host: the broker's address, encoded; each message id starts with it.
    :param region: part of every response, like ``trace_on``.
    :param log: what senders wait for: the disk, slaves, or both; None if they do not.
    """

    def __init__(
        self,
        *,
        log: DurableLog | None,
        store_host: bytes,
        region: str,
        trace_on: str,
    ) -> None:
        self._log = log
        self._id_format = store_host.hex().upper() + "%016X"
        self._region = region
        self._trace_on = trace_on

    def single(self, request: SendFields, queue_id: int, stored: Appended) -> Sending:
        """Return the response to a send of one message."""
        response = self.now(queue_id, stored)
        if self._log is not None:
            return self._when_safe(response, request, stored, self._log)
        return response

    def now(self, queue_id: int, stored: Appended) -> SendResponse:
        """Return the response to a sender who does not wait until it is safe."""
        return SendResponse(
            msg_id=self._id_format % stored.commit_log_offset,
            queue_id=queue_id,
            queue_offset=stored.queue_offset,
            region=self._region,
            trace_on=self._trace_on,
        )

    def unstored(self, message_id: str, queue_id: int) -> SendResponse:
        """Return the response for a message that was taken, and is not stored."""
        return SendResponse(
            msg_id=message_id,
            queue_id=queue_id,
            queue_offset=0,
            region=self._region,
            trace_on=self._trace_on,
        )

    def batch(
        self,
        request: SendFields,
        queue_id: int,
        stored: Sequence[Appended],
        last: Appended | None = None,
    ) -> Sending:
        """
        Return the response to a batch: the ids of all its messages.

        :param last: the one whose record is the last, if that is not the last message.
        """
        response = SendResponse(
            msg_id=",".join(
                self._id_format % each.commit_log_offset for each in stored
            ),
            queue_id=queue_id,
            queue_offset=stored[0].queue_offset,
            region=self._region,
            trace_on=self._trace_on,
        )
        if self._log is not None:
            return self._when_safe(response, request, last or stored[-1], self._log)
        return response

    def awaited(self, request: SendFields, last: Appended) -> int:
        """Return the offset up to which a sender waits for the log; 0 for nothing."""
        if self._log is None or not waits_for_flush(request.properties or ""):
            return 0
        return last.commit_log_offset + last.size

    def _when_safe(
        self,
        response: SendResponse,
        request: SendFields,
        last: Appended,
        log: DurableLog,
    ) -> Sending:
        """
        Return the response for when the message is safe, unless the sender does not
        wait for that.
        """
        if not waits_for_flush(request.properties or ""):
            return response
        end = last.commit_log_offset + last.size
        return AfterFlush(response, end, log)


def response_of(sending: Sending) -> SendResponse | None:
    """Return the response to what was stored; None while that is not known."""
    response = sending.response if isinstance(sending, AfterFlush) else sending
    return response if isinstance(response, SendResponse) else None


def add_recall_handle(sending: Sending, handle: str | None) -> None:
    """Let the response to a timed message have what recalls it."""
    response = response_of(sending)
    if response is not None:
        response.recall_handle = handle


def add_transaction_id(sending: Sending, draft: Draft) -> None:
    """Let the response to a half message have its unique key, as clients expect."""
    if draft.topic != _HALF_TOPIC:
        return
    response = response_of(sending)
    if response is not None:
        text = draft.properties.decode("utf-8", "replace")
        response.transaction_id = properties.find(text, UNIQ_KEY)
