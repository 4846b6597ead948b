"""
Allocation by consistent hashing: few queues change their owner with the members.

Each member stands at ten positions of a ring. A queue belongs to the member at the
first position that is not below the queue's own, or at the lowest one behind the end::

    position of a member   MD5 of "<client id>-<0 to 9>", its first 4 bytes
    position of a queue    MD5 of "MessageQueue [topic=T, brokerName=B, queueId=0]"

Source: ``AllocateMessageQueueConsistentHash`` and ``ConsistentHashRouter`` of RocketMQ
5.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from hashlib import md5
from typing import Final

from rocketmq_tw.client.consumer.group.strategy import Strategy
from rocketmq_tw.model.queue import MessageQueue

#: The positions of each member, by default.
VIRTUAL_NODES: Final = 10


def consistent_hash(virtual_nodes: int = VIRTUAL_NODES) -> Strategy:
    """
    Return the strategy.

    :param virtual_nodes: the positions of each member on the ring; must be the same for
        all members.
    """

    def allocate(
        client_id: str, queues: Sequence[MessageQueue], members: Sequence[str]
    ) -> Sequence[MessageQueue]:
        ring = _ring(members, virtual_nodes)
        positions = sorted(ring)
        return [q for q in queues if ring[_next(positions, _name(q))] == client_id]

    return allocate


def _ring(members: Sequence[str], virtual_nodes: int) -> dict[int, str]:
    """Return who stands at which position; of two at the same one, the later."""
    ring: dict[int, str] = {}
    seen: set[str] = set()
    for member in members:
        # A member that is listed twice, for it has two connections, gets more.
        first = list(ring.values()).count(member) if member in seen else 0
        seen.add(member)
        for number in range(first, first + virtual_nodes):
            ring[_position(f"{member}-{number}")] = member
    return ring


def _next(positions: list[int], name: str) -> int:
    """Return the first position that is not below that of a name."""
    index = bisect_left(positions, _position(name))
    return positions[index % len(positions)]


def _name(queue: MessageQueue) -> str:
    """Return a queue as Java prints it."""
    return (
        f"MessageQueue [topic={queue.topic}, brokerName={queue.broker_name},"
        f" queueId={queue.queue_id}]"
    )


def _position(text: str) -> int:
    """Return the position of a text on the ring."""
    digest = md5(text.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big")
