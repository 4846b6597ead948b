"""
Removes what a broker needs no more, when an operator asks for it.

The store does the same by itself, after it has deleted files of the commit log. Nothing
is removed here that has messages.

Source: ``AdminBrokerProcessor.cleanExpiredConsumeQueue``, ``cleanUnusedTopic`` and
``deleteExpiredCommitLog`` of RocketMQ 5. A queue that has lost all its messages begins
again at offset 0 there; here it goes on where it was.
"""

from __future__ import annotations

from twisted.logger import Logger

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.predefined import is_client_topic
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.admin import (
    CleanQueues,
    CleanUnusedTopics,
    DeleteExpiredLog,
)

#: How many topics are looked at in one step.
AT_ONCE = 1000


def install(broker: Broker, router: Router) -> None:
    """Register the handlers."""
    CleaningProcessor(broker.store, broker.tables.topics, broker.pacer).routes(router)


class CleaningProcessor:
    """Handles requests to clean up."""

    _log = Logger()

    def __init__(self, store: IMessageStore, topics: TopicTable, pacer: Pacer) -> None:
        self._store = store
        self._topics = topics
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(CleanQueues, self.clean_queues)
        router.on(CleanUnusedTopics, self.clean_topics)
        router.on(DeleteExpiredLog, self.delete_log)

    def clean_queues(self, request: CleanQueues, call: Call) -> Outcome:
        """Remove files of queues; the response comes when that is done."""
        return self._store.trim_queues().addCallback(lambda _: Response())

    def clean_topics(self, request: CleanUnusedTopics, call: Call) -> Outcome:
        """Remove queues of topics that do not exist, one topic after another."""
        return self._pacer.run(self._clean_topics(), call.peer, key=self)

    def _clean_topics(self) -> Steps[Response]:
        removed: list[str] = []
        for some in parts_of(list(self._store.queues()), AT_ONCE):
            yield None
            for name in some:
                if self._topics.get(name) is None and self._is_removable(name):
                    yield self._store.delete_topic(name)
                    removed.append(name)
        if removed:
            self._log.info(
                "the queues of {count} topics that do not exist are removed, among"
                " them those of {names}",
                count=len(removed),
                names=log_safe(", ".join(removed[:10])),
            )
        return Response()

    def _is_removable(self, name: str) -> bool:
        """Return whether queues of this name are not of the broker's own."""
        return not self._topics.is_system(name) and is_client_topic(name)

    def delete_log(self, request: DeleteExpiredLog, call: Call) -> Response:
        """Let the store delete old files when it looks the next times."""
        self._store.delete_expired()
        return Response()
