"""
A program of asyncio as a type checker sees it: results are typed, none is ``Any``.

``mypy`` reads this file, and nothing runs it; a test looks whether it has each method.
"""

from __future__ import annotations

import asyncio
from typing import Any, assert_type

from rocketmq_tw.admin.calls import Outcomes
from rocketmq_tw.admin.doctor.finding import Finding
from rocketmq_tw.admin.results.brokers import Replication, Settings, Statistics
from rocketmq_tw.admin.results.clients import (
    ClientSummary,
    ConnectedClients,
    RunningInfo,
)
from rocketmq_tw.admin.results.cluster import BrokerAddress, Clocks, ClusterStatus
from rocketmq_tw.admin.results.groups import (
    GroupDetails,
    GroupLag,
    GroupLags,
    GroupSummary,
    Member,
    ResetDone,
    ResetPlan,
)
from rocketmq_tw.admin.results.listing import Listing
from rocketmq_tw.admin.results.messages import (
    DeadLetterQueues,
    DirectResult,
    Found,
    FoundMessage,
    Page,
    Resent,
    Sent,
    Track,
)
from rocketmq_tw.admin.results.topics import (
    Changed,
    TopicDetails,
    TopicStats,
    TopicSummary,
)
from rocketmq_tw.admin.results.traces import MessageTrace
from rocketmq_tw.admin.results.users import UserDetails, UserSummary
from rocketmq_tw.admin.tail import Tail
from rocketmq_tw.aio import AdminClient
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.wire.bodies.consumers import ConsumerConnection


async def cluster(admin: AdminClient, any_: Any) -> None:
    """Await each method of this noun."""
    cluster = admin.cluster
    assert_type(await cluster.status(), ClusterStatus)
    assert_type(await cluster.brokers(), tuple[BrokerAddress, ...])
    assert_type(await cluster.clocks(), Clocks)


async def topics(admin: AdminClient, any_: Any) -> None:
    """Await each method of this noun."""
    topics = admin.topics
    assert_type(await topics.list(), Listing[TopicSummary])
    assert_type(await topics.get(any_), TopicDetails)
    assert_type(await topics.stats(any_), TopicStats)
    assert_type(await topics.create(any_), Changed)
    assert_type(await topics.update(any_, any_), Changed)
    assert_type(await topics.unread(any_, any_), dict[str, int])
    assert_type(await topics.delete(any_), Changed)
    assert_type(await topics.groups(any_), Listing[str])
    assert_type(await topics.producers(any_, any_), Listing[ClientSummary])
    assert_type(await topics.route(any_), TopicRoute)


async def groups(admin: AdminClient, any_: Any) -> None:
    """Await each method of this noun."""
    groups = admin.groups
    assert_type(await groups.list(), Listing[GroupSummary])
    assert_type(await groups.get(any_), GroupDetails)
    assert_type(await groups.settings(any_, any_), Outcomes[SubscriptionGroup])
    assert_type(await groups.members(any_), Listing[Member])
    assert_type(await groups.connections(any_, any_), Outcomes[ConsumerConnection])
    assert_type(await groups.lag(any_), GroupLag)
    assert_type(await groups.lags(), GroupLags)
    assert_type(await groups.create(any_), Changed)
    assert_type(await groups.update(any_, any_), Changed)
    assert_type(await groups.delete(any_), Changed)
    assert_type(await groups.clone(any_, any_), Changed)
    assert_type(await groups.plan_reset(any_, any_, any_), ResetPlan)
    assert_type(await groups.reset(any_), ResetDone)


async def clients(admin: AdminClient, any_: Any) -> None:
    """Await each method of this noun."""
    clients = admin.clients
    assert_type(await clients.list(), ConnectedClients)
    assert_type(await clients.producers(any_, any_), Listing[ClientSummary])
    assert_type(await clients.get(any_, any_), RunningInfo)


async def messages(admin: AdminClient, any_: Any) -> None:
    """Await each method of this noun."""
    messages = admin.messages
    assert_type(await messages.get(any_), FoundMessage)
    assert_type(await messages.by_key(any_, any_), Found)
    assert_type(
        await messages.by_offset(any_, any_, any_, any_), tuple[FoundMessage, ...]
    )
    assert_type(await messages.by_time(any_, any_), Page)
    assert_type(messages.tail(any_), Tail)
    assert_type(await messages.send(any_, any_), Sent)
    assert_type(await messages.send_message(any_), Sent)
    assert_type(await messages.trace(any_), MessageTrace)
    assert_type(await messages.track(any_), tuple[Track, ...])
    assert_type(await messages.consume(any_, any_, any_), DirectResult)


async def dead_letters(admin: AdminClient, any_: Any) -> None:
    """Await each method of this noun."""
    dead_letters = admin.dead_letters
    assert_type(await dead_letters.list(), DeadLetterQueues)
    assert_type(await dead_letters.browse(any_), Page)
    assert_type(await dead_letters.resend(any_, any_), Resent)


async def brokers(admin: AdminClient, any_: Any) -> None:
    """Await each method of this noun."""
    brokers = admin.brokers
    assert_type(await brokers.config(any_), Settings)
    assert_type(await brokers.set_config(any_, any_), Changed)
    assert_type(await brokers.runtime(any_), Statistics)
    assert_type(await brokers.replication(any_), Replication)
    assert_type(await brokers.forbid_writes(any_), Changed)
    assert_type(await brokers.allow_writes(any_), Changed)


async def name_servers(admin: AdminClient, any_: Any) -> None:
    """Await each method of this noun."""
    name_servers = admin.name_servers
    assert_type(await name_servers.config(), Settings)
    assert_type(await name_servers.set_config(any_), Changed)
    assert_type(await name_servers.keys(any_), Settings)
    assert_type(await name_servers.put_key(any_, any_, any_), Changed)
    assert_type(await name_servers.delete_key(any_, any_), Changed)


async def users(admin: AdminClient, any_: Any) -> None:
    """Await each method of this noun."""
    users = admin.users
    assert_type(await users.list(any_), Listing[UserSummary])
    assert_type(await users.get(any_), UserDetails)
    assert_type(await users.create(any_, any_), Changed)
    assert_type(await users.update(any_), Changed)
    assert_type(await users.delete(any_), Changed)
    assert_type(await users.grant(any_, any_, any_), Changed)
    assert_type(await users.revoke(any_), Changed)


async def iterators(admin: AdminClient) -> None:
    """Iterate over what the doctor finds, and over messages."""
    async for finding in admin.doctor(topic="orders", group="billing", wait=0):
        assert_type(finding, Finding)
    async for message in admin.messages.tail("orders"):
        assert_type(message, FoundMessage)


async def together(admin: AdminClient) -> None:
    """Wait for several at once, and for a limited time."""
    lag = admin.groups.lag("billing")
    both = await asyncio.gather(lag, admin.topics.list())
    assert_type(both, tuple[GroupLag, Listing[TopicSummary]])
    task = asyncio.ensure_future(admin.topics.list())
    assert_type(await asyncio.wait_for(task, 3), Listing[TopicSummary])
