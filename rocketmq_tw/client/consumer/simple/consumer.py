"""
A consumer that asks for messages, and acknowledges each of them.

It owns no queues: all members of a group are given messages of all queues, so there may
be more members than queues, none waits for another, and one that is slow holds up only
what it has. What is not acknowledged in time comes again, to whoever asks.

Needs brokers of 5.x.

Source: ``PopMessageProcessor`` of RocketMQ 5; the shape is that of the simple consumer
of its newer clients.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Final, TypedDict

import msgspec
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.logger import Logger

from rocketmq_tw.client.consumer.compressed import InflateLimits
from rocketmq_tw.client.consumer.expressions import parse_expression
from rocketmq_tw.client.consumer.simple.popped import PoppedMessage, read_popped
from rocketmq_tw.client.errors import NoRouteError, ReceiptExpired
from rocketmq_tw.model.message import TAGS
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.model.topic import check_group_name
from rocketmq_tw.wire.bodies.pop import (
    BatchAck,
    BatchAckMessageRequestBody,
    encode_bit_set,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.pop import (
    ALL_QUEUES,
    FROM_MAX,
    FROM_MIN,
    AckMessage,
    BatchAckMessage,
    ChangeInvisibleTime,
    ChangeInvisibleTimeResponse,
    PopMessage,
)

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession
    from rocketmq_tw.client.trace.popped import PopTrace, PopTracer

#: Seconds for a request; for a pop that waits this is added to its waiting time.
TIMEOUT: Final = 10.0
#: Messages that a broker hands out at once, at most.
MAX_MESSAGES: Final = 32
#: Seconds to wait where too many wait already.
_PAUSE = 1.0


class SimpleConsumerOptions(TypedDict, total=False):
    """The options of :class:`SimpleConsumer`, for type checkers and completion."""

    invisible_time: float
    from_earliest: bool
    trace: bool | str


class SimpleConsumer:
    """
    Asks for messages of any topic, for one group. It keeps no state.

    :param group: the group whose members share the messages.
    :param invisible_time: seconds for which nobody else gets a message.
    :param from_earliest: whether a group that is new begins with the oldest messages.
    :param trace: whether traces of the consumption are written; a text is their topic.
    :ivar tracer: what writes them, to be stopped with the client.
    """

    _log = Logger()

    def __init__(
        self,
        session: ClientSession,
        group: str,
        *,
        invisible_time: float = 60.0,
        from_earliest: bool = True,
        trace: bool | str = False,
    ) -> None:
        check_group_name(group)
        if invisible_time <= 0:
            raise ValueError(f"invisible_time is {invisible_time}; expected above 0")
        self._brokers = session.brokers
        self._routes = session.routes
        self._clock = session.clock
        self._limits = InflateLimits.of(session.config)
        self._invisible_ms = int(invisible_time * 1000)
        self._from_earliest = from_earliest
        self._turns = count()
        self.group = group
        self.tracer: PopTracer | None = None
        if trace:
            from rocketmq_tw.client.trace.made import pop_tracer

            self.tracer = pop_tracer(session, group, trace)

    def receive(
        self,
        topic: str,
        *,
        max_messages: int = MAX_MESSAGES,
        wait: float = 15.0,
        expression: str = "*",
    ) -> Deferred[list[PoppedMessage]]:
        """
        Ask for messages.

        Of several brokers each is asked once; if none has messages, the last one is
        waited for, another one each time.

        :param max_messages: the limit, 32 at most.
        :param wait: seconds that a broker may wait for a message to arrive.
        :param expression: ``*``, or tags separated by ``||``.
        :returns: fires with an empty list if there are none in time; fails with
            :class:`NoRouteError`, or with
            :class:`~rocketmq_tw.remoting.errors.BrokerError` if the broker refuses.
            What a broker hands out after it is cancelled comes again, to whoever asks.
        """
        if not 0 < max_messages <= MAX_MESSAGES:
            raise ValueError(f"max_messages is {max_messages}; expected 1 to 32")
        subscription = parse_expression(topic, expression, 0)
        return Deferred.fromCoroutine(self._receive(subscription, max_messages, wait))

    async def _receive(
        self, subscription: Subscription, max_messages: int, wait: float
    ) -> list[PoppedMessage]:
        """Ask the brokers in turn."""
        names = await self._broker_names(subscription.topic)
        turn = next(self._turns) % len(names)
        names = names[turn:] + names[:turn]
        for name in names:
            for_seconds = wait if name == names[-1] else 0.0
            found = await self._pop(name, subscription, max_messages, for_seconds)
            if found:
                return found
        return []

    async def _broker_names(self, topic: str) -> list[str]:
        """Return the brokers that have the topic."""
        route = await self._routes.find(topic)
        names = sorted({queue.broker_name for queue in route.readable(topic)})
        if not names:
            raise NoRouteError(topic)
        return names

    async def _pop(
        self, name: str, subscription: Subscription, max_messages: int, wait: float
    ) -> list[PoppedMessage]:
        """Ask one broker."""
        topic = subscription.topic
        request = PopMessage(
            consumer_group=self.group,
            topic=topic,
            queue_id=ALL_QUEUES,
            max_msg_nums=max_messages,
            invisible_time=self._invisible_ms,
            poll_time=int(wait * 1000),
            born_time=0,  # the broker's clock counts, ours may be wrong
            init_mode=FROM_MIN if self._from_earliest else FROM_MAX,
            exp_type=subscription.expression_type,
            exp=subscription.sub_string,
        )
        queue = MessageQueue(topic, name, ALL_QUEUES)
        response = await self._brokers.call_for(queue, request, TIMEOUT + wait)
        if response.status == ResponseCode.POLLING_FULL and wait:
            await deferLater(self._clock, min(_PAUSE, wait))
        if response.status:
            return []
        found = read_popped(response, topic, name, self._limits)
        matching = self._matching(found, subscription)
        return matching if self.tracer is None else self._traced(matching, self.tracer)

    def _traced(
        self, received: list[PoppedMessage], tracer: PopTracer
    ) -> list[PoppedMessage]:
        """Trace what the application is about to get, and note it in each message."""
        seconds = self._invisible_ms / 1000
        return [
            msgspec.structs.replace(each, trace=tracer.received(each.message, seconds))
            for each in received
        ]

    def _matching(
        self, found: list[PoppedMessage], subscription: Subscription
    ) -> list[PoppedMessage]:
        """Acknowledge what matches only by the hash code of its tag."""
        tags = subscription.tags_set
        if not tags:
            return found
        others = [
            each for each in found if each.message.properties.get(TAGS) not in tags
        ]
        if not others:
            return found
        self.ack_all(others).addErrback(
            lambda f: self._log.warn(
                "messages that do not match come again: {why}", why=f.getErrorMessage()
            )
        )
        return [each for each in found if each.message.properties.get(TAGS) in tags]

    def ack(self, popped: PoppedMessage) -> Deferred[None]:
        """
        Acknowledge a message: it does not come again.

        :returns: fires when the broker has noted it. A receipt that has expired is no
            error: the message comes again, or has.
        """
        queue, receipt = popped.queue(self.group), popped.receipt
        request = AckMessage(
            consumer_group=self.group,
            topic=queue.topic,
            queue_id=receipt.queue_id,
            extra_info=receipt.encode(),
            offset=receipt.offset,
        )
        done = self._brokers.call_for(queue, request, TIMEOUT)
        return done.addCallback(self._acknowledged, (popped,))

    def _acknowledged(self, _: object, popped: Iterable[PoppedMessage]) -> None:
        """Trace messages whose acknowledgement the broker has noted."""
        if self.tracer is not None:
            for each in popped:
                if each.trace is not None:
                    self.tracer.acknowledged(each.trace)

    def ack_all(self, popped: Sequence[PoppedMessage]) -> Deferred[None]:
        """Acknowledge messages, with one request to each broker; as :meth:`ack`."""
        by_broker: dict[str, list[PoppedMessage]] = {}
        for each in popped:
            by_broker.setdefault(each.receipt.broker_name, []).append(each)
        calls = []
        for name, some in by_broker.items():
            body = BatchAckMessageRequestBody(name, _batches(self.group, some))
            queue = MessageQueue(some[0].topic, name, ALL_QUEUES)
            request = BatchAckMessage(body=body.encode())
            done = self._brokers.call_for(queue, request, TIMEOUT)
            calls.append(done.addCallback(self._acknowledged, some))
        return gatherResults(calls, consumeErrors=True).addCallback(lambda _: None)

    def change_invisible_time(
        self, popped: PoppedMessage, seconds: float
    ) -> Deferred[PoppedMessage]:
        """
        Let a message be invisible for some seconds from now on; 0 gives it back.

        :returns: fires with the message and its next receipt; the old one is of no use
            then. Fails with :class:`ReceiptExpired`.
        """
        queue, receipt = popped.queue(self.group), popped.receipt
        request = ChangeInvisibleTime(
            consumer_group=self.group,
            topic=queue.topic,
            queue_id=receipt.queue_id,
            extra_info=receipt.encode(),
            offset=receipt.offset,
            invisible_time=int(seconds * 1000),
        )

        def changed(response: ChangeInvisibleTimeResponse) -> PoppedMessage:
            if not response.pop_time:
                raise ReceiptExpired(receipt.encode())
            following = msgspec.structs.replace(
                receipt,
                start_offset=receipt.offset,
                pop_time_ms=response.pop_time,
                invisible_ms=response.invisible_time,
                revive_queue=response.revive_qid,
            )
            trace = self._kept(popped.trace, seconds)
            return msgspec.structs.replace(popped, receipt=following, trace=trace)

        return self._brokers.call_for(queue, request, TIMEOUT).addCallback(changed)

    def _kept(self, trace: PopTrace | None, seconds: float) -> PopTrace | None:
        """Trace a message that is invisible for some seconds more, or given back."""
        if self.tracer is None or trace is None:
            return None
        if seconds > 0:
            return self.tracer.kept(trace, seconds)
        self.tracer.given_back(trace)
        return None


def _batches(group: str, popped: Sequence[PoppedMessage]) -> tuple[BatchAck, ...]:
    """Return the acknowledgements of messages, one entry for each pop of a queue."""
    offsets: dict[tuple[str, int, int, int, int, int, int], list[int]] = {}
    for each in popped:
        receipt = each.receipt
        key = (
            each.topic,
            receipt.start_offset,
            receipt.queue_id,
            receipt.revive_queue,
            receipt.pop_time_ms,
            receipt.invisible_ms,
            receipt.retry,
        )
        offsets.setdefault(key, []).append(receipt.offset)
    return tuple(
        BatchAck(
            consumer_group=group,
            topic=topic,
            start_offset=start,
            queue_id=queue_id,
            revive_queue_id=revive_queue,
            pop_time=pop_time_ms,
            invisible_time=invisible_ms,
            retry=str(retry),
            bit_set=encode_bit_set(each - start for each in some),
        )
        for (
            topic,
            start,
            queue_id,
            revive_queue,
            pop_time_ms,
            invisible_ms,
            retry,
        ), some in offsets.items()
    )
