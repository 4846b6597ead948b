"""The producer and consumer groups to which one client belongs."""

from __future__ import annotations

from typing import Protocol

from twisted.logger import Logger

from rocketmq_tw.client.errors import GroupInUse, ValidationError
from rocketmq_tw.model.errors import IllegalName
from rocketmq_tw.model.group import DEFAULT_PRODUCER_GROUP
from rocketmq_tw.model.topic import check_group_name
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData, HeartbeatData, ProducerData


class ConsumerMember(Protocol):
    """The methods of a consumer that the client calls."""

    def consumer_data(self) -> ConsumerData:
        """Return the consumer's part of a heartbeat."""

    def members_changed(self) -> None:
        """Called when the group's members, or a broker's connection, have changed."""


class Groups:
    """At most one producer and one consumer for each group; false if there are none."""

    _log = Logger()

    def __init__(self) -> None:
        self._producers: set[str] = set()
        self._consumers: dict[str, ConsumerMember] = {}

    def __bool__(self) -> bool:
        return bool(self._producers or self._consumers)

    @property
    def producers(self) -> list[str]:
        """The producer groups, sorted."""
        return sorted(self._producers)

    @property
    def consumers(self) -> list[str]:
        """The consumer groups, sorted."""
        return sorted(self._consumers)

    def add_producer(self, group: str) -> None:
        """
        Join a producer group.

        :raises GroupInUse: the client is one already.
        """
        if group in self._producers:
            raise GroupInUse("producer", group)
        self._producers.add(group)

    def remove_producer(self, group: str) -> None:
        """Leave a producer group: later heartbeats do not contain it."""
        self._producers.discard(group)

    def add_consumer(self, group: str, member: ConsumerMember) -> None:
        """
        Join a consumer group.

        :raises GroupInUse: the client is one already.
        """
        if group in self._consumers:
            raise GroupInUse("consumer", group)
        self._consumers[group] = member

    def remove_consumer(self, group: str) -> None:
        """Leave a consumer group: later heartbeats do not contain it."""
        self._consumers.pop(group, None)

    def heartbeat_data(self, client_id: str) -> HeartbeatData:
        """Return a heartbeat with all groups."""
        return HeartbeatData(
            client_id=client_id,
            producer_data_set=tuple(map(ProducerData, self.producers)),
            consumer_data_set=tuple(
                member.consumer_data() for member in self._consumers.values()
            ),
        )

    def notify_consumers(self) -> None:
        """Let every consumer rebalance."""
        for group in list(self._consumers):
            self.notify_consumer(group)

    def notify_consumer(self, group: str) -> None:
        """Let the consumer of a group rebalance; its exception is logged."""
        member = self._consumers.get(group)
        if member is None:
            return
        try:
            member.members_changed()
        except Exception:
            self._log.failure("the consumer group {group} failed", group=group)


def check_producer_group(group: str) -> None:
    """
    Check the name of a producer group.

    :raises ValidationError: the name is not legal.
    """
    try:
        check_group_name(group)
    except IllegalName as error:
        raise ValidationError(str(error)) from error
    if group == DEFAULT_PRODUCER_GROUP:
        raise ValidationError(f'"{group}" is reserved; choose a name of your own')
