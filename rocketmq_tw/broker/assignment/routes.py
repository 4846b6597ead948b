"""
The queues of topics on all brokers, as name servers know them.

A broker without name servers knows only its own queues.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.broker.name_servers import AskNameServers
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_readable
from rocketmq_tw.wire.bodies.route import decode_route
from rocketmq_tw.wire.requests.route import GetRoute

#: Seconds after which a name server is asked again.
PERIOD = 30.0
#: Queues that are kept of all topics, some MiB; then all are forgotten.
MAX_QUEUES = 100_000


class QueueRoutes:
    """
    Asks name servers for queues, and keeps them for a time.

    :param ask: asks a name server; None if there is none.
    """

    def __init__(
        self,
        *,
        broker_name: str,
        topics: TopicTable,
        ask: AskNameServers | None,
        clock: IReactorTime,
    ) -> None:
        self._broker_name = broker_name
        self._topics = topics
        self._ask = ask
        self._clock = clock
        self._known: dict[str, tuple[float, Sequence[MessageQueue]]] = {}
        self._count = 0

    async def queues(self, topic: str) -> Sequence[MessageQueue] | None:
        """Return the queues of a topic to read, sorted; None if there is no route."""
        if self._ask is None:
            return self._own(topic)
        known = self._known.get(topic)
        if known is not None and self._clock.seconds() < known[0]:
            return known[1]
        try:
            response = await self._ask(
                GetRoute(topic=topic, accept_standard_json_only=True)
            )
            queues = sorted(decode_route(response.body).readable(topic))
        except RocketMQError:
            return None if known is None else known[1]
        self._keep(topic, queues)
        return queues

    def _keep(self, topic: str, queues: Sequence[MessageQueue]) -> None:
        """Keep the queues of a topic for a time."""
        before = self._known.pop(topic, None)
        self._count += len(queues) + 1 - (0 if before is None else len(before[1]) + 1)
        if self._count > MAX_QUEUES:
            self._known.clear()
            self._count = len(queues) + 1
        self._known[topic] = self._clock.seconds() + PERIOD, queues

    def _own(self, topic: str) -> Sequence[MessageQueue] | None:
        """Return this broker's queues of a topic."""
        config = self._topics.get(topic)
        if config is None:
            return None
        count = config.read_queue_nums if is_readable(config.perm) else 0
        return [MessageQueue(topic, self._broker_name, each) for each in range(count)]
