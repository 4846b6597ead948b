"""
Lists of all topics or brokers, encoded in steps.

A name server may know 500,000 topics and 10,000 brokers: lists of them are as large as
a frame, and take half a second. Each step encodes some entries of what the table held
when the request came.

Source: ``TopicList`` and ``ClusterInfo`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from rocketmq_tw.namesrv.groups import BrokerGroup
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of, responding
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.cluster import ClusterInfo
from rocketmq_tw.wire.bodies.entries import fill
from rocketmq_tw.wire.bodies.topics import TopicList
from rocketmq_tw.wire.fields import Response

#: Topics encoded in one step: some 1 ms. A list that is no longer is sorted.
TOPICS = 1000
#: Brokers encoded in one step.
BROKERS = 200
#: Bytes of the response that a topic or a broker takes, about.
_ENTRY = 50
_EMPTY_LIST = TopicList().encode()
_NO_TOPICS = b'"topicList":[]'
_NO_BROKERS = b'"brokerAddrTable":{}'


class Lists:
    """
    Makes the responses that list topics or brokers.

    The requests of one connection are done in order; connections take turns.

    :param pacer: does the steps, and limits the responses that are not finished.
    """

    def __init__(self, table: RouteTable, pacer: Pacer) -> None:
        self._table = table
        self._pacer = pacer

    def topics(
        self, call: Call, is_wanted: Callable[[str], bool] | None = None
    ) -> Response | Deferred[Response | None]:
        """
        List topics.

        :param is_wanted: says which; None is all.
        :raises TooManyWaiting: many lists are being made already.
        """
        names = list(self._table.queues)
        return self.respond(call, _topics(names, is_wanted), len(names))

    def brokers(self, call: Call) -> Response | Deferred[Response | None]:
        """
        List all clusters and brokers, as strict JSON: Go clients can read only that.

        :raises TooManyWaiting: many lists are being made already.
        """
        groups = list(self._table.groups.values())
        return self.respond(call, _brokers(groups), len(groups))

    def respond(
        self, call: Call, steps: Steps[bytes], count: int
    ) -> Response | Deferred[Response | None]:
        """
        Respond with a body of so many entries, while the peer is there.

        :raises TooManyWaiting: many responses are being made already.
        """
        return self._pacer.run(responding(steps), call.peer, count * _ENTRY)


def _topics(names: list[str], is_wanted: Callable[[str], bool] | None) -> Steps[bytes]:
    """Encode a list of topics, in steps."""
    entries: list[bytes] = []
    for number, some in enumerate(parts_of(names, TOPICS)):
        if number:
            yield None
        kept = sorted(name for name in some if is_wanted is None or is_wanted(name))
        if kept:
            entries.append(fastjson.dumps(kept)[1:-1])
    return fill(_EMPTY_LIST, _NO_TOPICS, entries)


def _brokers(groups: list[BrokerGroup]) -> Steps[bytes]:
    """Encode all clusters, and the brokers by name, in steps."""
    entries: list[bytes] = []
    empty = _clusters(groups).encode()
    for number, some in enumerate(parts_of(groups, BROKERS)):
        if number:
            yield None
        table = {group.broker_name: group.data() for group in some}
        entries.append(fastjson.dumps(table)[1:-1])
    return fill(empty, _NO_BROKERS, entries)


def _clusters(groups: list[BrokerGroup]) -> ClusterInfo:
    """Return the names of brokers by cluster."""
    clusters: dict[str, set[str]] = {}
    for group in groups:
        clusters.setdefault(group.cluster, set()).add(group.broker_name)
    return ClusterInfo(
        {}, {cluster: frozenset(names) for cluster, names in clusters.items()}
    )
