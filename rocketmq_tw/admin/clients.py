"""
The connected clients of all brokers, and what consumers say of themselves.

Source: ``DefaultMQAdminExtImpl`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.admin.errors import NotFound
from rocketmq_tw.admin.groups import Groups
from rocketmq_tw.admin.members import members_in_steps, subscriptions_of
from rocketmq_tw.admin.results import clients as results
from rocketmq_tw.admin.results.clients import (
    ClientSummary,
    QueueOfConsumer,
    RunningInfo,
    TopicOfConsumer,
)
from rocketmq_tw.admin.results.groups import Member
from rocketmq_tw.admin.results.listing import Listing
from rocketmq_tw.admin.tables import decode_list, decode_lists
from rocketmq_tw.admin.texts import at, sentence, version_name, whole
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.pacing import Steps, all_at_once, parts_of
from rocketmq_tw.wire.bodies.consumers import (
    Connection,
    ConsumerConnection,
    ProducerConnection,
    ProducerInfo,
    ProducerTableInfo,
)
from rocketmq_tw.wire.bodies.running_info import (
    PROP_CLIENT_VERSION,
    PROP_CONSUME_ORDERLY,
    PROP_CONSUME_TYPE,
    PROP_CONSUMER_START_TIMESTAMP,
    ConsumerRunningInfo,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.consumer import GetConsumerRunningInfo
from rocketmq_tw.wire.requests.heartbeat import GetAllProducers, GetProducerConnections

#: Seconds in which a client responds; brokers wait 10.
_RELAYED = 12.0
#: A broker says so of a producer group that is not connected.
_UNKNOWN = (ResponseCode.SYSTEM_ERROR,)
_MIB = 1 << 20
#: Clients that are put together in one step, of some 2 ms.
_AT_A_STRETCH = 100


class Clients:
    """What an administrator sees of clients."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @returning_deferred
    async def list(self) -> results.ConnectedClients:
        """
        Return all clients: producers and consumers, of all brokers.

        It takes one request for each consumer group and broker.
        """
        targets = (await self._calls.registered()).readers()
        asked = await self._calls.each_broker(targets, lambda _: GetAllProducers())
        found = _Clients()
        for broker, response in asked.ok.items():
            await self._calls.in_steps(found.add_producers(broker, response.body))
        groups = Groups(self._calls)
        listed = await groups.list(with_system=True)
        failed = {**asked.failed, **listed.failed}
        # One that does not respond would be waited for by each group.
        responding = {
            who: address
            for who, address in targets.items()
            if who not in asked.errors or isinstance(asked.errors[who], BrokerError)
        }

        async def add_members(group: str) -> None:
            connected = await groups.connections(group, responding)
            await self._calls.in_steps(found.add_members(group, connected.ok))
            for who, error in connected.errors.items():
                failed.setdefault(who, sentence(error))

        await self._calls.each({each.name: each.name for each in listed}, add_members)
        clients = await self._calls.in_steps(found.all_in_steps())
        return results.ConnectedClients(clients, failed)

    async def producers(
        self, group: str, targets: Mapping[str, str]
    ) -> Listing[ClientSummary]:
        """Ask some brokers for the producers of a group; see ``topics.producers``."""
        asked = await self._calls.each_broker(
            targets, lambda _: GetProducerConnections(producer_group=group)
        )
        seen = asked.without(*_UNKNOWN)
        what = f'the producers of "{group}" cannot be listed'
        seen.need_known(what, "connected producer group", group)
        found = _Clients()
        for broker, response in seen.ok.items():
            steps = found.add_connections(broker, group, response.body)
            await self._calls.in_steps(steps)
        clients = await self._calls.in_steps(found.all_in_steps())
        return Listing(clients, seen.failed)

    @returning_deferred
    async def get(
        self, group: str, client_id: str, *, stack: bool = False
    ) -> RunningInfo:
        """
        Ask a consumer for its state.

        :param stack: also for what its threads do now.
        :raises NotFound: there is no such group, or no such client in it.
        """
        targets = (await self._calls.registered()).readers()
        members = await Groups(self._calls).members(group)
        where = {each.client_id: each.brokers for each in members}
        if client_id not in where:
            raise NotFound("client", client_id, f'in the group "{group}"')
        address = targets[where[client_id][0]]
        try:
            info = await running_info(
                self._calls, address, group, client_id, stack=stack
            )
        except BrokerError as error:
            if "not online" not in error.remark:
                raise
            raise NotFound("client", client_id, f'in the group "{group}"') from None
        return _running(group, client_id, info)


async def running_info(
    calls: Calls,
    address: str,
    group: str,
    client_id: str,
    *,
    stack: bool = False,
    timeout: float = _RELAYED,
) -> ConsumerRunningInfo:
    """
    Ask a consumer for its state, through a broker to which it is connected.

    :param stack: also for what its threads do now.
    :param timeout: seconds.
    """
    request = GetConsumerRunningInfo(
        consumer_group=group, client_id=client_id, jstack_enable=stack or None
    )
    response = await calls.broker(address, request, timeout)
    return ConsumerRunningInfo.decode(response.body)


class _Clients:
    """Puts clients together by their ids."""

    def __init__(self) -> None:
        # By client id: the first that is known of it, and its groups and brokers.
        self._found: dict[str, tuple[ClientSummary, _Memberships]] = {}

    def all(self) -> tuple[ClientSummary, ...]:
        """Return them, sorted by id."""
        return all_at_once(self.all_in_steps())

    def all_in_steps(self) -> Steps[tuple[ClientSummary, ...]]:
        """Do as :meth:`all`."""
        listed = []
        for some in parts_of(sorted(self._found), _AT_A_STRETCH):
            for client_id in some:
                client, member_of = self._found[client_id]
                listed.append(
                    msgspec.structs.replace(
                        client,
                        produces=_sorted(member_of.produces),
                        consumes=_sorted(member_of.consumes),
                        brokers=_sorted(member_of.brokers),
                        last_heartbeat=max(member_of.heartbeats, default=None),
                    )
                )
            yield None
        return tuple(listed)

    def add_producers(self, broker: str, body: bytes) -> Steps[None]:
        """Add a broker's table of all producers."""
        table = yield from decode_lists(body, "data", ProducerInfo, ProducerTableInfo)
        each = ((group, info) for group, infos in table.items() for info in infos)
        for some in parts_of(each, _AT_A_STRETCH):
            for group, info in some:
                self.add_producer(broker, group, info)
            yield None

    def add_connections(self, broker: str, group: str, body: bytes) -> Steps[None]:
        """Add a broker's list of the producers of a group."""
        said = yield from decode_list(
            body, "connectionSet", Connection, ProducerConnection
        )
        for some in parts_of(said.connection_set, _AT_A_STRETCH):
            for each in some:
                self.add_connection(broker, group, each)
            yield None

    def add_members(
        self, group: str, brokers: Mapping[str, ConsumerConnection]
    ) -> Steps[None]:
        """Add the members of a consumer group."""
        members = yield from members_in_steps(brokers)
        for some in parts_of(members, _AT_A_STRETCH):
            for member in some:
                self.add_consumer(group, member)
            yield None

    def add_producer(self, broker: str, group: str, info: ProducerInfo) -> None:
        """Add one of the table of all producers."""
        new = ClientSummary(
            client_id=info.client_id or "",
            address=(info.remote_ip or "").removeprefix("/"),
            language=info.language or "",
            version=version_name(info.version),
            last_heartbeat=at(info.last_update_timestamp),
        )
        self._add(new, [broker], produces=group)

    def add_connection(self, broker: str, group: str, info: Connection) -> None:
        """Add one of a producer group."""
        new = ClientSummary(
            client_id=info.client_id or "",
            address=info.client_addr or "",
            language=info.language or "",
            version=version_name(info.version),
        )
        self._add(new, [broker], produces=group)

    def add_consumer(self, group: str, member: Member) -> None:
        """Add a member of a consumer group."""
        new = ClientSummary(
            client_id=member.client_id,
            address=member.address,
            language=member.language,
            version=member.version,
        )
        self._add(new, member.brokers, consumes=group)

    def _add(
        self,
        new: ClientSummary,
        brokers: Iterable[str],
        produces: str = "",
        consumes: str = "",
    ) -> None:
        _, member_of = self._found.setdefault(new.client_id, (new, _Memberships()))
        member_of.produces.add(produces)
        member_of.consumes.add(consumes)
        member_of.brokers.update(brokers)
        if new.last_heartbeat is not None:
            member_of.heartbeats.add(new.last_heartbeat)


class _Memberships(msgspec.Struct):
    """Where one client is; a client may be in a thousand groups."""

    produces: set[str] = msgspec.field(default_factory=set)
    consumes: set[str] = msgspec.field(default_factory=set)
    brokers: set[str] = msgspec.field(default_factory=set)
    heartbeats: set[datetime] = msgspec.field(default_factory=set)


def _sorted(names: set[str]) -> tuple[str, ...]:
    """Return names in order; empty ones are left out."""
    return tuple(sorted(filter(None, names)))


def _running(group: str, client_id: str, info: ConsumerRunningInfo) -> RunningInfo:
    """Return what a consumer says of itself."""
    said = info.properties
    return RunningInfo(
        group=group,
        client_id=client_id,
        started=at(whole(said.get(PROP_CONSUMER_START_TIMESTAMP))),
        version=said.get(PROP_CLIENT_VERSION, ""),
        mode=said.get(PROP_CONSUME_TYPE, ""),
        ordered=said.get(PROP_CONSUME_ORDERLY, "") == "true",
        subscriptions=subscriptions_of(info.subscription_set),
        queues=tuple(
            QueueOfConsumer(
                topic=queue.topic,
                broker=queue.broker_name,
                queue_id=queue.queue_id,
                committed=state.commit_offset,
                cached=state.cached_msg_count,
                cached_size=state.cached_msg_size_in_mib * _MIB,
                locked=state.locked,
                last_pull=at(state.last_pull_timestamp),
                last_consumed=at(state.last_consume_timestamp),
            )
            for queue, state in sorted(info.mq_table.items())
        ),
        topics=tuple(
            TopicOfConsumer(
                topic=topic,
                pull_time=status.pull_rt / 1000,
                pull_rate=status.pull_tps,
                consume_time=status.consume_rt / 1000,
                ok_rate=status.consume_ok_tps,
                failed_rate=status.consume_failed_tps,
                failures=status.consume_failed_msgs,
            )
            for topic, status in sorted(info.status_table.items())
        ),
        properties=said,
        stack=info.jstack,
    )
