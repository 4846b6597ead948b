"""
What a consumer reads, and who handles it.

All members of a group must subscribe to the same: a broker keeps one subscription a
topic for the whole group, that with the largest version, which is the time in ms when
it was made.

Source: ``FilterAPI`` and ``RebalanceImpl.subscriptionInner`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.client.consumer.dispatch.outcomes import MessageHandler
from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.model.subscription import Subscription, parse
from rocketmq_tw.model.topic import retry_topic


class Tags(str):
    """An expression that messages of any of the tags match: ``Tags("A", "B")``."""

    def __new__(cls, *tags: str) -> Tags:
        """
        Write the expression.

        :raises ValidationError: there is no tag, or one that cannot be written.
        """
        if not tags:
            raise ValidationError("Tags() needs a tag; subscribe to '*' for everything")
        for tag in tags:
            if not tag.strip() or "||" in tag or tag.strip() == "*":
                raise ValidationError(f'"{tag}" cannot be a tag')
        return super().__new__(cls, " || ".join(tags))


class Subscriptions:
    """
    The topics of one consumer, its retry topic among them; false if there is no other.

    :ivar handler: for topics that were subscribed to without one.
    """

    def __init__(self, group: str, clock: IReactorTime) -> None:
        self._clock = clock
        self._version = 0
        self._by_topic: dict[str, Subscription] = {}
        self._handlers: dict[str, MessageHandler] = {}
        self._retry_topic = retry_topic(group)
        self.handler: MessageHandler | None = None

    def __bool__(self) -> bool:
        return any(topic != self._retry_topic for topic in self._by_topic)

    @property
    def topics(self) -> list[str]:
        """All topics, in the order subscribed to."""
        return list(self._by_topic)

    def add(self, topic: str, expression: str, handler: MessageHandler | None) -> None:
        """
        Subscribe, or change a subscription.

        :raises IllegalSubscription: the expression holds no tag.
        """
        version = self._next_version()
        self._by_topic[topic] = parse(topic, str(expression), version)
        self._handlers.pop(topic, None)
        if handler is not None:
            self._handlers[topic] = handler
        if self._retry_topic not in self._by_topic:
            self._by_topic[self._retry_topic] = parse(self._retry_topic, "*", version)

    def remove(self, topic: str) -> None:
        """End a subscription."""
        self._by_topic.pop(topic, None)
        self._handlers.pop(topic, None)

    def of(self, topic: str) -> Subscription | None:
        """Give the subscription to a topic."""
        return self._by_topic.get(topic)

    def handler_of(self, topic: str) -> MessageHandler:
        """
        Give the handler of a topic: the one a message was sent to.

        :raises ValidationError: there is none: say, the message is of a topic that the
            group has unsubscribed from, and comes from the retry topic.
        """
        handler = self._handlers.get(topic) or self.handler
        if handler is None:
            raise ValidationError(f'nothing handles messages of the topic "{topic}"')
        return handler

    def unhandled(self) -> list[str]:
        """List the topics whose messages nobody would handle."""
        if self.handler is not None:
            return []
        topics = (t for t in self._by_topic if t != self._retry_topic)
        return [topic for topic in topics if topic not in self._handlers]

    def for_heartbeat(self) -> tuple[Subscription, ...]:
        """
        List all with the newest version.

        Pulls keep the version of the subscription itself: a broker refuses those that
        are newer than what it knows, and it may not have had the heartbeat yet.
        """
        version = self._version
        return tuple(
            msgspec.structs.replace(each, sub_version=version)
            for each in self._by_topic.values()
        )

    def renew(self) -> None:
        """Make heartbeats newer than all before: our queues have changed."""
        self._next_version()

    def _next_version(self) -> int:
        """Give a version above all before, of this process at least."""
        now = int(self._clock.seconds() * 1000)
        self._version = max(now, self._version + 1)
        return self._version
