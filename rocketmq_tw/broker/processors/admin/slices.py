"""
Encodes tables of many queues in slices.

A topic may have 65,535 queues. To look at all of them and to encode them takes more
than a second, so a reactor iteration does it for :data:`QUEUES` of them; other requests
are handled in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.stats import join_tables

#: How many queues are encoded in one reactor iteration: some 10 ms.
QUEUES = 500

Encode = Callable[[list[MessageQueue]], "bytes | Deferred[bytes]"]


def encode_in_slices(
    queues: Iterable[MessageQueue], encode: Encode, clock: IReactorTime
) -> Deferred[bytes]:
    """
    Encode a table of queues.

    :param queues: gone through as they are needed.
    :param encode: encodes the table of some of the queues, at least once.
    :returns: fires with the whole table, at once if one slice is enough.
    """
    return Deferred.fromCoroutine(_encode(queues, encode, clock))


async def _encode(
    queues: Iterable[MessageQueue], encode: Encode, clock: IReactorTime
) -> bytes:
    """Encode slice by slice, and join the tables."""
    left = iter(queues)
    tables: list[bytes] = []
    while (some := list(islice(left, QUEUES))) or not tables:
        if tables:
            await deferLater(clock, 0)
        table = encode(some)
        tables.append(await table if isinstance(table, Deferred) else table)
    return join_tables(tables)
