"""
The subscriptions of a consumer, and their handlers.

All members of a group must have the same subscriptions: a broker keeps one for each
topic and group, the one with the highest version. The version is the time in ms at
which the subscription was made.

Source: ``FilterAPI`` and ``RebalanceImpl.subscriptionInner`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.client.consumer.dispatch.outcomes import MessageHandler
from rocketmq_tw.client.consumer.expressions import parse_expression
from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.subscription import Subscription, parse
from rocketmq_tw.model.topic import retry_topic


class Subscriptions:
    """
    The topics of one consumer, including its retry topic; false if there is no other.

    :param retries: whether the group has a retry topic.
    :ivar handler: the handler of topics that were subscribed to without one.
    """

    def __init__(self, group: str, clock: IReactorTime, retries: bool = True) -> None:
        self._wall_time = wall_time(clock)
        self._version = 0
        self._by_topic: dict[str, Subscription] = {}
        self._handlers: dict[str, MessageHandler] = {}
        self._retries = retries
        self._retry_topic = retry_topic(group)
        self.handler: MessageHandler | None = None

    def __bool__(self) -> bool:
        return any(topic != self._retry_topic for topic in self._by_topic)

    @property
    def topics(self) -> list[str]:
        """All topics, in the order of subscription."""
        return list(self._by_topic)

    @property
    def all(self) -> list[Subscription]:
        """All subscriptions, in the same order."""
        return list(self._by_topic.values())

    def add(self, topic: str, expression: str, handler: MessageHandler | None) -> None:
        """
        Add or change a subscription.

        :raises IllegalSubscription: the expression is wrong.
        """
        version = self._next_version()
        self._by_topic[topic] = parse_expression(topic, expression, version)
        self._handlers.pop(topic, None)
        if handler is not None:
            self._handlers[topic] = handler
        if self._retries and self._retry_topic not in self._by_topic:
            self._by_topic[self._retry_topic] = parse(self._retry_topic, "*", version)

    def remove(self, topic: str) -> None:
        """Remove a subscription."""
        self._by_topic.pop(topic, None)
        self._handlers.pop(topic, None)

    def of(self, topic: str) -> Subscription | None:
        """Return the subscription to a topic; None if there is none."""
        return self._by_topic.get(topic)

    def handler_of(self, topic: str) -> MessageHandler:
        """
        Return the handler of a topic; for a retried message that is its original topic.

        :raises ValidationError: there is none, for example because the group has
            unsubscribed from the topic of a retried message.
        """
        handler = self._handlers.get(topic) or self.handler
        if handler is None:
            raise ValidationError(f'nothing handles messages of the topic "{topic}"')
        return handler

    def unhandled(self) -> list[str]:
        """Return the topics without a handler."""
        if self.handler is not None:
            return []
        topics = (t for t in self._by_topic if t != self._retry_topic)
        return [topic for topic in topics if topic not in self._handlers]

    def for_heartbeat(self) -> tuple[Subscription, ...]:
        """
        Return all subscriptions with the newest version.

        Pulls carry the version of the subscription itself: a broker refuses pulls with
        a higher version than it knows, and it may not have received the heartbeat yet.
        """
        version = self._version
        return tuple(
            msgspec.structs.replace(each, sub_version=version)
            for each in self._by_topic.values()
        )

    def renew(self) -> None:
        """Increase the version of later heartbeats, because our queues have changed."""
        self._next_version()

    def _next_version(self) -> int:
        """Return a version higher than all before in this process."""
        now = int(self._wall_time() * 1000)
        self._version = max(now, self._version + 1)
        return self._version
