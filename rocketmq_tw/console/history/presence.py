"""
Which brokers were there lately, and are not any more.

Name servers forget a broker as soon as its connection ends: nothing that they say
shows that it has stopped, or was killed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.admin.results.cluster import BrokerStatus, ClusterStatus
from rocketmq_tw.console.api.problems import Problem, Severity

#: Seconds for which a broker that is gone is named, as long as plots show it.
KEPT = 7200.0
#: Brokers that are remembered.
MOST = 1024


class Presence:
    """Remembers when each broker was registered last."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        # By cluster, name and id: the address, and when; the oldest first. At most
        # MOST.
        self._seen: OrderedDict[tuple[str, str, int], tuple[str, float]] = OrderedDict()

    def saw(self, brokers: Iterable[BrokerStatus]) -> None:
        """Remember the brokers that there are."""
        now = self._clock.seconds()
        for each in brokers:
            key = (each.cluster, each.name, each.id)
            self._seen[key] = (each.address, now)
            self._seen.move_to_end(key)
        while len(self._seen) > MOST:
            self._seen.popitem(last=False)

    def missing(self, status: ClusterStatus) -> tuple[Problem, ...]:
        """Return who is gone: neither there, nor registered and silent."""
        now = self._clock.seconds()
        here = {(each.cluster, each.name, each.id) for each in status.brokers}
        return tuple(
            Problem(Severity.WARNING, address, _gone(name, number, now - at))
            for (cluster, name, number), (address, at) in self._seen.items()
            if (cluster, name, number) not in here
            and address not in status.failed
            and now - at < KEPT
        )


def _gone(name: str, number: int, seconds: float) -> str:
    """Return the sentence about a broker that is gone."""
    role = "the master" if not number else f"slave {number}"
    minutes = int(seconds // 60)
    since = f"{minutes} min" if minutes else "less than a minute"
    return f"{role} of {name} has not been registered for {since}: it has stopped"
