"""
The brokers of a cluster, by name.

Source: ``ClusterInfo``, ``BrokerMemberGroup`` and ``GetBrokerMemberGroupResponseBody``.
"""

from __future__ import annotations

from rocketmq_tw.model.route import BrokerData
from rocketmq_tw.wire.bodies.body import Body


class ClusterInfo(Body, frozen=True):
    """The response to GET_BROKER_CLUSTER_INFO (106)."""

    broker_addr_table: dict[str, BrokerData] = {}
    #: Maps cluster name to the names of its brokers.
    cluster_addr_table: dict[str, frozenset[str]] = {}


class BrokerMemberGroup(Body, frozen=True):
    """The master and replicas of one broker name."""

    cluster: str
    broker_name: str
    #: Maps broker id to ``host:port``.
    broker_addrs: dict[int, str] = {}


class GetBrokerMemberGroupBody(Body, frozen=True):
    """The response to GET_BROKER_MEMBER_GROUP (901)."""

    broker_member_group: BrokerMemberGroup | None = None
