"""
Notifies brokers when another one has the lowest id of their name.

Slaves with ``enableSlaveActingMaster`` act for a master that is gone, or stop that once
it is back. They look each second; a notice saves them that second.

A notice goes to the addresses that brokers registered, over connections of its own, and
nobody waits for it.

Source: ``RouteInfoManager.notifyMinBrokerIdChanged`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import nsmallest
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from rocketmq_tw.access.secrets import sign_as
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.groups import BrokerGroup
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.wire.requests.replication import NotifyMinBrokerIdChange

#: Seconds to connect to a broker.
CONNECT_TIMEOUT = 0.3
#: Brokers of one name that get a notice, those with the lowest ids; there are a few. A
#: peer can register thousands, at any addresses.
MOST = 32


class MinBrokerNotices:
    """
    Sends the notices of one name server.

    :param config: they are sent while ``notify_min_broker_id_changed`` is true.
    :param ha_address: returns where the slaves of a broker copy from: takes its cluster
        and its address.
    :param peers: limits what is logged of brokers that cannot be reached.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        reactor: Any,
        config: NamesrvConfig,
        ha_address: Callable[[str, str], str | None],
        peers: PeerLog,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._ha_address = ha_address
        self._peers = peers
        self._pool = ConnectionPool(
            reactor,
            connect_timeout=CONNECT_TIMEOUT,
            tls=config.tls.client,
            sign=sign_as(config.access.inner),
        )

    def addresses_changed(self, group: BrokerGroup, before: Mapping[int, str]) -> None:
        """
        Notify the brokers of a group if the lowest id has changed.

        :param before: the addresses before, by broker id.
        """
        after = group.addrs
        is_wanted = self._config.notify_min_broker_id_changed and group.acting_master
        if not is_wanted or not before or not after:
            return
        first, last = min(after), min(before)
        if first == last:
            return
        receivers = dict(after)
        if first < last:
            del receivers[first]
        # The registration that is the cause is complete then.
        offline = before[last] if last not in after else None
        self._reactor.callLater(0, self._notify, group, first, offline, receivers)

    def stop(self) -> Deferred[None]:
        """Close all connections."""
        return self._pool.close_all()

    def _notify(
        self,
        group: BrokerGroup,
        first: int,
        offline: str | None,
        receivers: Mapping[int, str],
    ) -> None:
        """Send the notice to brokers, unless the lowest id has changed again."""
        address = group.addrs.get(first)
        if address is None or min(group.addrs) != first:
            return
        is_back = offline is None
        notice = NotifyMinBrokerIdChange(
            min_broker_id=first,
            min_broker_addr=address,
            offline_broker_addr=offline,
            ha_broker_addr=(
                self._ha_address(group.cluster, address) if is_back else None
            ),
        )
        for _, receiver in nsmallest(MOST, receivers.items()):
            connected = self._pool.connection(receiver)
            connected.addCallback(RemotingProtocol.call_one_way, notice)
            connected.addErrback(self._not_sent, receiver)

    def _not_sent(self, failure: Failure, address: str) -> None:
        """Log that a broker could not be reached: it will look itself."""
        self._peers.emit(
            self._log,
            LogLevel.warn,
            address,
            "broker {address} was not notified: {why}",
            address=log_safe(address),
            why=log_safe(failure.getErrorMessage()),
        )
