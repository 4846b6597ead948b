"""
A console whose cluster is pretended: 10,000 topics, and names that no broker accepts.

Brokers of other makers, or broken ones, may have such names; the page has to show them.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred, succeed

from rocketmq_tw.admin.results.clients import ClientSummary, ConnectedClients
from rocketmq_tw.admin.results.cluster import (
    BrokerAddress,
    BrokerStatus,
    ClusterStatus,
    NameServerStatus,
)
from rocketmq_tw.admin.results.groups import GroupSummary
from rocketmq_tw.admin.results.listing import Listing
from rocketmq_tw.admin.results.topics import (
    Kind,
    QueueStats,
    TopicDetails,
    TopicStats,
    TopicSummary,
)
from rocketmq_tw.console.api.session import About
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.service import ConsoleService

TOKEN = "a-token-for-tests"
#: Names, each of which would do something if it were more than text.
HOSTILE = (
    '<img src=x onerror="window.harmed=1">',
    "<script>window.harmed=2</script>",
    "javascript:window.harmed=3",
    "\u202egnp.evil\u202c \u200b\u2066\ufeff",
    "line\nfeed\x1b[31m\x00\x07",
    '" onmouseover="window.harmed=4" x="',
    "../../etc/passwd?a=b&c=d#e",
    "{{7*7}}${7*7}",
    "\U0001f680 " + "long" * 60,
    "a\u0300\u0301\u0302\u0303" * 20,
)
_NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class Pretended:
    """What the console asks of an ``AdminClient``, for each of its nouns."""

    def __init__(self) -> None:
        self.cluster = self.topics = self.groups = self.clients = self
        self._names = sorted([*HOSTILE, *(f"topic-{n:05}" for n in range(10_000))])

    def stop(self) -> Deferred[None]:
        """There is nothing to stop."""
        return succeed(None)

    def status(self) -> Deferred[ClusterStatus]:
        """Return brokers with names like the topics', and a full disk."""
        brokers = tuple(
            BrokerStatus(
                cluster=name,
                name=name,
                id=number,
                address=f"10.0.0.{number}:10911",
                disk_used=number / 10,
                in_rate=1234.5 * number,
                version=name,
                started=_NOW,
            )
            for number, name in enumerate(HOSTILE)
        )
        servers = (NameServerStatus(HOSTILE[0], False, 0, HOSTILE[1]),)
        return succeed(ClusterStatus(servers, brokers, {HOSTILE[2]: HOSTILE[3]}))

    def list(self, **options: bool) -> Deferred[Any]:
        """Return all topics, groups or clients, whoever asks."""
        if "with_settings" in options:
            topics = (
                TopicSummary(name, Kind.NORMAL, "NORMAL", 8, "rw", (HOSTILE[0],))
                for name in self._names
            )
            return succeed(Listing(topics, {HOSTILE[2]: HOSTILE[3]}))
        if options:
            groups = (GroupSummary(name, False, HOSTILE[:3]) for name in self._names)
            return succeed(Listing(groups, {}))
        found = (
            ClientSummary(
                client_id=name,
                address=name,
                language=name,
                version=name,
                produces=(name,),
                consumes=(name,),
                brokers=(name,),
            )
            for name in HOSTILE
        )
        return succeed(ConnectedClients(tuple(found)))

    def lag(self, _group: str) -> Deferred[Any]:
        """Return something without a lag."""
        return Deferred()  # Nobody responds.

    def get(self, topic: str) -> Deferred[TopicDetails]:
        """Return one topic."""
        route = (BrokerAddress(topic, topic, 0, topic),)
        return succeed(
            TopicDetails(name=topic, kind=Kind.NORMAL, type=topic, route=route)
        )

    def stats(self, topic: str) -> Deferred[TopicStats]:
        """Return 3,000 queues."""
        queues = tuple(QueueStats(topic, n, 0, n, _NOW) for n in range(3_000))
        return succeed(TopicStats(topic, queues, 3_000))


class Topics(Pretended):
    """The same for ``topics.groups``, which is the name of a noun, too."""

    def __init__(self) -> None:
        super().__init__()
        topics = Pretended()
        topics.groups = lambda _: succeed(Listing(HOSTILE, {}))  # type: ignore[assignment]
        self.topics = topics


async def main(reactor: Any, port: str) -> None:
    """Serve until the program is ended."""
    service = ConsoleService(
        reactor,
        ConsoleConfig(listen=f"tcp:{port}:interface=127.0.0.1", token=TOKEN),
        admin=Topics,  # type: ignore[arg-type]
        about=About(HOSTILE[0], HOSTILE[1]),
    )
    service.startService()
    assert service.started is not None
    await service.started
    print("ready", flush=True)
    await Deferred()


if __name__ == "__main__":
    task.react(main, sys.argv[1:])
