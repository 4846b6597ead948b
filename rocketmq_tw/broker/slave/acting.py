"""
What a slave does while its master is gone, with ``enableSlaveActingMaster``.

The slave with the lowest id of its name acts for the master: name servers list it as
the master, without the permission to write, so that consumers read, lock queues and
commit there. It looks each second which ids are registered
(:mod:`rocketmq_tw.broker.member_group`), and name servers may notify it
(:class:`~rocketmq_tw.wire.requests.replication.NotifyMinBrokerIdChange`)::

    the master is gone      nothing is copied from it
    this id is the lowest   the slave acts
    the master is back      the slave copies from it, and sends consumers there

A slave stores no messages. With ``enableRemoteEscape`` it sends delayed messages that
are due to other masters (:mod:`rocketmq_tw.broker.slave.escape`); otherwise they wait
for its own.

Source: ``BrokerController.syncBrokerMemberGroup``, ``updateMinBroker`` and
``onMinBrokerChange`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.other_brokers import OtherBrokers, Outgoing
from rocketmq_tw.broker.replication import Replication
from rocketmq_tw.broker.slave.master import Master
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.route import MASTER_ID
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.replication import (
    ExchangeHaInfo,
    NotifyMinBrokerIdChange,
)


class ActingSlave:
    """
    Knows whether this slave acts for its master.

    :param on_acting: called with True when it begins to act, with False when it ends.
    :ivar first_id: the lowest id of its name; at first that of the master.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        reactor: Any,
        broker_name: str,
        broker_id: int,
        master: Master,
        replication: Replication,
        on_acting: Sequence[Callable[[bool], object]],
        outgoing: Outgoing | None = None,
    ) -> None:
        self._broker_name = broker_name
        self._broker_id = broker_id
        self._master = master
        self._replication = replication
        self._on_acting = on_acting
        self._brokers = OtherBrokers(reactor, outgoing)
        self.first_id = MASTER_ID
        self._first_address = ""

    @property
    def is_acting(self) -> bool:
        """Whether this slave acts for its master now."""
        return self.first_id == self._broker_id

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(NotifyMinBrokerIdChange, self.notified)

    def stop(self) -> Deferred[None]:
        """Close all connections; fires when they are closed."""
        return self._brokers.close_all()

    def notified(self, request: NotifyMinBrokerIdChange, call: Call) -> Response:
        """Note what a name server knows of the lowest id."""
        first, address = request.min_broker_id, request.min_broker_addr
        if first is not None and address is not None and first != self.first_id:
            self._changed(
                first, address, request.offline_broker_addr, request.ha_broker_addr
            )
        return Response()

    def found(self, addresses: Mapping[int, str]) -> None:
        """Compare the ids that are registered with those of the last look."""
        first = min(addresses)
        if first != self.first_id:
            # That was the lowest id, so it must be gone.
            offline = self._first_address if first > self.first_id else None
            self._changed(first, addresses[first], offline, None)
        self._first_address = addresses[first]

    def _changed(
        self, first: int, address: str, offline: str | None, ha_address: str | None
    ) -> None:
        """Act, or stop that; follow a master that is back, and none that is gone."""
        was_acting = self.is_acting
        self.first_id, self._first_address = first, address
        self._log.info(
            "broker {id} at {address} has the lowest id of {name} now{acting}",
            id=first,
            address=log_safe(address),
            name=self._broker_name,
            acting=", and acts for the master" if self.is_acting else "",
        )
        if self.is_acting is not was_acting:
            for callback in self._on_acting:
                callback(self.is_acting)
        if offline and offline == self._master.address:
            self._master.set("", "")
            self._replication.master_found("", "")
        if first == MASTER_ID:
            self._follow(address, ha_address)

    def _follow(self, address: str, ha_address: str | None) -> None:
        """Follow a master that is back."""
        if ha_address:
            self._master.set(address, ha_address)
        else:
            asked = self._brokers.call(address, ExchangeHaInfo())
            asked.addCallback(
                lambda said: self._master.set(address, said.master_ha_address or "")
            )
            asked.addErrback(self._not_asked, address)

    def _not_asked(self, failure: Failure, address: str) -> None:
        """Wait for the next response to a registration, which has the address."""
        self._log.warn(
            "the master at {address} did not say where its log is: {why}",
            address=log_safe(address),
            why=failure.getErrorMessage(),
        )
