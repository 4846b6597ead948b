"""
Strategies: how the queues of a topic are allocated to the members of a group.

Nobody assigns its queues to a member: each computes them, from the same sorted
queues and the same sorted client ids. All members must therefore use the same strategy,
down to the last remainder, whatever language they are written in.

Source: ``AllocateMessageQueueAveragely`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue

#: Own client id, all queues sorted, all client ids sorted -> the queues of our own.
Strategy = Callable[
    [str, Sequence[MessageQueue], Sequence[str]], Sequence[MessageQueue]
]


class UnknownStrategy(RocketMQError):
    """There is no allocation strategy of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        known = ", ".join(sorted(STRATEGIES))
        return f'there is no strategy "{self.name}"; known are {known}'


def average(
    client_id: str, queues: Sequence[MessageQueue], members: Sequence[str]
) -> Sequence[MessageQueue]:
    """
    Give each member one run of neighbours; the first members get what is left over.

    Five queues among two: ``0 1 2 | 3 4``. With more members than queues the last ones
    get nothing.

    :param members: must hold ``client_id``.
    """
    index = list(members).index(client_id)
    share, rest = divmod(len(queues), len(members))
    start = index * share + min(index, rest)
    return queues[start : start + share + (index < rest)]


#: By the name that brokers and other clients know the strategy by.
STRATEGIES: dict[str, Strategy] = {"AVG": average}


def strategy(name: str) -> Strategy:
    """
    Look a strategy up.

    :raises UnknownStrategy: there is none of that name.
    """
    try:
        return STRATEGIES[name]
    except KeyError:
        raise UnknownStrategy(name) from None


def allocate(
    strategy: Strategy,
    client_id: str,
    queues: Iterable[MessageQueue],
    members: Iterable[str],
) -> frozenset[MessageQueue]:
    """
    Sort both sides as every member does, and apply the strategy.

    :returns: our queues; none when the broker does not list us among the members.

    Source: ``RebalanceImpl.rebalanceByTopic``.
    """
    ordered = sorted(members)
    if client_id not in ordered:
        return frozenset()
    return frozenset(strategy(client_id, sorted(queues), ordered))
