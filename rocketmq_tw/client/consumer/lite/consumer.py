"""
The pull consumer: the application asks for messages, and says what is committed.

It is a member of a group (``subscribe``), or reads queues of its choice (``assign``).
Every message is delivered at least once: what a poll has returned is committed only
after the application has dealt with it.

Source: ``DefaultLitePullConsumer`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Self, Unpack

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IConsumer

from rocketmq_tw.client.consumer.config import StopReport
from rocketmq_tw.client.consumer.group.assignment import QueueListener
from rocketmq_tw.client.consumer.lifetime import Lifetime, State
from rocketmq_tw.client.consumer.lite.config import (
    PullConsumerConfig,
    PullConsumerOptions,
)
from rocketmq_tw.client.consumer.lite.iteration import Iteration, Iterations
from rocketmq_tw.client.consumer.lite.reading import Reading
from rocketmq_tw.client.consumer.lite.seeks import Seeks
from rocketmq_tw.client.consumer.lite.sources import Sources
from rocketmq_tw.client.consumer.lite.stream import Stream
from rocketmq_tw.client.errors import NotRunning, StateError, ValidationError
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import check_group_name, check_topic_name

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession


class PullConsumer(Service):
    """
    Reads queues for an application that asks for messages. It cannot be started again
    after a stop.

    :param options: see :class:`PullConsumerConfig`.
    :raises IllegalGroup: the group's name is not legal.
    :raises ValidationError: an option is out of its range.
    :raises UnknownStrategy: the strategy does not exist.
    """

    def __init__(
        self,
        session: ClientSession,
        group: str,
        **options: Unpack[PullConsumerOptions],
    ) -> None:
        check_group_name(group)
        self.group = group
        self.config = config = PullConsumerConfig(**options)
        self._session = session
        self._life = Lifetime(group)
        self._sources = sources = Sources(session, group)
        self._reading = reading = Reading(
            session=session,
            group=group,
            config=config,
            topics=lambda: sources.topics,
            subscription_of=sources.subscription_of,
            queues_changed=sources.queues_changed,
        )
        sources.connect(reading)
        self._seeks = Seeks(session.brokers, reading)
        self._iterations = Iterations(reading.delivery, self._loops_left)

    # -- what to read

    def subscribe(self, topic: str, expression: str = "*") -> None:
        """
        Read a topic as a member of the group, which shares its queues. All members must
        have the same subscriptions.

        :param expression: ``*``, tags separated by ``||``, ``Tags("A", "B")``, or
            ``Sql("amount > 100")``.
        :raises IllegalTopic: the topic's name is not legal.
        :raises IllegalSubscription: the expression contains no tag.
        :raises StateError: the consumer has chosen its queues.
        :raises GroupInUse: this client has another consumer in the group.
        """
        check_topic_name(topic)
        self._sources.subscribe(topic, expression)

    def unsubscribe(self, topic: str) -> None:
        """Stop reading a topic."""
        self._sources.unsubscribe(topic)

    def assign(self, queues: Iterable[MessageQueue], expression: str = "*") -> None:
        """
        Read just these queues, whatever the other members of the group read. Offsets
        are stored under the group's name.

        :param expression: which messages of them to read, as in :meth:`subscribe`.
        :raises StateError: the consumer has subscribed to topics.
        """
        self._sources.assign(queues, expression)

    # -- life

    def start(self) -> Deferred[Self]:
        """
        Start, and join the group if there is a subscription. Subscribing and choosing
        queues is possible later, too.

        :returns: fires after the first rebalance, even if that fails: a topic
            that does not exist yet is read once it does.
            Fails with :class:`NotRunning` when the client is not started, or
            :class:`GroupInUse`. If the consumer is stopped meanwhile, it fires after
            the stop. Cancelling it stops the consumer.
        """
        return self._life.start(self._start(), lambda: self._begin_stop(0, wait=False))

    def startService(self) -> None:
        """
        Start in the background with the client, if there is something to read already.
        """
        super().startService()
        if self._life.state is State.NEW and self._sources:
            self.start().addErrback(self._life.log_not_started)

    def stop(self, grace: float | None = None) -> Deferred[StopReport]:
        """
        End the loops over messages, commit, leave the group.

        A loop may finish its body first, so do not wait for this inside of the body:
        break out of the loop instead. Messages that the last :meth:`poll` returned are
        not committed by this, since it may be called at any time: call :meth:`commit`
        before, or leave ``async with``.

        :param grace: seconds for the bodies of loops; default: the client's. Cancelling
            the Deferred ends it.
        :returns: the work that was not completed; never fails.
        """
        return self._begin_stop(grace, wait=bool(self._iterations))

    def stopService(self) -> Deferred[StopReport]:
        """
        See :meth:`stop`. If the reactor stops, it waits until the application polls
        again, too, and has so dealt with its messages.
        """
        super().stopService()
        wait = bool(self._iterations) or self._session.in_shutdown
        return self._begin_stop(None, wait)

    async def __aenter__(self) -> Self:
        """Start; see :meth:`start`."""
        return await self.start()

    async def __aexit__(self, kind: object, *_exception: object) -> None:
        """
        Stop; unless there is an exception, all delivered messages were dealt with.
        """
        if kind is None:
            self._reading.cursors.confirm()
        await self._begin_stop(None, wait=False)

    @property
    def done(self) -> Deferred[None]:
        """A new Deferred at each access, which fires when the consumer has stopped."""
        return self._life.done

    async def _start(self) -> Self:
        """Start reading; if that fails, stop everything."""
        self._life.check_new()
        if not self._session.running:
            raise NotRunning("start the client first")
        self._life.state = State.STARTING
        try:
            self._reading.start()
            await self._sources.start()
        except BaseException:
            await self._begin_stop(0, wait=False)
            raise
        await self._life.has_started()
        return self

    def _begin_stop(self, grace: float | None, wait: bool) -> Deferred[StopReport]:
        """
        Stop, or wait for the stop that has begun.

        :param wait: whether to wait for the messages in hand.
        """
        if self._life.state in (State.STOPPING, State.STOPPED):
            if not wait:
                self._reading.cursors.abandon()
            return self.done.addCallback(lambda _: StopReport())
        if self._life.state is State.NEW:
            self._stopped()
            return succeed(StopReport())
        self._life.state = State.STOPPING
        seconds = self._session.grace if grace is None else grace
        return Deferred.fromCoroutine(self._stop(seconds, wait))

    async def _stop(self, grace: float, wait: bool) -> StopReport:
        """Stop reading, then leave the group."""
        report = await self._reading.stop(grace, wait)
        await self._sources.leave()
        self._stopped()
        return report

    def _loops_left(self) -> None:
        """If the stop waits for the body of a loop that was left, end that."""
        if self._life.state is State.STOPPING and not self._session.in_shutdown:
            self._reading.cursors.abandon()

    def _stopped(self) -> None:
        """Fire what waits for messages, and then the Deferreds of :attr:`done`."""
        self._life.state = State.STOPPED
        self._reading.delivery.close()
        self._life.end()

    # -- messages

    def poll(
        self, max_messages: int = 32, timeout: float | None = 5.0
    ) -> Deferred[list[StoredMessage]]:
        """
        Return pulled messages, of all queues in turns.

        Polling again means that what the last poll returned has been dealt with.

        :param timeout: seconds until it fires with an empty list; None waits for ever.
        :returns: cancelling it loses no message.
            Fails with :class:`NotRunning`, and :class:`StateError` if another poll
            waits or there is nothing to read.
        """
        try:
            self._check_pollable(max_messages)
        except (StateError, ValidationError):
            return fail()
        return self._reading.delivery.poll(max_messages, timeout)

    def put_back(self) -> None:
        """
        Undo the last poll, whose messages could not be dealt with: a later poll returns
        them again.
        """
        self._reading.delivery.put_back()

    def __aiter__(self) -> Iteration[StoredMessage]:
        """Loop over single messages, until the consumer is stopped."""
        self._check_pollable(1)
        return self._iterations.begin(1, lambda messages: messages[0])

    def end_loops(self) -> None:
        """Deliver no more messages: a loop ends after its body. Then stop it."""
        self._reading.delivery.close()

    def batches(self, max_messages: int = 32) -> Iteration[list[StoredMessage]]:
        """Loop over lists of messages, until the consumer is stopped."""
        self._check_pollable(max_messages)
        return self._iterations.begin(max_messages, lambda messages: messages)

    def stream_to(
        self, to: IConsumer, encode: Callable[[StoredMessage], bytes]
    ) -> Deferred[None]:
        """
        Write messages to a transport, as fast as it takes them. A message that was
        written has been dealt with.

        :returns: fires when the consumer is stopped, or ``to`` takes no more; fails if
            ``encode`` does. Cancelling it ends the stream.
        """
        return Stream(self.__aiter__(), to, encode).start()

    def _check_pollable(self, max_messages: int) -> None:
        """Check that messages can come."""
        if self._life.state in (State.NEW, State.STOPPED):
            raise NotRunning(f"the consumer is {self._life.state.value}")
        if not self._sources:
            raise StateError("there is nothing to read: subscribe or assign first")
        if max_messages < 1:
            raise ValidationError(f"max_messages is {max_messages}; expected 1 or more")

    # -- offsets

    def commit(
        self, offsets: Mapping[MessageQueue, int] | None = None
    ) -> Deferred[dict[MessageQueue, int]]:
        """
        Store offsets at the brokers, and wait for their responses.

        :param offsets: the offset of the next message to read, for each queue; None
            stores the positions in all queues: all delivered messages were dealt with.
        :returns: the stored offsets. Fails with :class:`NotAssigned`, or with
            :class:`CommitError`, which lists the queues that failed.
        """
        if offsets is None:
            self._reading.cursors.confirm()
            offsets = self._reading.cursors.positions()
        return Deferred.fromCoroutine(self._reading.commit(offsets))

    def committed(self, queue: MessageQueue) -> Deferred[int | None]:
        """Return the group's stored offset in a queue; None if there is none."""
        return self._reading.offsets.fetch(queue)

    def position(self, queue: MessageQueue) -> int:
        """
        Return the queue offset at which the next poll continues.

        :raises NotAssigned: the queue is not assigned.
        """
        return self._reading.cursors.get(queue).position

    def seek(self, queue: MessageQueue, offset: int) -> Deferred[int]:
        """
        Continue at another offset of a queue.

        :returns: the offset. Fails with :class:`NotAssigned`, or
            :class:`OffsetOutOfRange` if the queue does not contain it.
        """
        return Deferred.fromCoroutine(self._seeks.to_offset(queue, offset))

    def seek_to_begin(self, queue: MessageQueue) -> Deferred[int]:
        """Continue at the oldest message; fails with :class:`NotAssigned`."""
        return Deferred.fromCoroutine(self._seeks.to_begin(queue))

    def seek_to_end(self, queue: MessageQueue) -> Deferred[int]:
        """Continue with messages sent from now; fails with :class:`NotAssigned`."""
        return Deferred.fromCoroutine(self._seeks.to_end(queue))

    def seek_to_time(
        self, queue: MessageQueue, when: datetime | float
    ) -> Deferred[int]:
        """
        Continue at the first message stored at or after a time.

        :param when: a time, or seconds since the epoch.
        :returns: the offset. Fails with :class:`NotAssigned`.
        """
        return Deferred.fromCoroutine(self._seeks.to_time(queue, when))

    # -- assigned queues

    def assignment(self) -> list[MessageQueue]:
        """Return the queues that are assigned to this consumer now, sorted."""
        return self._reading.assignment.queues

    def on_assigned(self, listener: QueueListener) -> None:
        """Call ``listener`` with the queues of each new assignment."""
        self._reading.assignment.on_assigned.append(listener)

    def on_revoked(self, listener: QueueListener) -> None:
        """Call ``listener`` with revoked queues; it has ``revoke_grace`` to finish."""
        self._reading.assignment.on_revoked.append(listener)

    def pause(self, queues: Iterable[MessageQueue] | None = None) -> None:
        """
        Deliver no messages of some queues, or of all, even if they are revoked and
        assigned again.
        """
        self._reading.assignment.pause(queues)

    def resume(self, queues: Iterable[MessageQueue] | None = None) -> None:
        """Continue to deliver messages of some queues, or of all."""
        self._reading.assignment.resume(queues)
        self._reading.delivery.wake()
