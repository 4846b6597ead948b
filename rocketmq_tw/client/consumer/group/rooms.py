"""
Strategies that need to know the site: fixed queues, and machine rooms.

Source: ``AllocateMessageQueueByConfig``, ``AllocateMessageQueueByMachineRoom`` and
``AllocateMachineRoomNearby`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

from rocketmq_tw.client.consumer.group.strategy import Strategy
from rocketmq_tw.model.queue import MessageQueue

T = TypeVar("T")


def by_config(queues: Iterable[MessageQueue]) -> Strategy:
    """
    Return a strategy that allocates always the same queues, whoever the members are.

    Whoever configures the members must see to it that each queue has one owner.
    """
    fixed = list(queues)
    return lambda _client_id, _queues, _members: fixed


def machine_room(rooms: Collection[str]) -> Strategy:
    """
    Return a strategy that allocates only the queues of some machine rooms.

    Brokers are named ``<room>@<name>``; queues of other brokers have no owner.

    :param rooms: must be the same for all members.
    """
    chosen = frozenset(rooms)

    def allocate(
        client_id: str, queues: Sequence[MessageQueue], members: Sequence[str]
    ) -> Sequence[MessageQueue]:
        ours = [queue for queue in queues if _room(queue.broker_name) in chosen]
        index = list(members).index(client_id)
        share, rest = divmod(len(ours), len(members))
        found = ours[index * share : (index + 1) * share]
        if index < rest:
            found.append(ours[index + share * len(members)])
        return found

    return allocate


def _room(broker_name: str) -> str | None:
    """Return the machine room in the name of a broker; None if there is none."""
    parts = broker_name.split("@")
    return parts[0] if len(parts) == 2 and parts[1] else None


def machine_room_nearby(
    inner: Strategy,
    room_of_broker: Callable[[MessageQueue], str],
    room_of_client: Callable[[str], str],
) -> Strategy:
    """
    Return a strategy that allocates queues to members in the same machine room.

    Queues of rooms without any member are allocated to all members.

    :param inner: allocates the queues of one room.
    :param room_of_broker: returns the room of a queue's broker.
    :param room_of_client: returns the room of a client id. An empty room is an error.
    """

    def allocate(
        client_id: str, queues: Sequence[MessageQueue], members: Sequence[str]
    ) -> Sequence[MessageQueue]:
        queues_of = _by_room(queues, room_of_broker)
        members_of = _by_room(members, room_of_client)
        own_room = room_of_client(client_id)
        ours: list[MessageQueue] = []
        for room, some in queues_of.items():
            if room == own_room:
                ours += inner(client_id, some, members_of[room])
            elif room not in members_of:
                ours += inner(client_id, some, members)
        return ours

    return allocate


def _by_room(items: Iterable[T], room_of: Callable[[T], str]) -> dict[str, list[T]]:
    """
    Group items by their room.

    :raises ValueError: an item has none.
    """
    found: defaultdict[str, list[T]] = defaultdict(list)
    for item in items:
        room = room_of(item)
        if not room:
            raise ValueError(f"{item} is in no machine room")
        found[room].append(item)
    return dict(found)
