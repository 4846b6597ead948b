"""
Whether the members of a group subscribe to the same.

All members of a group share its queues, and the subscriptions of the latest heartbeat
count for all. If one subscribes to other topics or tags than the rest, messages are
lost to the group: those that its members skip, and those of queues that are assigned to
a member that does not know the topic.

Each member has a *mark*, a hash of what it subscribes to; members with equal marks
agree. The retry topic, which is added by the clients, does not count.
"""

from __future__ import annotations

from collections.abc import Iterable

from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.model.topic import RETRY_PREFIX
from rocketmq_tw.remoting.call import Peer


def mark_of(subscriptions: Iterable[Subscription]) -> int:
    """Return the mark of a member that has these subscriptions."""
    return hash(
        frozenset(
            (each.topic, _kind_of(each), _content_of(each))
            for each in subscriptions
            if not each.topic.startswith(RETRY_PREFIX)
        )
    )


def _kind_of(subscription: Subscription) -> str:
    """Return the type of an expression; the same for all ways to say tags."""
    return "" if subscription.is_tag else subscription.expression_type


def _content_of(subscription: Subscription) -> str | frozenset[str]:
    """Return what an expression says: its tags in any order, or its text."""
    if subscription.is_tag and subscription.tags_set:
        return subscription.tags_set
    return "" if subscription.is_tag else subscription.sub_string


class Agreement:
    """The marks of the members of one group."""

    # _counts has the number of members for each mark that is in _marks.

    def __init__(self) -> None:
        self._marks: dict[Peer, int] = {}
        self._counts: dict[int, int] = {}

    def put(self, peer: Peer, mark: int) -> None:
        """Add a member, or change its mark."""
        if self._marks.get(peer) == mark:
            return
        self.remove(peer)
        self._marks[peer] = mark
        self._counts[mark] = self._counts.get(mark, 0) + 1

    def remove(self, peer: Peer) -> None:
        """Remove a member, if it is one."""
        mark = self._marks.pop(peer, None)
        if mark is None:
            return
        self._counts[mark] -= 1
        if not self._counts[mark]:
            del self._counts[mark]

    def others(self, mark: int) -> list[Peer]:
        """Return the members with another mark; usually there are none."""
        if not self._counts or self._counts.keys() == {mark}:
            return []
        return [peer for peer, each in self._marks.items() if each != mark]

    @property
    def minority(self) -> list[Peer]:
        """Return the members that do not subscribe to what most members do."""
        if len(self._counts) < 2:
            return []
        return self.others(max(self._counts, key=self._counts.__getitem__))
