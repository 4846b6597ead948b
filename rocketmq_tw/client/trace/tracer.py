"""
Traces of one producer or consumer.

Off by default, and then nothing of this is imported or called. A message whose broker
has said that it wants no traces (``TRACE_ON``) is not traced, nor are messages of the
topic of traces.

Source: ``SendMessageTraceHookImpl``, ``EndTransactionTraceHookImpl`` and
``RecallMessageTraceHook`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.client.producer.message import Prepared
from rocketmq_tw.client.producer.results import SendResult, SendStatus
from rocketmq_tw.client.trace.dispatcher import TraceDispatcher
from rocketmq_tw.client.transactions.verdict import COMMIT, ROLLBACK, UNKNOWN, Verdict
from rocketmq_tw.model.message import (
    DELAY,
    KEY_SEPARATOR,
    KEYS,
    MSG_REGION,
    TAGS,
    TIMERS,
    TRACE_ON,
    TRAN_MSG,
    StoredMessage,
)
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.requests.recall import RecallResponse
from rocketmq_tw.wire.trace import (
    TracedKind,
    TracedMessage,
    published,
    recalled,
    transaction_ended,
)

if TYPE_CHECKING:
    from rocketmq_tw.client.transactions.transaction import Transaction

_DELAYS = TIMERS | {DELAY}
#: As in traces.
_STATES = {
    COMMIT: "COMMIT_MESSAGE",
    ROLLBACK: "ROLLBACK_MESSAGE",
    UNKNOWN: "UNKNOW",
}


class ProducerTracer:
    """
    Traces what one producer does.

    :param group: the producer group.
    :param address: returns the address of a broker's master, by the broker's name.
    :param now: returns the time of day, in seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self,
        dispatcher: TraceDispatcher,
        *,
        group: str,
        address: Callable[[str], str | None],
        now: Callable[[], float],
    ) -> None:
        self._dispatcher = dispatcher
        self._group = group
        self._address = address
        self._now = now

    def watch(
        self, prepared: Prepared, sending: Deferred[SendResult]
    ) -> Deferred[SendResult]:
        """Trace a message once it is stored; one that cannot be sent has no trace."""
        if prepared.topic == self._dispatcher.topic:
            return sending
        begin = self._now()

        def sent(result: SendResult) -> SendResult:
            try:
                self._sent(prepared, result, begin)
            except Exception:
                self._log.failure("a message was not traced")
            return result

        return sending.addCallback(sent)

    def _sent(self, prepared: Prepared, result: SendResult, begin: float) -> None:
        if not result.trace_on:
            return
        table = properties.decode(prepared.properties)
        message = TracedMessage(
            prepared.topic, result.message_id, table.get(TAGS), table.get(KEYS)
        )
        record = published(
            message,
            time_ms=int(begin * 1000),
            region=result.region_id,
            group=self._group,
            host=self._address(result.queue.broker_name) or "?",
            size=len(prepared.body),
            cost_ms=max(0, int((self._now() - begin) * 1000)),
            kind=_kind(table),
            offset_id=result.offset_message_id,
            success=result.status is SendStatus.SEND_OK,
        )
        self._dispatcher.add(prepared.topic, [(message, record)])

    def transaction_ended(
        self,
        message: TracedMessage,
        *,
        region: str,
        host: str,
        transaction_id: str | None,
        state: str,
        from_check: bool,
    ) -> None:
        """
        Trace the end of a transaction.

        :param region: of the half message's result.
        :param host: the broker's, as ``host:port``.
        :param state: ``COMMIT_MESSAGE``, ``ROLLBACK_MESSAGE`` or ``UNKNOW``.
        """
        record = transaction_ended(
            message,
            time_ms=int(self._now() * 1000),
            region=region,
            group=self._group,
            host=host,
            transaction_id=transaction_id,
            state=state,
            from_check=from_check,
        )
        self._dispatcher.add(message.topic, [(message, record)])

    def transaction_closed(self, transaction: Transaction) -> None:
        """Trace a transaction that is not open any more."""
        message, sent = transaction.message, transaction.sent
        if not sent.trace_on:
            return
        keys = KEY_SEPARATOR.join(message.keys)
        self.transaction_ended(
            TracedMessage(message.topic, transaction.id, message.tag, keys),
            region=sent.region_id,
            host=self._address(sent.queue.broker_name) or "?",
            transaction_id=transaction.id,
            state=_STATES[transaction.verdict or UNKNOWN],
            from_check=False,
        )

    def transaction_checked(
        self, message: StoredMessage, verdict: Verdict, host: str
    ) -> None:
        """
        Trace what a checker has said.

        :param host: the broker that asked, as ``host:port``.
        """
        kept = message.properties
        if kept.get(TRACE_ON) == "false":
            return
        self.transaction_ended(
            TracedMessage(
                message.topic, message.message_id, message.tag, kept.get(KEYS)
            ),
            region=kept.get(MSG_REGION, ""),
            host=host,
            transaction_id=message.unique_key,
            state=_STATES[verdict],
            from_check=True,
        )

    def recalled(
        self, topic: str, message_id: str, *, region: str, success: bool
    ) -> None:
        """Trace the recall of a delayed message."""
        record = recalled(
            topic,
            message_id,
            time_ms=int(self._now() * 1000),
            region=region,
            group=self._group,
            success=success,
        )
        self._dispatcher.add(topic, [(TracedMessage(topic, message_id), record)])

    def recall_stored(self, response: RecallResponse, topic: str) -> RecallResponse:
        """Trace a recall that a broker has stored, unless it names no region."""
        if response.region:
            self.recalled(topic, response.msg_id, region=response.region, success=True)
        return response

    def stop(self) -> Deferred[None]:
        """Send what waits; never fails."""
        return self._dispatcher.stop()


def _kind(table: dict[str, str]) -> TracedKind:
    """Return the kind of a message by its properties."""
    if table.get(TRAN_MSG, "").lower() == "true":
        return TracedKind.HALF
    if not _DELAYS.isdisjoint(table):
        return TracedKind.DELAY
    return TracedKind.NORMAL
