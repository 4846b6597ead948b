"""
The life of a producer: what it is made of, its start, and its clean stop.

Source: ``DefaultMQProducerImpl`` of RocketMQ 5 for the order.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed

from rocketmq_tw.client.child import ChildService
from rocketmq_tw.client.errors import NotRunning, StateError
from rocketmq_tw.client.groups import check_producer_group
from rocketmq_tw.client.identity import MessageKeys
from rocketmq_tw.client.producer.config import ProducerConfig
from rocketmq_tw.client.producer.context import SendContext
from rocketmq_tw.client.producer.in_flight import InFlight
from rocketmq_tw.client.producer.large import LargeBodies
from rocketmq_tw.client.producer.message import Preparation
from rocketmq_tw.client.producer.quick import QuickSender
from rocketmq_tw.client.producer.sends import Sends
from rocketmq_tw.client.replies.requester import Requester
from rocketmq_tw.client.session import ClientSession


class ProducerLife(ChildService):
    """
    What a producer is made of, and how that is started and stopped.

    :param group: the producer group; its name is sent with every message.
    :raises ValidationError: the group's name is not legal.
    :raises GroupInUse: the client has a producer of that group already.
    """

    def __init__(
        self, session: ClientSession, group: str, config: ProducerConfig | None = None
    ) -> None:
        check_producer_group(group)
        self.group = group
        self.config = config = config or ProducerConfig()
        self._session = session
        self._in_flight = InFlight(config.max_in_flight, config.max_in_flight_bytes)
        self._context = SendContext(
            group=group,
            brokers=session.brokers,
            routes=session.routes,
            clock=session.clock,
            in_flight=self._in_flight,
            require_ok=config.require_ok,
        )
        self._quick = QuickSender(self._context)
        self._sends = Sends(self._context, config)
        self._requester = Requester(session)
        self._large = LargeBodies(
            session.run_in_thread,
            session.clock,
            self._in_flight if config.overflow == "fail" else None,
        )
        self._preparation: Preparation | None = None
        self._stopped = False
        session.groups.add_producer(group)

    def startService(self) -> None:
        """
        Prepare to send; the first message finds its route.

        :raises StateError: it was stopped; create another.
        """
        if self._stopped:
            raise StateError("a producer that was stopped cannot start again")
        config = self.config
        # Created here, not in the constructor: a daemon forks between the two.
        self._preparation = Preparation(
            MessageKeys(self._session.clock).next,
            max_size=config.max_message_size,
            compress_from=config.compress_from,
            compress_level=config.compress_level,
            compress_type=config.compress_type,
            in_thread_from=config.compress_in_thread_from,
        )
        if config.trace:
            from rocketmq_tw.client.trace.made import producer_tracer

            self._sends.tracer = producer_tracer(
                self._session, self.group, config.trace
            )
        self._session.brokers.on_lost.append(self._broker_lost)
        super().startService()

    def stopService(self) -> Deferred[None]:
        """
        Accept no more messages, and wait for those in flight.

        :returns: fires once all have a result; those without one after the
            client's grace are cancelled. Never fails.
        """
        if self._stopped:
            return succeed(None)
        self._stopped = True
        if self._preparation is not None:
            self._session.brokers.on_lost.remove(self._broker_lost)
        super().stopService()
        self._preparation = None
        idle = self.flush()
        idle.addTimeout(self._session.grace, self._session.clock)
        idle.addErrback(lambda _: self._cancel_pending())
        idle.addCallback(lambda _: self._sends.stop())
        return idle.addCallback(lambda _: self._leave())

    def _broker_lost(self, address: str) -> None:
        """Avoid a broker as soon as its connection is lost."""
        name = self._session.routes.name_of_master(address)
        if name is not None:
            self._context.faults.failed(name)

    def _leave(self) -> Deferred[None]:
        """Leave the group: first here, so that no heartbeat registers us again."""
        self._requester.stop()
        self._context.time_limits.stop()
        self._session.groups.remove_producer(self.group)
        return self._session.heartbeats.unregister_producer(self.group)

    def _cancel_pending(self) -> None:
        """Cancel all messages in flight, and those that are to be."""
        self._large.cancel()
        for pending in list(self._context.pending):
            pending.result.cancel()

    @property
    def in_flight(self) -> int:
        """How many messages are in flight now."""
        return self._in_flight.messages

    @property
    def in_flight_bytes(self) -> int:
        """Their size in bytes."""
        return self._in_flight.size

    def flush(self) -> Deferred[None]:
        """Fires when no message is in flight any more."""
        if self._large.is_busy:
            return self._large.when_idle().addCallback(lambda _: self.flush())
        return self._in_flight.when_idle()

    def _ready(self) -> Preparation:
        """
        Return what prepares messages; raise NotRunning if the producer is not running.
        """
        if self._preparation is None or not self._session.running:
            state = "stopped or not started yet"
            raise NotRunning(f'the producer of the group "{self.group}" is {state}')
        return self._preparation
