"""
Queues whose lock was lost and is granted again.

Another client may have read such a queue meanwhile. If the group's stored offset has
advanced past ours, it has: the queue is then acquired again, at that offset. Otherwise
it is continued with the messages that are here.

Source: ``DefaultMQPushConsumerImpl.pullMessage`` of RocketMQ 5, which fetches the
offset again only for the next pull.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.client.consumer.fetcher import Fetcher
from rocketmq_tw.client.consumer.offsets.store import OffsetStore
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue


class Relocked:
    """
    Checks such queues.

    :param fetcher_of: returns the fetcher of a queue; None if it is not assigned.
    :param resume: called with a fetcher that may continue.
    :param reacquire: called with a fetcher whose queue must be acquired again.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        offsets: OffsetStore,
        fetcher_of: Callable[[MessageQueue], Fetcher | None],
        resume: Callable[[Fetcher], None],
        reacquire: Callable[[Fetcher], None],
    ) -> None:
        self._offsets = offsets
        self._fetcher_of = fetcher_of
        self._resume = resume
        self._reacquire = reacquire

    def check(self, queues: list[MessageQueue]) -> None:
        """Check queues in parallel, and continue or acquire again each of them."""
        for queue in queues:
            fetcher = self._fetcher_of(queue)
            if fetcher is not None:
                checked = Deferred.fromCoroutine(self._check(fetcher))
                checked.addErrback(lambda f: self._log.failure("a check failed", f))

    async def _check(self, fetcher: Fetcher) -> None:
        """Compare the stored offset with ours."""
        queue = fetcher.queue
        try:
            stored = await self._offsets.fetch(queue)
        except RocketMQError as error:
            # The lock is requested again, and then this is tried again.
            self._log.debug("{queue} stays suspended: {why}", queue=queue, why=error)
            return
        if self._fetcher_of(queue) is not fetcher:
            return
        ours = self._offsets.read(queue) or 0
        if stored is not None and stored > ours:
            self._log.info(
                "another client has read {queue} from {ours} to {stored}",
                queue=queue,
                ours=ours,
                stored=stored,
            )
            self._reacquire(fetcher)
        else:
            self._resume(fetcher)
