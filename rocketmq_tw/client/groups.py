"""The producer and consumer groups that one client is a member of."""

from __future__ import annotations

from typing import Protocol

from twisted.logger import Logger

from rocketmq_tw.client.errors import GroupInUse
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData, HeartbeatData, ProducerData


class ConsumerMember(Protocol):
    """What a client needs to know of a consumer."""

    def consumer_data(self) -> ConsumerData:
        """Describe the consumer for the heartbeat."""

    def members_changed(self) -> None:
        """Note that the group's members, or a broker's connection, have changed."""


class Groups:
    """One producer and one consumer a group at most; false if there is neither."""

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
        Become a member of a producer group.

        :raises GroupInUse: the client is one already.
        """
        if group in self._producers:
            raise GroupInUse("producer", group)
        self._producers.add(group)

    def remove_producer(self, group: str) -> None:
        """Leave a producer group: the next heartbeats do not name it."""
        self._producers.discard(group)

    def add_consumer(self, group: str, member: ConsumerMember) -> None:
        """
        Become a member of a consumer group.

        :raises GroupInUse: the client is one already.
        """
        if group in self._consumers:
            raise GroupInUse("consumer", group)
        self._consumers[group] = member

    def remove_consumer(self, group: str) -> None:
        """Leave a consumer group: the next heartbeats do not name it."""
        self._consumers.pop(group, None)

    def heartbeat_data(self, client_id: str) -> HeartbeatData:
        """Describe all groups for a heartbeat."""
        return HeartbeatData(
            client_id=client_id,
            producer_data_set=tuple(map(ProducerData, self.producers)),
            consumer_data_set=tuple(
                member.consumer_data() for member in self._consumers.values()
            ),
        )

    def notify_consumers(self) -> None:
        """Let every consumer rebalance; one that raises does not stop the others."""
        for group, member in list(self._consumers.items()):
            try:
                member.members_changed()
            except Exception:
                self._log.failure("the consumer group {group} failed", group=group)
