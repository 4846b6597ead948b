"""
Handles requests of brokers: registration, heartbeat, unregistration.

Source: ``DefaultRequestProcessor`` of RocketMQ 5. Where releases differ, this follows
5.3: a first registration with a single topic is refused. Brokers of both releases
register all their topics first, so none is affected.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger, LogLevel

from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.route import MASTER_ID
from rocketmq_tw.namesrv.checks import check_filter_servers, check_texts
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.kvconfig import ORDER_TOPIC_CONFIG, KVConfig
from rocketmq_tw.namesrv.live import EXPIRY, BrokerKey, Registration
from rocketmq_tw.namesrv.ownership import Ownership
from rocketmq_tw.namesrv.removals import Removals
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.cluster import BrokerMemberGroup, GetBrokerMemberGroupBody
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.bodies.registration import (
    RegisterBrokerBody,
    crc,
    decode_in_steps,
)
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.compression import BodyTooLarge
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.registration import (
    AddResponse,
    AddWritePermission,
    BrokerHeartbeat,
    DataVersionResponse,
    QueryDataVersion,
    RegisterBroker,
    RegisterResponse,
    UnregisterBroker,
    WipeResponse,
    WipeWritePermission,
)
from rocketmq_tw.wire.requests.route import GetBrokerMemberGroup

R = TypeVar("R", bound=Request[Any])
A = TypeVar("A", bound=Response)

#: Older brokers (before V3_0_11) register the bare table of topics.
BODY_SINCE = 37

#: The longest time that Java's ``long`` holds, in ms.
_LONGEST_TIMEOUT_MS = (1 << 63) - 1

_WIPED = "broker {name} may no longer be written to: {count} topics, as {client} asked"
_ADDED = "broker {name} may be written to again: {count} topics, as {client} asked"


class Registrations:
    """
    Handles the requests of brokers.

    :param pacer: does the work of registrations.
    :param peers: limits what is logged of brokers that come and go.
    :ivar removals: removes brokers that do not unregister.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        config: NamesrvConfig,
        table: RouteTable,
        kvconfig: KVConfig,
        pacer: Pacer,
        peers: PeerLog,
    ) -> None:
        self._pacer = pacer
        self._peers = peers
        self._config = config
        self._table = table
        self._kvconfig = kvconfig
        self._ownership = Ownership(table)
        self.removals = Removals(table=table, pacer=pacer, peers=peers)
        self._too_large = 0

    @property
    def refused(self) -> int:
        """How many requests were too large, or were about the broker of another."""
        return self._ownership.refused + self._too_large

    def install(self, router: Router) -> None:
        """Register the handlers."""
        router.on(RegisterBroker, self.register)
        router.on(UnregisterBroker, self.unregister)
        router.on(QueryDataVersion, self.query_data_version)
        router.on(BrokerHeartbeat, self.heartbeat)
        router.on(GetBrokerMemberGroup, self.member_group)
        router.on(WipeWritePermission, self.wipe_write)
        router.on(AddWritePermission, self.add_write)

    def register(
        self, request: RegisterBroker, call: Call
    ) -> RegisterResponse | Deferred[RegisterResponse]:
        """
        Add a broker and its topics, or renew its entry.

        Many topics are added in steps, in the order of the broker's registrations.

        :raises TooManyWaiting: other registrations wait already.
        :raises Refused: a text is too long.
        """
        check_texts(request)
        if request.body_crc32 and request.body_crc32 != crc(request.body):
            raise Refused(ResponseCode.SYSTEM_ERROR, "crc32 not match")
        key = BrokerKey(request.cluster_name, request.broker_addr)
        self._check_owner(self._ownership.check_registration, request, call)
        fingerprint = _fingerprint(request, call.header.version)
        name = request.broker_name
        steps = self._registering(request, call, fingerprint)
        if self._pacer.is_waiting(name):
            steps = _if_connected(call.peer, steps)
        elif self._table.live.renew(key, fingerprint, call.peer, call.peer.last_seen):
            return self._response(request)
        done = self._pacer.run(steps, None, _size(request.body), key=name)
        if done is None:
            return self._response(request)
        return done.addCallback(lambda _: self._response(request))

    def _registering(
        self, request: RegisterBroker, call: Call, fingerprint: int
    ) -> Steps[None]:
        """Decode and apply a registration, in steps."""
        config, table, now = self._config, self._table, call.peer.last_seen
        try:
            body = yield from _decode(request, call, config)
        except BodyTooLarge:
            self._too_large += 1
            raise
        check_filter_servers(body.filter_server_list)
        registration = _registration(request, call, body, fingerprint)
        is_known = table.live.get(registration.key) is not None
        forget = config.delete_topic_with_broker_registration
        yield from table.registering(registration, now, forget)
        if not is_known and table.live.get(registration.key) is not None:
            self._peers.info(
                self._log,
                call.peer.address,
                "broker {name} ({id}) of {cluster} registered at {address},"
                " {count} topics",
                name=log_safe(request.broker_name),
                id=request.broker_id,
                cluster=log_safe(request.cluster_name),
                address=log_safe(request.broker_addr),
                count=len(registration.topics.topic_config_table),
            )

    def _response(self, request: RegisterBroker) -> RegisterResponse:
        """
        Return a replica's master, and the order configuration of all topics.

        :raises Refused: the broker was removed before all of its topics were added.
        """
        response = RegisterResponse()
        if self._config.return_order_topic_config_to_broker:
            orders = self._kvconfig.list(ORDER_TOPIC_CONFIG)
            if orders is not None and not self._kvconfig.is_too_large:
                response.body = KVTable(orders).encode()
        group = self._table.groups.get(request.broker_name)
        if group is None:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"broker {log_safe(request.broker_name)} was removed meanwhile",
            )
        if request.broker_id != MASTER_ID:
            address = group.addrs.get(MASTER_ID, "")
            master = self._table.live.get(BrokerKey(request.cluster_name, address))
            if master is not None:
                response.master_addr = address
                response.ha_server_addr = master.ha_server_addr
        return response

    def unregister(self, request: UnregisterBroker, call: Call) -> Response:
        """Remove a broker, if its own connection or host asks for it."""
        self._check_owner(self._ownership.check_unregistration, request, call)
        key = BrokerKey(request.cluster_name, request.broker_addr)
        if self._table.unregister(key, request.broker_name):
            peer = call.peer.address
            self.removals.log(key, request.broker_name, "it unregistered", peer)
        return Response()

    def query_data_version(
        self, request: QueryDataVersion, call: Call
    ) -> DataVersionResponse:
        """Compare the version of a broker's topics; its own query renews its entry."""
        key = BrokerKey(request.cluster_name, request.broker_addr)
        asked = DataVersion.decode_request(request.body) if request.body else None
        self._renew(key, call)
        live = self._table.live.get(key)
        if live is None:
            return DataVersionResponse(changed=True)
        changed = live.version != asked
        return DataVersionResponse(changed=changed, body=live.version.encode())

    def heartbeat(self, request: BrokerHeartbeat, call: Call) -> Response:
        """Renew a broker's entry, if its own connection or host asks for it."""
        self._renew(BrokerKey(request.cluster_name, request.broker_addr), call)
        return Response()

    def _renew(self, key: BrokerKey, call: Call) -> None:
        """Renew a broker's entry, unless another host sent the request."""
        live = self._table.live.get(key)
        if live is None:
            return
        if not self._config.refuse_broker_takeover or self._ownership.may_renew(
            live, call
        ):
            self._table.live.touch(key, call.peer.last_seen)

    def member_group(self, request: GetBrokerMemberGroup, call: Call) -> Response:
        """Return the brokers of one name."""
        group = self._table.groups.get(request.broker_name)
        addrs = dict(group.addrs) if group else {}
        members = BrokerMemberGroup(request.cluster_name, request.broker_name, addrs)
        return Response(body=GetBrokerMemberGroupBody(members).encode())

    def wipe_write(
        self, request: WipeWritePermission, call: Call
    ) -> WipeResponse | Deferred[WipeResponse]:
        """Remove the write permission of a broker's topics, if it may be removed."""
        if not self._config.remote_administration:
            self._check_owner(self._ownership.check_wipe, request, call)
        name = request.broker_name
        count = self._table.wipe_write(name)
        self._log_perms(_WIPED, name, count, call)
        return self._when_changed(name, WipeResponse(wipe_topic_count=count))

    def add_write(
        self, request: AddWritePermission, call: Call
    ) -> AddResponse | Deferred[AddResponse]:
        """Restore the write permission of a broker's topics."""
        name = request.broker_name
        count = self._table.add_write(name)
        self._log_perms(_ADDED, name, count, call)
        return self._when_changed(name, AddResponse(add_topic_count=count))

    def _when_changed(self, name: str, response: A) -> A | Deferred[A]:
        """
        Respond once all topics of a broker are changed.

        The peer is not read until then, so that it cannot pile up changes.
        """
        if not self._pacer.is_waiting(name):
            return response
        done: Deferred[Any] = self._pacer.run(_nothing(), None, key=name)
        return done.addCallback(lambda _: response)

    def _check_owner(
        self, check: Callable[[R, Call], None], request: R, call: Call
    ) -> None:
        """
        Refuse to change the entry of a broker that belongs to another connection.

        :raises Refused: it does; that is logged.
        """
        if not self._config.refuse_broker_takeover:
            return
        try:
            check(request, call)
        except Refused as refused:
            peer = call.peer.address
            text = "refused {peer}: {why}"
            self._peers.emit(
                self._log, LogLevel.warn, peer, text, peer=peer, why=refused.remark
            )
            raise

    def _log_perms(self, text: str, name: str, count: int, call: Call) -> None:
        """Log which client changed permissions."""
        client = call.peer.address
        self._peers.info(
            self._log, client, text, name=log_safe(name), count=count, client=client
        )


def _fingerprint(request: RegisterBroker, version: int) -> int:
    """
    Return a hash of everything that a registration changes.

    Different bodies differ at least in the time and counter of their version, and the
    hash has 64 bits and a secret key, so that no two different bodies get the same
    hash.
    """
    return hash(
        (
            request.broker_name,
            request.broker_id,
            request.ha_server_addr,
            request.zone_name,
            request.enable_acting_master,
            request.heartbeat_timeout_millis,
            version < BODY_SINCE,
            request.body,
        )
    )


def _size(body: bytes) -> int:
    """Return the bytes of a registration without compression; these are a guess."""
    return len(body) * (20 if body[:1] == b"\x78" else 1)


def _nothing() -> Steps[None]:
    """Wait for what is done before."""
    yield from ()


def _if_connected(peer: Peer, steps: Steps[None]) -> Steps[None]:
    """Do work that had to wait, unless the peer is gone meanwhile."""
    if peer.is_connected:
        yield from steps


def _decode(
    request: RegisterBroker, call: Call, config: NamesrvConfig
) -> Generator[None, None, RegisterBrokerBody]:
    """Decode the body of a registration, in steps."""
    if not request.body:
        return RegisterBrokerBody()
    if call.header.version < BODY_SINCE:
        return RegisterBrokerBody(
            TopicConfigAndMappingTable.decode_request(request.body)
        )
    return (
        yield from decode_in_steps(
            request.body, config.max_registration_size, config.max_topics
        )
    )


def _registration(
    request: RegisterBroker, call: Call, body: RegisterBrokerBody, fingerprint: int
) -> Registration:
    """Return the content of a registration."""
    return Registration(
        cluster=request.cluster_name,
        broker_name=request.broker_name,
        broker_addr=request.broker_addr,
        broker_id=request.broker_id,
        ha_server_addr=request.ha_server_addr,
        zone_name=request.zone_name,
        acting_master=request.enable_acting_master,
        timeout=_timeout(request.heartbeat_timeout_millis),
        topics=body.topic_table,
        filter_servers=body.filter_server_list,
        connection=call.peer,
        fingerprint=fingerprint,
        part=request.part,
        deleted_topics=body.deleted_topics or (),
    )


def _timeout(timeout_ms: int | None) -> float:
    """
    Give the seconds without a request after which a broker is dropped.

    :raises Refused: Java's ``long`` could not hold the milliseconds, or they are
        below zero.
    """
    if timeout_ms is None:
        return EXPIRY
    if not 0 <= timeout_ms <= _LONGEST_TIMEOUT_MS:
        given = log_safe(str(timeout_ms) if abs(timeout_ms) < 1 << 99 else "huge")
        raise Refused(
            ResponseCode.SYSTEM_ERROR,
            f"heartbeatTimeoutMillis is {given}; expected 0 to {_LONGEST_TIMEOUT_MS}",
        )
    return timeout_ms / 1000
