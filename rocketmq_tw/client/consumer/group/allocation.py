"""
Strategies that allocate the queues of a topic to the members of a group.

No coordinator assigns queues: each member computes its own, from the same sorted queues
and the same sorted client ids. All members must therefore use exactly the same
strategy, whatever language they are written in.

Source: ``AllocateMessageQueueAveragely`` and ``AllocateMessageQueueAveragelyByCircle``
of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rocketmq_tw.client.consumer.group.consistent_hash import consistent_hash
from rocketmq_tw.client.consumer.group.strategy import Strategy
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue


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


def by_circle(
    client_id: str, queues: Sequence[MessageQueue], members: Sequence[str]
) -> Sequence[MessageQueue]:
    """
    Allocate the queues in turn: five queues for two members: ``0 2 4 | 1 3``.

    :param members: must contain ``client_id``.
    """
    return queues[list(members).index(client_id) :: len(members)]


#: By the name that brokers and other clients use.
STRATEGIES: dict[str, Strategy] = {
    "AVG": average,
    "AVG_BY_CIRCLE": by_circle,
    "CONSISTENT_HASH": consistent_hash(),
}


class StrategyFailed(RocketMQError):
    """
    A strategy has raised an exception, so the queues of a topic are kept.

    :ivar why: the exception.
    """

    def __init__(self, why: Exception) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"the strategy failed: {self.why!r}"


def strategy(name: str | Strategy) -> Strategy:
    """
    Return the strategy with this name; a function is one itself.

    :raises UnknownStrategy: there is none.
    """
    if not isinstance(name, str):
        return name
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

    :returns: our queues; none if the broker does not list us as a member. Queues that
        the topic does not have are left out.
    :raises StrategyFailed: the strategy raised an exception.

    Source: ``RebalanceImpl.rebalanceByTopic``.
    """
    ordered = sorted(members, key=_java_order)
    if client_id not in ordered:
        return frozenset()
    existing = sorted(queues)
    try:
        ours = strategy(client_id, existing, ordered)
        return frozenset(ours).intersection(existing)
    except Exception as error:
        raise StrategyFailed(error) from error


def _java_order(text: str) -> bytes:
    """Return the key by which Java sorts strings: their UTF-16 code units."""
    return text.encode("utf-16-be", "surrogatepass")
