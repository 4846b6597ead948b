"""The lists of topics, groups and clients, which all pages share."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.results.clients import ConnectedClients
from rocketmq_tw.admin.results.groups import GroupSummary
from rocketmq_tw.admin.results.listing import Listing
from rocketmq_tw.admin.results.topics import TopicSummary
from rocketmq_tw.console.api.kept import Kept

#: Seconds for which a list is kept.
_AGE = 5.0
#: The same for clients, for which each group takes a request of its own.
_AGE_OF_CLIENTS = 10.0


class Lists:
    """Each is fetched when somebody asks for it, at most every few seconds."""

    def __init__(self, clock: IReactorTime, admin: AdminClient) -> None:
        self.topics: Kept[Listing[TopicSummary]] = Kept(
            clock,
            lambda: admin.topics.list(with_system=True, with_settings=True),
            _AGE,
        )
        self.groups: Kept[Listing[GroupSummary]] = Kept(
            clock, lambda: admin.groups.list(with_system=True), _AGE
        )
        self.clients: Kept[ConnectedClients] = Kept(
            clock, lambda: admin.clients.list(), _AGE_OF_CLIENTS
        )
