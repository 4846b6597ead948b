"""
Replication in a broker: the HA port of a master, or the master that a slave follows.

A master opens its HA port with the other ports. A slave connects to its master as soon
as it knows two addresses of it: that of the HA port, and that of its service, where it
asks about the log before it copies anything.

Source: ``DefaultHAService`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory

from rocketmq_tw.broker.config import BrokerConfig, BrokerRole, FlushDiskType
from rocketmq_tw.broker.master_log import RemoteLog
from rocketmq_tw.broker.other_brokers import OtherBrokers, outgoing_of
from rocketmq_tw.broker.store import Store
from rocketmq_tw.clock import wall_time
from rocketmq_tw.remoting.addresses import (
    EndpointString,
    host_port,
    split_host_port,
)
from rocketmq_tw.remoting.durable import DurableLog
from rocketmq_tw.remoting.listener import Listener
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.tls import ServerSide
from rocketmq_tw.replication.acks import SlaveAcks
from rocketmq_tw.replication.master import MasterService, SlaveFactory
from rocketmq_tw.replication.quorum import Quorum
from rocketmq_tw.replication.slave import SlaveService, SlaveSettings
from rocketmq_tw.replication.slave_link import LinkSettings, SlaveLink
from rocketmq_tw.replication.status import HaStatus
from rocketmq_tw.store.interfaces import FlushOutcome
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.wire.codes import ResponseCode

if TYPE_CHECKING:
    from rocketmq_tw.broker.ha_admission import HaAdmission


class Replication:
    """
    The replication of one broker, from one start to the next stop.

    :param tls: TLS of the HA port; None without.
    :ivar is_slave: whether it copies a master.
    :ivar ha_address: ``host:port`` that slaves connect to.
    :ivar durable_log: what sends wait for; None if they do not wait.
    :ivar admission: who may copy the log; None lets all.
    :ivar acks: the part of it that knows the slaves; None if they are not waited for.
    """

    def __init__(
        self,
        reactor: Any,
        config: BrokerConfig,
        peers: PeerLog,
        tls: ServerSide | None = None,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._peers = peers
        self._listener = Listener(reactor, tls)
        self._gate = _Gate()
        self._brokers = OtherBrokers(reactor, outgoing_of(config))
        # Makes the connections to the HA port.
        self._ha_pool = ConnectionPool(
            reactor, tls=config.tls.client if config.tls.ha else None
        )
        self.admission = _admission_of(config, reactor)
        self._master: MasterService | None = None
        self._slave: SlaveService | None = None
        self._store: Store | None = None
        self.is_slave = config.broker_role is BrokerRole.SLAVE
        self.ha_address = ""
        self.durable_log: DurableLog | None = None
        self.acks: SlaveAcks | None = None

    async def take(self, port: int) -> None:
        """
        Open the HA port of a master; connections wait until :meth:`start`.

        :param port: the broker's main port.
        :raises CannotListen: it cannot be opened.
        """
        config = self._config
        ha_port = ha_port_of(config, port)
        if not self.is_slave and not config.memory_store_size:
            await self._listener.take(ha_endpoint(config, ha_port), self._gate)
            ha_port = int(getattr(self._listener.address, "port", ha_port))
        self.ha_address = host_port(config.broker_ip2, ha_port or port + 1)

    def install(self, store: Store) -> None:
        """Make the parts, for a store that is open."""
        self._store, config = store, self._config
        if config.flush_disk_type is FlushDiskType.SYNC_FLUSH:
            self.durable_log = store
        if not isinstance(store, MessageStore):
            return
        if self.is_slave:
            self._slave = self._make_slave(store)
            self.master_found("", "")
            return
        self._master = self._make_master(store)
        self._gate.inner = self._master.factory
        quorum = quorum_of(config)
        if quorum.most > 1:
            self.acks = self.durable_log = SlaveAcks(
                master=self._master,
                log=store,
                clock=self._reactor,
                quorum=quorum,
                alive=config.total_replicas,
                slave_timeout=config.slave_timeout / 1000,
                flush_timeout=config.sync_flush_timeout / 1000,
            )

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return what runtime information shows of the slaves."""
        master, admission = self._master, self.admission

        def refused() -> int:
            unsigned = 0 if admission is None else admission.refused
            return unsigned + (0 if master is None else master.refused)

        return {
            "haConnections": lambda: 0 if master is None else len(master.links),
            "haConnectionsRefused": refused,
        }

    def start(self) -> None:
        """Accept slaves, or follow the master."""
        for service in (self._master, self._slave):
            if service is not None:
                service.startService()
        self._listener.accept()

    async def stop(self) -> None:
        """Close the port and all connections."""
        await self._listener.stopService()
        for service in (self._master, self._slave):
            if service is not None and service.running:
                service.stopService()
        if self.acks is not None:
            self.acks.stop()
        await self._brokers.close_all()

    def master_found(self, address: str, ha_address: str) -> None:
        """
        Follow the master that a name server knows, if this is a slave.

        ``haMasterAddress`` wins; its service is at the next lower port then, unless a
        name server knows better.

        :param address: ``host:port`` of its service; empty if none is known.
        :param ha_address: ``host:port`` of its HA port, likewise.
        """
        if self._slave is None:
            return
        configured = self._config.ha_master_address
        if configured:
            host, port = split_host_port(configured)
            address = address or self._slave.address or host_port(host, port - 1)
        self._slave.set_master(address, configured or ha_address)

    def members_found(self, count: int) -> None:
        """Note how many brokers of this name there are."""
        if self.acks is not None:
            self.acks.alive = count

    def when_safe(self, end: int) -> Deferred[ResponseCode | None] | None:
        """
        Return a Deferred for when a message may be acknowledged; None if it may be now.

        For messages that Apache RocketMQ acknowledges at once: it is waited for slaves
        only while as many as needed are in sync, which takes a millisecond.

        :param end: where its record ends.
        :returns: fires with None, or with the code of what is missing.
        """
        if self.acks is not None and self.acks.is_within_reach:
            return self.acks.when_safe(end)
        flushed = None if self._store is None else self._store.when_flushed(end)
        return None if flushed is None else flushed.addCallback(_code_of)

    @property
    def master_address(self) -> str:
        """``host:port`` of the service of the slave's master; empty if unknown."""
        return "" if self._slave is None else self._slave.address

    @property
    def is_following(self) -> bool:
        """Whether this slave copies its master now."""
        return self._slave is not None and self._slave.is_following

    def status(self) -> HaStatus:
        """Return what operators are shown."""
        part = self._slave if self._slave is not None else self._master
        if part is not None:
            return part.status()
        end = 0 if self._store is None else self._store.commit_log_max
        return HaStatus(is_master=not self.is_slave, log_end=end)

    def _make_master(self, store: MessageStore) -> MasterService:
        config = self._config
        limit = config.max_ha_transfer_byte_in_second
        return MasterService(
            source=store.source,
            clock=self._reactor,
            settings=LinkSettings(
                batch_size=config.ha_transfer_batch_size,
                heartbeat_interval=config.ha_send_heartbeat_interval / 1000,
                housekeeping_interval=config.ha_housekeeping_interval / 1000,
                max_gap=config.ha_max_gap_not_in_sync,
                bytes_per_second=limit if config.ha_flow_control_enable else None,
            ),
            max_links=config.max_ha_connections,
            max_links_per_address=config.max_ha_connections_per_address,
            peers=self._peers,
            why_not=None if self.admission is None else self.admission.why_not,
        )

    def _make_slave(self, store: MessageStore) -> SlaveService:
        config = self._config
        return SlaveService(
            store=store,
            replica=store.replica,
            clock=self._reactor,
            settings=SlaveSettings(
                heartbeat_interval=config.ha_send_heartbeat_interval / 1000,
                housekeeping_interval=config.ha_housekeeping_interval / 1000,
                from_last_file=config.sync_from_last_file,
            ),
            connect=self._ha_pool.connect,
            master_log=lambda address: RemoteLog(self._brokers, address),
            wall_time=wall_time(self._reactor),
        )


def _admission_of(config: BrokerConfig, clock: IReactorTime) -> HaAdmission | None:
    """Return who may copy the log; None for everybody."""
    if not config.access.guards_slaves:
        return None
    from rocketmq_tw.broker.ha_admission import HaAdmission

    return HaAdmission(clock, config.access.ha_allowed)


def quorum_of(config: BrokerConfig) -> Quorum:
    """Return how many brokers must have what is sent to a broker."""
    if config.broker_role is not BrokerRole.SYNC_MASTER:
        return Quorum()
    return Quorum(
        replicas=config.in_sync_replicas,
        minimum=config.min_in_sync_replicas,
        is_checked=config.enable_slave_acting_master,
        is_adapted=config.enable_auto_in_sync_replicas,
    )


def _code_of(outcome: FlushOutcome) -> ResponseCode | None:
    """Return the code of a message that is not on disk in time."""
    late = outcome is FlushOutcome.TIMED_OUT
    return ResponseCode.FLUSH_DISK_TIMEOUT if late else None


def ha_port_of(config: BrokerConfig, port: int) -> int:
    """
    Return the number of the HA port; 0 where the system chooses it.

    :param port: the broker's main port.
    """
    if config.ha_listen_port or not config.listen_port:
        return config.ha_listen_port
    return port + 1


def ha_endpoint(config: BrokerConfig, ha_port: int) -> str:
    """
    Return the endpoint of the HA port: on the interfaces of the main port.

    Slaves connect directly, also where clients come through a proxy.
    """
    if not config.listen:
        return f"tcp:{ha_port}"
    parts = EndpointString.parse(config.listen).without_proxy()
    return str(parts.on_port(ha_port))


class _Gate(Factory):
    """The factory of a port that is opened before its service is made."""

    noisy = False

    def __init__(self) -> None:
        self.inner: SlaveFactory | None = None

    def buildProtocol(self, addr: IAddress | None) -> SlaveLink | None:
        """Return the protocol of the service; None while there is none."""
        return None if self.inner is None else self.inner.buildProtocol(addr)
