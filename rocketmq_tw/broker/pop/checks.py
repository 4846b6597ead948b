"""
What the requests of pop have to satisfy, in Apache RocketMQ's order of checks.

Source: ``PopMessageProcessor``, ``NotificationProcessor`` and ``PollingInfoProcessor``
of RocketMQ 5.
"""

from __future__ import annotations

from typing import Protocol

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.pull.filters import Filters, Matches
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.subscription import TAG
from rocketmq_tw.model.topic import PERM_READ
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.pop import PopMessage

#: Messages of one pop, at most.
MAX_COUNT = 32


class Polled(Protocol):
    """What the requests have in common."""

    @property
    def consumer_group(self) -> str:
        """The group."""

    @property
    def topic(self) -> str:
        """The topic."""

    @property
    def queue_id(self) -> int:
        """The queue, or all of them."""


class Filtered(Protocol):
    """What requests with a filter have in common."""

    @property
    def topic(self) -> str:
        """The topic."""

    @property
    def exp_type(self) -> str | None:
        """The kind of the expression."""

    @property
    def exp(self) -> str | None:
        """The expression; None lets everything pass."""


class PopChecks:
    """Checks requests, and makes their filters."""

    def __init__(
        self,
        *,
        config: BrokerConfig,
        filters: Filters,
        topics: TopicTable,
        groups: GroupTable,
    ) -> None:
        self._config = config
        self._topics = topics
        self._groups = groups
        self._filters = filters

    def check_pop(self, request: PopMessage) -> None:
        """
        Check a pop.

        :raises Refused: it is not permitted.
        """
        name = self._config.broker_ip1
        if not self._topics.permission & PERM_READ:
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"the broker[{name}] pop message is forbidden",
            )
        if request.max_msg_nums > MAX_COUNT:
            raise Refused(
                ResponseCode.INVALID_PARAMETER,
                f"the broker[{name}] pop message's num is {request.max_msg_nums};"
                f" expected {MAX_COUNT} at most",
            )
        self.check(request)

    def check(self, request: Polled) -> None:
        """
        Check broker, topic, queue and group.

        :raises TopicNotExist: there is no such topic.
        :raises GroupNotExist: there is no such group.
        :raises Refused: something is not permitted.
        """
        topic = self._topics.require(request.topic)
        if not topic.perm & PERM_READ:
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"the topic[{request.topic}] peeking message is forbidden",
            )
        if request.queue_id >= topic.read_queue_nums or request.queue_id < -1:
            raise Refused(
                ResponseCode.INVALID_PARAMETER,
                f"queueId[{request.queue_id}] is illegal, topic:[{request.topic}]"
                f" topicConfig.readQueueNums:[{topic.read_queue_nums}]",
            )
        group = self._groups.require(request.consumer_group)
        if not group.consume_enable:
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"subscription group no permission, {request.consumer_group}",
            )

    def filter_of(self, request: Filtered) -> Matches:
        """
        Return the filter of a request.

        :raises Refused: its expression cannot be used.
        :raises IllegalSubscription: likewise.
        """
        if not request.exp:
            return None
        kind = request.exp_type or TAG
        if kind != TAG:
            return self._filters.sql(request.exp, kind)
        return self._filters.of(request.topic, request.exp)
