"""
What a broker does before it registers, with ``enableSlaveActingMaster``.

Only where there are to be other brokers of its name (``totalReplicas``). A master that
returns sends the slaves its addresses, waits until each follows it, and takes over how
far consumers have read meanwhile; only then do clients come back to it. A slave waits
until it follows the master, if there is one.

Whatever fails is tried again after a second, also because a broker that is gone may
still be registered.

Source: ``BrokerPreOnlineService`` of RocketMQ 5.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from rocketmq_tw.broker.name_servers import members
from rocketmq_tw.broker.other_brokers import OtherBrokers, Outgoing
from rocketmq_tw.broker.registration import BrokerIdentity
from rocketmq_tw.broker.slave.master import Master
from rocketmq_tw.broker.slave.replicated import Replicated
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.route import MASTER_ID
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.remoting.peer_log import host_of
from rocketmq_tw.replication.status import HaStatus
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.replication import ExchangeHaInfo

A = TypeVar("A", bound=Response)

#: Seconds between two attempts, and between two looks at the connections of slaves.
PERIOD = 1.0
#: How many looks such a connection may take.
LOOKS = 10


class NotFollowing(RocketMQError):
    """A slave does not follow its master yet."""

    def __str__(self) -> str:
        return f"no slave at {self.args[0]} follows its master yet"


class PreOnline:
    """
    Prepares a broker before it registers.

    :param identity: what the broker is to register.
    :param master: where the master of a slave is.
    :param documents: what a master that returns takes over from its slaves.
    :param status: returns the state of replication.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        reactor: Any,
        identity: BrokerIdentity,
        name_servers: Sequence[str],
        master: Master,
        documents: Sequence[Replicated],
        status: Callable[[], HaStatus],
        outgoing: Outgoing | None = None,
    ) -> None:
        self._reactor = reactor
        self._identity = identity
        self._name_servers = list(name_servers)
        self._master = master
        self._documents = documents
        self._status = status
        self._brokers = OtherBrokers(reactor, outgoing)
        self._is_stopped = False
        self._pause: Deferred[None] | None = None

    def run(self) -> Deferred[None]:
        """Prepare; fires when the broker may register, or is to stop."""
        return Deferred.fromCoroutine(self._run())

    def stop(self) -> Deferred[None]:
        """Give up; fires when the connections are closed."""
        self._is_stopped = True
        if self._pause is not None:
            self._pause.cancel()
        return self._brokers.close_all()

    async def _run(self) -> None:
        complained = False
        while not self._is_stopped:
            try:
                await self._prepare()
                return
            except RocketMQError as error:
                if not complained and not self._is_stopped:
                    complained = True
                    self._log.warn(
                        "not ready to register: {why}; still trying", why=str(error)
                    )
            await self._wait()

    async def _wait(self) -> None:
        """Wait a second, or until the broker is to stop."""
        if self._is_stopped:
            return
        self._pause = deferLater(self._reactor, PERIOD)
        with contextlib.suppress(CancelledError):
            await self._pause
        self._pause = None

    async def _prepare(self) -> None:
        """Meet the other brokers of this name."""
        own = self._identity.broker_id
        found = await self._members()
        others = {number: found[number] for number in sorted(found) if number != own}
        if own == MASTER_ID:
            for address in others.values():
                await self._meet_slave(address)
        elif MASTER_ID in others:
            await self._meet_master(others[MASTER_ID])

    async def _members(self) -> Mapping[int, str]:
        """Ask the first name server that responds; without any, there are no others."""
        identity = self._identity
        error: RocketMQError | None = None
        for name_server in self._name_servers:

            def ask(request: Request[A], at: str = name_server) -> Deferred[A]:
                return self._brokers.call(at, request)

            try:
                return await members(ask, identity.cluster, identity.broker_name)
            except RocketMQError as failed:
                error = failed
        if error is not None:
            raise error
        return {}

    async def _meet_slave(self, address: str) -> None:
        """Let a slave follow this master, and take over what it knows better."""
        identity = self._identity
        request = ExchangeHaInfo(
            master_ha_address=identity.ha_address,
            master_flush_offset=0,
            master_address=identity.address,
        )
        await self._brokers.call(address, request)
        host = host_of(address)
        await self._until_following(
            host, lambda status: any(host_of(s.address) == host for s in status.slaves)
        )

        def ask(request: Request[A]) -> Deferred[A]:
            return self._brokers.call(address, request)

        for document in self._documents:
            if document.copy_back is not None:
                await document.copy_back(ask)
        self._log.info("took over from the slave at {address}", address=address)

    async def _meet_master(self, address: str) -> None:
        """Follow the master."""
        said = await self._brokers.call(address, ExchangeHaInfo())
        if said.master_ha_address:
            self._master.set(address, said.master_ha_address)
            await self._until_following(
                self._identity.address,
                lambda s: s.follows is not None and s.follows.is_connected,
            )

    async def _until_following(
        self, host: str, is_following: Callable[[HaStatus], bool]
    ) -> None:
        """Wait for a connection. :raises NotFollowing: there is none in time."""
        for _ in range(LOOKS):
            if is_following(self._status()):
                return
            if self._is_stopped:
                raise ConnectError(host, "the broker is to stop")
            await self._wait()
        raise NotFollowing(host)
