"""
Which clients are connected: by language, version and how they consume.

Source: ``BrokerMetricsManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.clients import Client
from rocketmq_tw.metrics.broker.labels import GroupLabels, truth, version_label
from rocketmq_tw.metrics.family import Family
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.metrics.text import Values
from rocketmq_tw.model.group import ConsumeType
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.pacing import Steps, parts_of

#: Groups that are looked at in one step, and members of them.
GROUPS, MEMBERS = 200, 2000
_PROTOCOL = "remoting"
#: Characters of a language, which clients name.
_LONGEST = 20
_MODES = {
    ConsumeType.CONSUME_ACTIVELY: "pull",
    ConsumeType.CONSUME_PASSIVELY: "push",
    ConsumeType.CONSUME_POP: "pop",
}


class ClientMetrics:
    """Collects the numbers of producers and consumers."""

    def __init__(self, target: Target, broker: Broker, labels: GroupLabels) -> None:
        self._clients = broker.tables.clients
        self._labels = labels
        self._producers = target.gauge(
            "rocketmq_producer_connections",
            "Connections of producers",
            "language",
            "version",
            "protocol_type",
        )
        self._consumers = target.gauge(
            "rocketmq_consumer_connections",
            "Connections of consumers",
            "consumer_group",
            "language",
            "version",
            "consume_mode",
            "protocol_type",
            "is_system",
        )

    def collect(self) -> Steps[None]:
        """Count all, and set what is there now."""
        yield from self._collect_producers()
        yield from self._collect_consumers()

    def _collect_producers(self) -> Steps[None]:
        """Count each connection once, whatever its groups."""
        seen: dict[Peer, Client] = {}
        for groups in parts_of(self._clients.producer_groups(), GROUPS):
            for group in groups:
                for members in parts_of(self._clients.producers(group), MEMBERS):
                    for client in members:
                        seen[client.peer] = client
                    if len(members) == MEMBERS:
                        yield None
            yield None
        counts: Counter[Values] = Counter(map(_labels_of, seen.values()))
        _set_all(self._producers, counts)

    def _collect_consumers(self) -> Steps[None]:
        """Count the members of each group."""
        counts: Counter[Values] = Counter()
        for groups in parts_of(self._clients.consumer_groups(), GROUPS):
            for group in groups:
                mode = _MODES.get(group.consume_type, "unknown")  # type: ignore[arg-type]
                is_system = truth(self._labels.is_system_group(group.name))
                for members in parts_of(list(group.members.values()), MEMBERS):
                    for client in members:
                        language, version, protocol = _labels_of(client)
                        own = group.name, language, version, mode, protocol, is_system
                        counts[own] += 1
                    if len(members) == MEMBERS:
                        yield None
            yield None
        _set_all(self._consumers, counts)


def _labels_of(client: Client) -> tuple[str, str, str]:
    """Return the labels of a client."""
    return client.language.lower()[:_LONGEST], version_label(client.version), _PROTOCOL


def _set_all(family: Family, counts: Mapping[Values, int]) -> None:
    """Set series, and remove those that are no more."""
    family.keep_only(counts)
    for values, count in counts.items():
        family.set(values, count)
