"""
Chooses where a message goes that its group could not consume: to the retry topic, or to
the dead letters.

Source: ``SendMessageProcessor.handleRetryAndDLQ`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.progress import ConsumeProgress
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.topic import RETRY_PREFIX, TopicConfig
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.codes import ResponseCode

#: From this version on, a client's own delivery limit applies (``V3_4_9``).
_VERSION_OWN_LIMIT = 121


class RetryRules:
    """
    How often messages of a group are delivered, and its retry and dead letter topics.

    :param is_locked: whether a group holds queue locks, i.e. consumes in order.
    :param progress: counts what becomes dead letters.
    """

    def __init__(
        self,
        *,
        topics: TopicTable,
        groups: GroupTable,
        is_locked: Callable[[str], bool],
        progress: ConsumeProgress,
    ) -> None:
        self._topics = topics
        self._groups = groups
        self._is_locked = is_locked
        self._progress = progress

    def target(
        self, topic: str, *, times: int, own_limit: int | None, version: int
    ) -> TopicConfig:
        """
        Return the topic for a send to a retry topic: that topic, or the dead letters.

        :param times: how often the message was delivered.
        :param own_limit: the sender's limit, see :meth:`limit`.
        :raises Refused: the group does not exist and must not be created.
        """
        name = topic[len(RETRY_PREFIX) :]
        group = self.group(name)
        if times > self.limit(group, own_limit, version) or self._is_locked(name):
            self._progress.entry(topic, name).dead_letters += 1
            return self.dead_letters(name)
        return self.retry_topic(group)

    def group(self, name: str) -> SubscriptionGroup:
        """Return a group's settings. :raises Refused: the group does not exist."""
        group = self._groups.find(name)
        if group is None:
            raise Refused(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
                f"subscription group not exist, {name}",
            )
        return group

    def limit(
        self, group: SubscriptionGroup, own_limit: int | None, version: int
    ) -> int:
        """
        Return how often a message is delivered at most.

        :param own_limit: the client's limit, which overrides that of the group;
            None if it has none.
        :param version: the client's version; the limit of older ones is ignored.
        """
        if own_limit is not None and version >= _VERSION_OWN_LIMIT:
            return own_limit
        return group.retry_max_times

    def retry_topic(self, group: SubscriptionGroup) -> TopicConfig:
        """Return the group's retry topic; create it if needed, as a heartbeat would."""
        return self._topics.create_retry(
            group.group_name,
            group.retry_queue_nums,
            order=group.consume_message_orderly,
        )

    def dead_letters(self, group: str) -> TopicConfig:
        """Return the topic of the group's dead letters; create it if needed."""
        return self._topics.create_dlq(group)
