"""
Brokers of one name, and what their registrations mean for them.

Source: ``BrokerData`` and ``RouteInfoManager`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec

from rocketmq_tw.model.route import BrokerData, QueueData
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.namesrv.live import LiveBroker, Registration


class BrokerGroup(msgspec.Struct):
    """The brokers of one name, and the topics that they hold."""

    cluster: str
    broker_name: str
    #: Maps broker id to ``host:port``.
    addrs: dict[int, str] = {}
    acting_master: bool = False
    zone_name: str | None = None
    topics: set[str] = set()

    def data(self) -> BrokerData:
        """Return the group in the form of routes and cluster lists."""
        return BrokerData(
            cluster=self.cluster,
            broker_name=self.broker_name,
            broker_addrs=dict(self.addrs),
            enable_acting_master=self.acting_master,
            zone_name=self.zone_name,
        )


def named(known: LiveBroker | None, broker: Registration) -> set[str] | None:
    """
    Return the topics that a broker has named since the first part of its table.

    :returns: None if the first part is missing.
    """
    names = broker.topics.topic_config_table
    if broker.part in (None, "first"):
        return set(names)
    before = known.named if known is not None else None
    if before is not None:
        before.update(names)
    return before


def is_prime_replica(broker: Registration, group: BrokerGroup) -> bool:
    """Whether this broker has the lowest id and supports acting masters."""
    return broker.acting_master is not None and broker.broker_id == min(group.addrs)


def without(addrs: dict[int, str], broker: Registration) -> dict[int, str]:
    """Return the addresses without the broker's own under another id."""
    own, own_id = broker.broker_addr, broker.broker_id
    return {i: addr for i, addr in addrs.items() if addr != own or i == own_id}


def queue_data(broker_name: str, config: TopicConfig, mask: int) -> QueueData:
    """Return a topic's configuration in the form of routes."""
    return QueueData(
        broker_name,
        config.read_queue_nums,
        config.write_queue_nums,
        config.perm & mask,
        config.topic_sys_flag,
    )
