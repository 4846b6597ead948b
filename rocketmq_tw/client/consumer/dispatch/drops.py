"""
Failed messages of a broadcasting consumer: they are logged, and not delivered again.

Every member of the group gets each message, so a broker cannot deliver one again to a
single member.

Source: ``ConsumeMessageConcurrentlyService.processConsumeResult`` of RocketMQ 5.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from rocketmq_tw.model.message import StoredMessage


class MessageDrops:
    """Drops failed messages; stands for :class:`.MessageReturns`."""

    _log = Logger()

    def send_back(self, message: StoredMessage, _level: int) -> Deferred[None]:
        """Log that the message is dropped."""
        self._log.warn(
            "{id} of {topic} has failed and is not delivered again: the group is"
            " broadcasting",
            id=message.message_id,
            topic=message.topic,
        )
        return succeed(None)

    def bury(self, message: StoredMessage) -> Deferred[None]:
        """Log that the message is dropped."""
        return self.send_back(message, 0)
