"""
Encodes tables of many queues in steps.

A topic may have 65,535 queues. To look at all of them and to encode them takes more
than a second, so a step does it for :data:`QUEUES` of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from twisted.internet.defer import Deferred

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.pacing import Steps, result_of
from rocketmq_tw.wire.bodies.stats import join_tables

#: How many queues are encoded in one step: some 2 ms.
QUEUES = 100

Encode = Callable[[list[MessageQueue]], "bytes | Deferred[bytes]"]


def encode_in_slices(queues: Iterable[MessageQueue], encode: Encode) -> Steps[bytes]:
    """
    Encode a table of queues.

    :param queues: gone through as they are needed.
    :param encode: encodes the table of some of the queues, at least once.
    :returns: the whole table.
    """
    left = iter(queues)
    tables: list[bytes] = []
    while (some := list(islice(left, QUEUES))) or not tables:
        if tables:
            yield None
        table = yield from result_of(encode(some))
        tables.append(table)
    return join_tables(tables)
