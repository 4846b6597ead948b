"""
Examines a cluster: asks all servers, and judges what they say.

Name servers come first, then brokers, then the groups, of which two looks are taken
some seconds apart. What cannot be asked is a finding of its own; nothing stops the
examination but that no name server responds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from typing import TypeVar

from twisted.internet.defer import Deferred

from rocketmq_tw.admin.brokers import Brokers
from rocketmq_tw.admin.calls import Calls, Outcomes, Registered, registered
from rocketmq_tw.admin.clients import Clients
from rocketmq_tw.admin.cluster import Cluster
from rocketmq_tw.admin.dead_letters import DeadLetters
from rocketmq_tw.admin.doctor import consumers, servers
from rocketmq_tw.admin.doctor.finding import Finding, finding
from rocketmq_tw.admin.doctor.routes import no_route
from rocketmq_tw.admin.groups import Groups
from rocketmq_tw.admin.lags import Lags
from rocketmq_tw.admin.results.brokers import Replication
from rocketmq_tw.admin.results.clients import RunningInfo
from rocketmq_tw.admin.results.cluster import ClusterStatus
from rocketmq_tw.admin.results.groups import GroupLag, GroupSummary, Member
from rocketmq_tw.admin.texts import sentence
from rocketmq_tw.admin.topic_configs import topic_configs
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.route import MASTER_ID, TopicRoute
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.cluster import ClusterInfo
from rocketmq_tw.wire.bodies.route import decode_route
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.route import GetClusterInfo, GetRoute

T = TypeVar("T")

#: Seconds between the two looks at groups.
WAIT = 5.0
#: Groups that are looked at, and members of one group that are asked themselves.
MAX_GROUPS = 500
MAX_MEMBERS = 32


class Examination:
    """
    One examination.

    :param topic: also find out why this topic has no route.
    :param group: look at this group only.
    :param wait: seconds between the two looks at groups.
    """

    def __init__(
        self,
        calls: Calls,
        *,
        topic: str | None = None,
        group: str | None = None,
        wait: float = WAIT,
    ) -> None:
        self._calls = calls
        self._topic = topic
        self._group = group
        self._wait = wait

    async def findings(self) -> AsyncIterator[Finding]:
        """Return what is found, as it is found."""
        translate = self._calls.session.translate
        names = await self._calls.each_name_server(GetClusterInfo)
        views = {
            who: registered(ClusterInfo.decode(each.body), translate)
            for who, each in names.ok.items()
        }
        status = await self._ask(Cluster(self._calls).status()) if views else None
        if not isinstance(status, ClusterStatus):
            for each in _without(names):
                yield each
            return
        for judged in (
            servers.name_servers(status.name_servers),
            servers.agreement({who: view.brokers for who, view in views.items()}),
        ):
            for each in judged:
                yield each
        everybody = Registered(
            tuple(sorted({b for view in views.values() for b in view.brokers}))
        )
        async for each in self._brokers(everybody, status):
            yield each
        if self._topic is not None:
            async for each in self._route(self._topic, everybody):
                yield each
        if any(status.brokers):
            async for each in self._groups():
                yield each

    # -- brokers

    async def _brokers(
        self, everybody: Registered, status: ClusterStatus
    ) -> AsyncIterator[Finding]:
        """Judge all brokers."""
        names = self._calls.session.name_servers.addresses
        local = any(name.startswith(("127.", "localhost", "[::1]")) for name in names)
        judged: list[Iterable[Finding]] = [
            servers.reachable(everybody.brokers, status.failed, local),
            servers.masters(everybody.brokers),
            *(servers.broker(each) for each in status.brokers),
            servers.versions(status.brokers),
        ]
        clocks = await self._ask(Cluster(self._calls).clocks())
        if not isinstance(clocks, Finding):
            judged.append(servers.clocks(clocks))
        brokers = Brokers(self._calls)
        masters = {
            each.address: each.address
            for each in status.brokers
            if each.id == MASTER_ID and _has_slave(everybody, each.name)
        }

        async def replication(address: str) -> Replication:
            return await brokers.replication(address)

        states = await self._calls.each(masters, replication)
        judged += [servers.replication(each) for each in states.ok.values()]
        for several in judged:
            for each in several:
                yield each

    # -- a topic

    async def _route(self, topic: str, brokers: Registered) -> AsyncIterator[Finding]:
        """Judge the route of a topic."""
        request = GetRoute(topic=topic, accept_standard_json_only=True)
        asked = await self._calls.each_name_server(lambda: request)
        routes: dict[str, TopicRoute | None] = {
            who: decode_route(each.body) for who, each in asked.ok.items()
        }
        for who, error in asked.errors.items():
            if _says_unknown(error):
                routes[who] = None
        have = await topic_configs(self._calls, topic, brokers.readers())
        for each in no_route(topic, routes, tuple(have.ok)):
            yield each

    # -- groups

    async def _groups(self) -> AsyncIterator[Finding]:
        """Judge groups by two looks, and what their members say."""
        lags = Lags(self._calls)
        listed = await self._ask(Groups(self._calls).list())
        if isinstance(listed, Finding):
            yield listed
            return
        chosen = {
            each.name: each for each in listed if self._group in (None, each.name)
        }
        if self._group is not None and not chosen:
            yield finding(
                "not-examined", self._group, "no broker knows a group of this name"
            )
        names = dict.fromkeys(list(chosen)[:MAX_GROUPS], "")

        async def look(group: str) -> GroupLag:
            return await lags.look(group)

        before = await self._calls.each({n: n for n in names}, look)
        async for each in self._members(chosen, before):
            yield each
        if before.ok:
            await self._sleep(self._wait)
        after = await self._calls.each({n: n for n in before.ok}, look)
        for name, lag in after.ok.items():
            for each in consumers.progress(before.ok[name], lag, self._wait):
                yield each
        async for each in self._dead_letters(chosen):
            yield each

    async def _members(
        self, groups: Mapping[str, GroupSummary], lags: Outcomes[GroupLag]
    ) -> AsyncIterator[Finding]:
        """Judge the members of the groups that are online."""
        online = {name: name for name, lag in lags.ok.items() if lag.members}
        asking = Groups(self._calls)

        async def list_members(group: str) -> tuple[Member, ...]:
            return await asking.members(group)

        found = await self._calls.each(online, list_members)
        for name, members in found.ok.items():
            said = await self._subscriptions(name, members)
            for judged in (
                consumers.forbidden(groups[name], len(members)),
                consumers.subscriptions(name, members, said),
                consumers.spare(name, members, lags.ok[name]),
            ):
                for each in judged:
                    yield each

    async def _subscriptions(
        self, group: str, members: tuple[Member, ...]
    ) -> dict[str, consumers.Subscribed]:
        """Ask members what they subscribe to, if there are several."""
        if len(members) < 2:
            return {}
        clients = Clients(self._calls)

        async def ask(client_id: str) -> RunningInfo:
            return await clients.get(group, client_id)

        some = [member.client_id for member in members[:MAX_MEMBERS]]
        asked = await self._calls.each({each: each for each in some}, ask)
        return {
            client: consumers.subscribed(info.subscriptions)
            for client, info in asked.ok.items()
        }

    async def _dead_letters(
        self, groups: Mapping[str, GroupSummary]
    ) -> AsyncIterator[Finding]:
        """Judge dead letters."""
        found = await self._ask(DeadLetters(self._calls).list())
        if isinstance(found, Finding):
            yield found
            return
        for queue in found.queues:
            if self._group in (None, queue.group):
                for each in consumers.dead_letters(queue):
                    yield each

    # -- asking

    async def _ask(self, asked: Awaitable[T]) -> T | Finding:
        """Wait for a result; an error becomes a finding."""
        try:
            return await asked
        except RocketMQError as error:
            why = sentence(error)
            if "NO_PERMISSION" in why:
                return servers.access_denied("cluster", why)
            return finding("not-examined", "cluster", f"a part is not examined: {why}")

    def _sleep(self, seconds: float) -> Deferred[None]:
        """Wait for the second look."""
        waited: Deferred[None] = Deferred(lambda _: timer.cancel())
        clock = self._calls.session.clock
        timer = clock.callLater(seconds, waited.callback, None)
        return waited


def _without(names: Outcomes[Response]) -> Iterable[Finding]:
    """Return the findings where no name server can be asked."""
    from rocketmq_tw.admin.results.cluster import NameServerStatus

    return servers.name_servers(
        NameServerStatus(who, False, 0, why) for who, why in names.failed.items()
    )


def _has_slave(brokers: Registered, name: str) -> bool:
    """Whether a slave of that name is registered."""
    return any(each.name == name and each.id != MASTER_ID for each in brokers.brokers)


def _says_unknown(error: Exception) -> bool:
    """Whether a name server says that it does not know the topic."""
    return isinstance(error, BrokerError) and error.code == ResponseCode.TOPIC_NOT_EXIST
