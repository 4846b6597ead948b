"""
The producer: sends messages, one Deferred each.

Source: ``DefaultMQProducer`` of RocketMQ 5 for the defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self, cast

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger

from rocketmq_tw.client.errors import (
    NotRunning,
    QueueFull,
    StateError,
    ValidationError,
)
from rocketmq_tw.client.identity import MessageKeys
from rocketmq_tw.client.producer.attempt import (
    Channel,
    Choice,
    Sending,
    Transmit,
    ask,
    tell,
)
from rocketmq_tw.client.producer.in_flight import InFlight
from rocketmq_tw.client.producer.message import Preparation, Prepared
from rocketmq_tw.client.producer.results import SendResult
from rocketmq_tw.client.producer.selectors import Key, Selector, by_java_hash
from rocketmq_tw.client.session import ClientSession
from rocketmq_tw.model.errors import IllegalName
from rocketmq_tw.model.group import DEFAULT_PRODUCER_GROUP
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import check_group_name


class ProducerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a producer sends. Times are seconds, sizes are bytes."""

    #: For one message, all attempts together.
    timeout: float = 3.0
    #: How many more attempts follow one that failed in passing.
    retries: int = 2
    max_in_flight: int = 1024
    max_in_flight_bytes: int = 64 * 1024 * 1024
    #: What happens to a message beyond these two: it waits its turn, or fails.
    overflow: Literal["wait", "fail"] = "wait"
    #: Bodies of at least so many bytes are packed (zlib).
    compress_from: int = 4096
    compress_level: int = 5
    #: Of a body before it is packed, or of a batch.
    max_message_size: int = 4 * 1024 * 1024
    #: Whether a message that was stored, though not as safely as asked, is a failure.
    require_ok: bool = False


class Producer(Service):
    """
    Sends messages. Made by :meth:`rocketmq_tw.client.client.Client.producer`.

    :param group: the producer group; its name goes with every message.
    :raises ValidationError: no producer group may be called so.
    :raises GroupInUse: the client has a producer of that group.
    """

    _log = Logger()

    def __init__(
        self, session: ClientSession, group: str, config: ProducerConfig | None = None
    ) -> None:
        check_producer_group(group)
        self.group = group
        self.config = config = config or ProducerConfig()
        self._session = session
        self._flow = InFlight(config.max_in_flight, config.max_in_flight_bytes)
        self._channel = Channel(session, group, self._flow, config.require_ok)
        self._preparation: Preparation | None = None
        self._stopped = False
        session.add_producer(group)

    # -- life

    def startService(self) -> None:
        """
        Be ready to send; the first message finds its route.

        :raises StateError: it was stopped; make another.
        """
        if self._stopped:
            raise StateError("a producer that was stopped cannot start again")
        config = self.config
        # Made here and not before: a daemon forks between the two.
        self._preparation = Preparation(
            MessageKeys(self._session.reactor).next,
            config.max_message_size,
            config.compress_from,
            config.compress_level,
        )
        super().startService()

    def stopService(self) -> Deferred[None]:
        """
        Take no more messages, and wait for those under way.

        :returns: fires once all have their result; those that have none after the
            client's grace are cancelled. Never fails.
        """
        if self._stopped:
            return succeed(None)
        self._stopped = True
        super().stopService()
        self._preparation = None
        idle = self._flow.when_idle()
        idle.addTimeout(self._session.grace, self._session.reactor)
        idle.addErrback(lambda _: self._give_up())
        return idle.addCallback(lambda _: self._leave())

    def start(self) -> Deferred[Self]:
        """
        Start, if the client has not started it already.

        :returns: fires at once; fails with :class:`StateError` if it was stopped.
        """
        if not self.running:
            try:
                self.startService()
            except StateError:
                return fail()
        return succeed(self)

    def stop(self) -> Deferred[None]:
        """Stop this producer alone, for good; see :meth:`stopService`."""
        if self.parent is not None and self.parent.running:
            stopped = self.disownServiceParent()
            return cast(Deferred[None], stopped)
        if self.parent is not None:
            self.disownServiceParent()
        return self.stopService()

    async def __aenter__(self) -> Self:
        """Start."""
        return await self.start()

    async def __aexit__(self, *_exception: object) -> None:
        """Stop, waiting for the messages under way."""
        await self.stop()

    def _leave(self) -> Deferred[None]:
        """Be named in the heartbeats no longer."""
        self._session.remove_producer(self.group)
        return self._session.unregister(self.group, consumer=False)

    def _give_up(self) -> None:
        """Cancel what is under way."""
        for sending in list(self._channel.under_way):
            sending.result.cancel()

    # -- sending

    @property
    def in_flight(self) -> int:
        """How many messages are on their way now."""
        return self._flow.messages

    @property
    def in_flight_bytes(self) -> int:
        """Their size in bytes."""
        return self._flow.size

    def send(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        key: Key | None = None,
        selector: Selector | None = None,
        timeout: float | None = None,
    ) -> Deferred[SendResult]:
        """
        Send a message.

        Where none of the three is given, the queues are taken in turn, and a failure
        that may pass is tried again elsewhere. Otherwise one attempt is made, to keep
        order.

        :param queue: where to.
        :param key: messages of equal keys go to one queue, the one Java would choose.
        :param selector: chooses the queue from the topic's, the message and ``key``.
        :param timeout: seconds, for all attempts; else the configuration's.
        :returns: fires when the broker has stored the message. Fails with
            :class:`ValidationError`, :class:`NotRunning`, :class:`QueueFull`,
            :class:`NoRouteError`, :class:`NameServerUnavailable`, :class:`NotDurable`
            or :class:`SendError`, which lists the attempts. Cancelling it makes no
            further attempt: see :class:`SendCancelled` for what became of the message.
        """
        try:
            prepared, choice = self._one(message, queue, key, selector)
        except Exception:
            return fail()
        return self._start(prepared, choice, timeout, ask)

    def send_oneway(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        key: Key | None = None,
        selector: Selector | None = None,
        timeout: float | None = None,
    ) -> Deferred[None]:
        """
        Send a message that the broker does not answer.

        :returns: fires once the message is handed to the socket and that takes more:
            who waits for it is slowed down to what the network takes. Fails as
            :meth:`send` does; nothing tells whether the broker has stored the message.
        """
        try:
            prepared, choice = self._one(message, queue, key, selector)
        except Exception:
            return fail()
        return self._start(prepared, choice, timeout, tell)

    def send_batch(
        self,
        messages: Sequence[Message],
        *,
        queue: MessageQueue | None = None,
        key: Key | None = None,
        selector: Selector | None = None,
        timeout: float | None = None,
    ) -> Deferred[SendResult]:
        """
        Send messages of one topic in one request, to one queue.

        :returns: as :meth:`send` does; the queue offset is that of the first message.
            Fails with :class:`ValidationError` if they are too large or do not go
            together.
        """
        try:
            preparation = self._ready()
            prepared = preparation.together(messages)
            choice = _choice(messages[0], queue, key, selector)
        except Exception:
            return fail()
        return self._start(prepared, choice, timeout, ask)

    def flush(self) -> Deferred[None]:
        """Fire once no message is on its way any more."""
        return self._flow.when_idle()

    def _ready(self) -> Preparation:
        """Give what prepares messages; raise if we are not running."""
        if self._preparation is None or not self._session.running:
            state = "stopped or not started yet"
            raise NotRunning(f'the producer of the group "{self.group}" is {state}')
        return self._preparation

    def _one(
        self,
        message: Message,
        queue: MessageQueue | None,
        key: Key | None,
        selector: Selector | None,
    ) -> tuple[Prepared, Choice | None]:
        """Prepare one message, and what chooses its queue; raise if it is refused."""
        preparation = self._ready()
        choice = _choice(message, queue, key, selector)
        return preparation.one(message), choice

    def _start(
        self,
        prepared: Prepared,
        choice: Choice | None,
        timeout: float | None,
        transmit: Transmit,
    ) -> Deferred[Any]:
        """Send what is prepared."""
        config, flow = self.config, self._flow
        if config.overflow == "fail" and not flow.fits(prepared.size):
            on_way = f"{flow.messages} messages of {flow.size} bytes are on their way"
            return fail(QueueFull(on_way))
        sending = Sending(
            self._channel,
            prepared,
            choice,
            config.timeout if timeout is None else timeout,
            1 if choice is not None or transmit is tell else 1 + config.retries,
            transmit,
        )
        sending.start()
        return sending.result


def check_producer_group(group: str) -> None:
    """
    Check that a producer group may be called so.

    :raises ValidationError: it may not.
    """
    try:
        check_group_name(group)
    except IllegalName as error:
        raise ValidationError(str(error)) from error
    if group == DEFAULT_PRODUCER_GROUP:
        raise ValidationError(f'"{group}" is reserved; choose a name of your own')


def _choice(
    message: Message,
    queue: MessageQueue | None,
    key: Key | None,
    selector: Selector | None,
) -> Choice | None:
    """Make the function that chooses the queue; None if any will do."""
    if queue is not None:
        if key is not None or selector is not None:
            raise ValidationError("a queue is given, and a key or selector as well")
        if queue.topic != message.topic:
            raise ValidationError(f'{queue} is not of the topic "{message.topic}"')
        chosen = queue
        return lambda _queues: chosen
    if key is None and selector is None:
        return None
    choose = selector or by_java_hash
    return lambda queues: choose(queues, message, key)
