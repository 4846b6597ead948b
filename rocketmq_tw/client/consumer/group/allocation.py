"""
Strategies that allocate the queues of a topic to the members of a group.

No coordinator assigns queues: each member computes its own, from the same sorted queues
and the same sorted client ids. All members must therefore use exactly the same
strategy, whatever language they are written in.

Source: ``AllocateMessageQueueAveragely`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue

#: Called with own client id, all sorted queues and all sorted client ids; returns own
#: queues.
Strategy = Callable[
    [str, Sequence[MessageQueue], Sequence[str]], Sequence[MessageQueue]
]


class UnknownStrategy(RocketMQError):
    """There is no allocation strategy with this name."""

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
    Allocate consecutive queues to each member; the first members get one more if
    needed.

    Five queues for two members: ``0 1 2 | 3 4``. If there are more members than queues,
    the last ones get none.

    :param members: must contain ``client_id``.
    """
    index = list(members).index(client_id)
    share, rest = divmod(len(queues), len(members))
    start = index * share + min(index, rest)
    return queues[start : start + share + (index < rest)]


#: By the name that brokers and other clients use.
STRATEGIES: dict[str, Strategy] = {"AVG": average}


def strategy(name: str) -> Strategy:
    """
    Return the strategy with this name.

    :raises UnknownStrategy: there is none.
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
    Sort both lists as every member does, and apply the strategy.

    :returns: our queues; none if the broker does not list us as a member.

    Source: ``RebalanceImpl.rebalanceByTopic``.
    """
    ordered = sorted(members)
    if client_id not in ordered:
        return frozenset()
    return frozenset(strategy(client_id, sorted(queues), ordered))
