"""
The brokers of one name: a master and its slaves, as name servers know them.

With ``enableSlaveActingMaster`` each broker looks every second
(``syncBrokerMemberGroupPeriod``). Without, it knows itself alone.

Source: ``BrokerController.syncBrokerMemberGroup`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.name_servers import AskNameServers, members
from rocketmq_tw.model.errors import RocketMQError


class MemberGroup:
    """
    The addresses of the brokers of one name.

    :param broker_id: this broker's, like ``address``.
    :param period: seconds between two looks.
    :ivar addresses: ``host:port`` by id, this broker's included.
    :ivar on_found: called with what name servers know, after each look that found any.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        reactor: Any,
        cluster: str,
        broker_name: str,
        broker_id: int,
        address: str,
        ask_name_servers: AskNameServers,
        period: float,
    ) -> None:
        self._cluster = cluster
        self._broker_name = broker_name
        self._own = {broker_id: address}
        self._ask_name_servers = ask_name_servers
        self._period = period
        self._ticker = LoopingCall(self._look)
        self._ticker.clock = reactor
        self.addresses: Mapping[int, str] = self._own
        self.on_found: list[Callable[[Mapping[int, str]], object]] = []

    @property
    def others(self) -> list[str]:
        """The addresses of the other brokers, by their ids."""
        found = self.addresses
        return [found[each] for each in sorted(found) if each not in self._own]

    def start(self) -> None:
        """Start looking."""
        self._ticker.start(self._period, now=False)

    def stop(self) -> None:
        """Stop looking."""
        self._ticker.stop()

    def _look(self) -> Deferred[None]:
        """Ask which brokers are registered; a failure says nothing about them."""
        looked = Deferred.fromCoroutine(self._members()).addCallback(self._found)
        return looked.addErrback(self._not_found)

    async def _members(self) -> Mapping[int, str]:
        found = await members(self._ask_name_servers, self._cluster, self._broker_name)
        return found

    def _found(self, addresses: Mapping[int, str]) -> None:
        if not addresses:
            return
        self.addresses = {**addresses, **self._own}
        for callback in self.on_found:
            callback(addresses)

    def _not_found(self, failure: Failure) -> None:
        """Ignore an outage of the name servers, and log anything else."""
        if not failure.check(RocketMQError):
            self._log.failure("looking for brokers of this name failed", failure)
