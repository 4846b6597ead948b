"""
Lists of all topics or brokers, encoded in steps.

A name server may know 500,000 topics and 10,000 brokers: lists of them are as large as
a frame, and take half a second. Each step encodes some entries of what the table held
when the request came.

Source: ``TopicList`` and ``ClusterInfo`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from twisted.internet.defer import Deferred

from rocketmq_tw.namesrv.groups import BrokerGroup
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.namesrv.slices import Slices
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.cluster import ClusterInfo
from rocketmq_tw.wire.bodies.entries import fill
from rocketmq_tw.wire.bodies.topics import TopicList
from rocketmq_tw.wire.fields import Response

_T = TypeVar("_T")
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

    :param slices: does the steps, and limits the responses that are not finished.
    """

    def __init__(self, table: RouteTable, slices: Slices) -> None:
        self._table = table
        self._slices = slices

    def topics(
        self, call: Call, is_wanted: Callable[[str], bool] | None = None
    ) -> Response | Deferred[Response]:
        """
        List topics.

        :param is_wanted: says which; None is all.
        :raises TooMuchWork: many lists are being made already.
        """
        names = list(self._table.queues)
        entries: list[bytes] = []
        steps = _topics(entries, names, is_wanted)
        return self._run(
            call, steps, lambda: fill(_EMPTY_LIST, _NO_TOPICS, entries), len(names)
        )

    def brokers(self, call: Call) -> Response | Deferred[Response]:
        """
        List all clusters and brokers, as strict JSON: Go clients can read only that.

        :raises TooMuchWork: many lists are being made already.
        """
        groups = list(self._table.groups.values())
        empty = _clusters(groups).encode()
        entries: list[bytes] = []
        return self._run(
            call,
            _brokers(entries, groups),
            lambda: fill(empty, _NO_BROKERS, entries),
            len(groups),
        )

    def _run(
        self,
        call: Call,
        steps: Iterator[None],
        body: Callable[[], bytes],
        count: int,
    ) -> Response | Deferred[Response]:
        """Respond with the body after the steps, while the peer is there."""

        def while_connected() -> Iterator[None]:
            for _ in steps:
                yield
                if not call.peer.is_connected:
                    return

        key = call.peer.address
        done = self._slices.run(key, while_connected(), count * _ENTRY)
        if done is None:
            return Response(body=body())
        return done.addCallback(lambda _: Response(body=body()))


def _topics(
    entries: list[bytes], names: list[str], is_wanted: Callable[[str], bool] | None
) -> Iterator[None]:
    """Encode a list of topics, in steps."""
    for number, some in enumerate(_in_pieces(names, TOPICS)):
        if number:
            yield
        kept = sorted(name for name in some if is_wanted is None or is_wanted(name))
        if kept:
            entries.append(fastjson.dumps(kept)[1:-1])


def _clusters(groups: list[BrokerGroup]) -> ClusterInfo:
    """Return the names of brokers by cluster."""
    clusters: dict[str, set[str]] = {}
    for group in groups:
        clusters.setdefault(group.cluster, set()).add(group.broker_name)
    return ClusterInfo(
        {}, {cluster: frozenset(names) for cluster, names in clusters.items()}
    )


def _brokers(entries: list[bytes], groups: list[BrokerGroup]) -> Iterator[None]:
    """Encode the brokers by name, in steps."""
    for number, some in enumerate(_in_pieces(groups, BROKERS)):
        if number:
            yield
        table = {group.broker_name: group.data() for group in some}
        entries.append(fastjson.dumps(table)[1:-1])


def _in_pieces(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield the items, so many at a time."""
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
