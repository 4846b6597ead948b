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
from rocketmq_tw.wire.bodies.topics import TopicList
from rocketmq_tw.wire.fields import Response

_T = TypeVar("_T")
#: Topics encoded in one step: some 1 ms. A list that is no longer is sorted.
TOPICS = 1000
#: Brokers encoded in one step.
BROKERS = 200
#: Bytes of the response that a topic or a broker takes, about.
_ENTRY = 50
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
        pieces: list[bytes] = []
        return self._run(call, pieces, _topics(pieces, names, is_wanted), len(names))

    def brokers(self, call: Call) -> Response | Deferred[Response]:
        """
        List all clusters and brokers, as strict JSON: Go clients can read only that.

        :raises TooMuchWork: many lists are being made already.
        """
        groups = list(self._table.groups.values())
        pieces: list[bytes] = []
        return self._run(call, pieces, _brokers(pieces, groups), len(groups))

    def _run(
        self, call: Call, pieces: list[bytes], steps: Iterator[None], count: int
    ) -> Response | Deferred[Response]:
        """Respond with the pieces that the steps make, while the peer is there."""

        def while_connected() -> Iterator[None]:
            for _ in steps:
                yield
                if not call.peer.is_connected:
                    return

        key = call.peer.address
        done = self._slices.run(key, while_connected(), count * _ENTRY)
        if done is None:
            return Response(body=b"".join(pieces))
        return done.addCallback(lambda _: Response(body=b"".join(pieces)))


def _topics(
    pieces: list[bytes], names: list[str], is_wanted: Callable[[str], bool] | None
) -> Iterator[None]:
    """Encode a list of topics, in steps."""
    before, found, after = TopicList().encode().partition(_NO_TOPICS)
    assert found, "the list is not empty"
    pieces.append(before + found[:-1])
    is_first = True
    for number, some in enumerate(_in_pieces(names, TOPICS)):
        if number:
            yield
        kept = sorted(name for name in some if is_wanted is None or is_wanted(name))
        if kept:
            pieces += [b"" if is_first else b",", fastjson.dumps(kept)[1:-1]]
            is_first = False
    pieces.append(found[-1:] + after)


def _brokers(pieces: list[bytes], groups: list[BrokerGroup]) -> Iterator[None]:
    """Encode the brokers by name and the names by cluster, in steps."""
    clusters: dict[str, set[str]] = {}
    for group in groups:
        clusters.setdefault(group.cluster, set()).add(group.broker_name)
    names = {cluster: frozenset(some) for cluster, some in clusters.items()}
    before, found, after = ClusterInfo({}, names).encode().partition(_NO_BROKERS)
    assert found, "the table is not empty"
    pieces.append(before + found[:-1])
    for number, some in enumerate(_in_pieces(groups, BROKERS)):
        if number:
            yield
            pieces.append(b",")
        table = {group.broker_name: group.data() for group in some}
        pieces.append(fastjson.dumps(table)[1:-1])
    pieces.append(found[-1:] + after)


def _in_pieces(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield the items, so many at a time."""
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
