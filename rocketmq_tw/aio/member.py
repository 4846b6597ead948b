"""What the push and the pull consumer have in common, with coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from rocketmq_tw.aio.futures import ended, returning_deferreds

if TYPE_CHECKING:
    from rocketmq_tw.client.consumer.config import StopReport
    from rocketmq_tw.client.consumer.lite.consumer import (
        PullConsumer as TwistedPullConsumer,
    )
    from rocketmq_tw.client.consumer.push import PushConsumer as TwistedPushConsumer
    from rocketmq_tw.model.queue import MessageQueue


class Member:
    """One member of a consumer group, and the queues that it has."""

    _consumer: TwistedPushConsumer | TwistedPullConsumer

    def unsubscribe(self, topic: str) -> None:
        """Stop reading a topic."""
        self._consumer.unsubscribe(topic)

    async def _stop(self, grace: float | None) -> StopReport:
        """Stop; a task that is cancelled meanwhile ends behind that."""
        report: list[StopReport] = []

        def keep(value: StopReport) -> None:
            report.append(value)

        stopped: Deferred[None] = self._consumer.stop(grace).addCallback(keep)
        if await ended(stopped):
            raise asyncio.CancelledError
        return report[0]

    # -- assigned queues

    def assignment(self) -> list[MessageQueue]:
        """Return the queues that are assigned to this consumer now, sorted."""
        return self._consumer.assignment()

    def on_assigned(self, listener: Callable[[list[MessageQueue]], Any]) -> None:
        """Call ``listener`` with the queues of each new assignment."""
        self._consumer.on_assigned(returning_deferreds(listener))

    def on_revoked(self, listener: Callable[[list[MessageQueue]], Any]) -> None:
        """Call ``listener`` with revoked queues; it has ``revoke_grace`` to finish."""
        self._consumer.on_revoked(returning_deferreds(listener))

    def pause(self, queues: Iterable[MessageQueue] | None = None) -> None:
        """Deliver no messages of some queues, or of all."""
        self._consumer.pause(queues)

    def resume(self, queues: Iterable[MessageQueue] | None = None) -> None:
        """Continue with some queues, or all."""
        self._consumer.resume(queues)
