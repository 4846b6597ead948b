"""
The general way of prepared messages, with the rules for further attempts.

Single messages take the short way where they can
(:mod:`rocketmq_tw.client.producer.quick`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail, succeed

from rocketmq_tw.client.errors import QueueFull
from rocketmq_tw.client.producer.attempt import Transmit, call
from rocketmq_tw.client.producer.config import ProducerConfig
from rocketmq_tw.client.producer.context import SendContext
from rocketmq_tw.client.producer.message import Prepared
from rocketmq_tw.client.producer.pending import PendingSend
from rocketmq_tw.client.producer.results import SendResult
from rocketmq_tw.client.producer.retry import Repeat, RetryPolicy
from rocketmq_tw.client.producer.selectors import Choice

if TYPE_CHECKING:
    from rocketmq_tw.client.trace.tracer import ProducerTracer

ONE_WAY = RetryPolicy(Repeat.NEVER)


class Sends:
    """
    Sends the prepared messages of one producer.

    :ivar retry: the rules where any queue will do; ``retry_in_order``: where one was
        chosen.
    :ivar tracer: traces the messages; None does not.
    """

    def __init__(self, context: SendContext, config: ProducerConfig) -> None:
        self._context = context
        self._config = config
        in_order = Repeat.IF_NOT_STORED if config.retries else Repeat.NEVER
        self.retry_in_order = RetryPolicy(in_order)
        any_queue = Repeat.IF_RETRYABLE if config.retries else Repeat.NEVER
        self.retry = RetryPolicy(any_queue, 1 + config.retries)
        self.tracer: ProducerTracer | None = None

    def send(
        self, prepared: Prepared, choice: Choice | None, timeout: float | None
    ) -> Deferred[SendResult]:
        """Send a message or a batch; it is traced."""
        retry = self.retry if choice is None else self.retry_in_order
        sending = self.start(prepared, choice, timeout, retry, call)
        tracer = self.tracer
        return sending if tracer is None else tracer.watch(prepared, sending)

    def start(
        self,
        prepared: Prepared,
        choice: Choice | None,
        timeout: float | None,
        retry: RetryPolicy,
        transmit: Transmit,
    ) -> Deferred[Any]:
        """Send a message by these rules."""
        config = self._config
        if config.overflow == "fail":
            try:
                self._context.in_flight.check(prepared.size)
            except QueueFull:
                return fail()
        limit = config.timeout if timeout is None else timeout
        pending = PendingSend(self._context, prepared, choice, limit, retry, transmit)
        pending.start()
        return pending.result

    def stop(self) -> Deferred[None]:
        """Send the traces that wait; never fails."""
        return succeed(None) if self.tracer is None else self.tracer.stop()
