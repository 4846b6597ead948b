"""
Which connection may speak for a broker.

Peers do not authenticate, so any of them could register as a broker that is already
registered, or unregister it. As long as a broker's connection is open and used, its
name and id stay with its address, and only that connection, and others from the same
host, may change its entry. A broker restarted on another port has lost its connection.

Source: none; Apache RocketMQ lets the latest registration win.
"""

from __future__ import annotations

from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.namesrv.live import BrokerKey, LiveBroker
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.local_administration import is_local
from rocketmq_tw.remoting.peer_log import host_of
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.registration import (
    RegisterBroker,
    UnregisterBroker,
    WipeWritePermission,
)

#: Seconds without a request after which a broker's connection may be dead, so that
#: another one can replace it. Brokers register every 10 to 60 s.
UNUSED = 60.0


class Ownership:
    """
    Checks requests that change the entry of a broker.

    :ivar refused: how many were refused since the start.
    """

    def __init__(self, table: RouteTable) -> None:
        self._table = table
        self.refused = 0

    def check_registration(self, request: RegisterBroker, call: Call) -> None:
        """
        Check that no other broker has this address, or this name and id.

        :raises Refused: one has, and its connection is open and used.
        """
        addresses = {request.broker_addr}
        group = self._table.groups.get(request.broker_name)
        if group is not None:
            addresses.add(group.addrs.get(request.broker_id, request.broker_addr))
        self._check(request, call, addresses)

    def check_unregistration(self, request: UnregisterBroker, call: Call) -> None:
        """
        Check that a broker is removed by its own connection or host.

        :raises Refused: it is not.
        """
        self._check(request, call, {request.broker_addr})

    def check_wipe(self, request: WipeWritePermission, call: Call) -> None:
        """
        Check that a broker's permission to write is removed by the host of one of its
        name, as brokers do before a planned stop, or from this machine.

        :raises Refused: it is not.
        """
        group = self._table.groups.get(request.broker_name)
        if group is None or call.principal is not None:
            return
        for address in group.addrs.values():
            live = self._table.live.get(BrokerKey(group.cluster, address))
            if live is not None and self.may_renew(live, call):
                return
        if not is_local(call.peer):
            self.refused += 1
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"the permission to write to {log_safe(request.broker_name)} is removed"
                " by its own host, or from the name server's machine, only; set"
                " remoteAdministration=true in namesrv.conf, or access control",
            )

    def may_renew(self, live: LiveBroker, call: Call) -> bool:
        """
        Whether a request shows that a broker is alive: its connection or host sent it.

        The time of its last connection does not matter: a peer elsewhere could keep the
        entry of a dead broker for ever.
        """
        owner = live.connection
        if owner is None or owner is call.peer:
            return True
        return host_of(owner.address) == host_of(call.peer.address)

    def _check(
        self,
        request: RegisterBroker | UnregisterBroker,
        call: Call,
        addresses: set[str],
    ) -> None:
        """Refuse a request about an address that another connection owns."""
        group = self._table.groups.get(request.broker_name)
        clusters = {request.cluster_name}
        if group is not None:
            clusters.add(group.cluster)
        for address in addresses:
            for cluster in clusters:
                live = self._table.live.get(BrokerKey(cluster, address))
                if live is None:
                    continue
                same_address = address == request.broker_addr
                is_own = same_address and live.broker_name == request.broker_name
                if _is_owned_by_other(live, call, is_own):
                    self._refuse(request, live)

    def _refuse(
        self, request: RegisterBroker | UnregisterBroker, live: LiveBroker
    ) -> None:
        """Refuse a request. :raises Refused: always."""
        self.refused += 1
        owner = live.connection.address if live.connection is not None else "?"
        raise Refused(
            ResponseCode.NO_PERMISSION,
            f"broker {log_safe(live.broker_name)} at {log_safe(live.key.broker_addr)}"
            f" is registered by {owner}, whose connection is open;"
            f" nobody else can register or remove id {request.broker_id} meanwhile",
        )


def _is_owned_by_other(live: LiveBroker, call: Call, is_own: bool) -> bool:
    """
    Whether a broker belongs to another connection, which is used.

    :param is_own: the request has the broker's address and name: it may be of the same
        broker, which connected again, if it comes from the same host.
    """
    owner = live.connection
    if owner is None or owner is call.peer or not owner.is_connected:
        return False
    if is_own and host_of(owner.address) == host_of(call.peer.address):
        return False
    return call.peer.last_seen - live.last_seen <= UNUSED
