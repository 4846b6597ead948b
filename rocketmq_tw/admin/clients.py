"""
The connected clients of all brokers, and what consumers say of themselves.

Source: ``DefaultMQAdminExtImpl`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.admin.errors import NotFound
from rocketmq_tw.admin.groups import Groups
from rocketmq_tw.admin.members import members_of, subscriptions_of
from rocketmq_tw.admin.results import clients as results
from rocketmq_tw.admin.results.clients import (
    ClientSummary,
    QueueOfConsumer,
    RunningInfo,
    TopicOfConsumer,
)
from rocketmq_tw.admin.results.groups import Member
from rocketmq_tw.admin.results.listing import Listing
from rocketmq_tw.admin.texts import at, version_name, whole
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.consumers import (
    Connection,
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
            for group, producers in ProducerTableInfo.decode(
                response.body
            ).data.items():
                for producer in producers:
                    found.add_producer(broker, group, producer)
        failed = asked.failed
        groups = Groups(self._calls)
        names = [group.name for group in await groups.list(with_system=True)]

        async def members(group: str) -> tuple[Member, ...]:
            return members_of((await groups.connections(group, targets)).ok)

        online = await self._calls.each({name: name for name in names}, members)
        for group, each in online.ok.items():
            for member in each:
                found.add_consumer(group, member)
        failed.update(online.failed)
        return results.ConnectedClients(found.all(), failed)

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
            for each in ProducerConnection.decode(response.body).connection_set:
                found.add_connection(broker, group, each)
        return Listing(found.all(), seen.failed)

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
    calls: Calls, address: str, group: str, client_id: str, *, stack: bool = False
) -> ConsumerRunningInfo:
    """
    Ask a consumer for its state, through a broker to which it is connected.

    :param stack: also for what its threads do now.
    """
    request = GetConsumerRunningInfo(
        consumer_group=group, client_id=client_id, jstack_enable=stack or None
    )
    response = await calls.broker(address, request, _RELAYED)
    return ConsumerRunningInfo.decode(response.body)


class _Clients:
    """Puts clients together by their ids."""

    def __init__(self) -> None:
        self._found: dict[str, ClientSummary] = {}

    def all(self) -> tuple[ClientSummary, ...]:
        """Return them, sorted by id."""
        return tuple(self._found[name] for name in sorted(self._found))

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
        known = self._found.get(new.client_id, new)
        self._found[new.client_id] = msgspec.structs.replace(
            known,
            produces=_joined(known.produces, [produces]),
            consumes=_joined(known.consumes, [consumes]),
            brokers=_joined(known.brokers, brokers),
            last_heartbeat=max(
                filter(None, (known.last_heartbeat, new.last_heartbeat)), default=None
            ),
        )


def _joined(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """Return names sorted and once; empty ones are left out."""
    return tuple(sorted({*known, *filter(None, more)}))


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
