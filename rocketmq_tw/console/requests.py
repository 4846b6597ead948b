"""All routes of the console, each from the module of its subject."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.console.api.clients import ClientRequests
from rocketmq_tw.console.api.cluster import ClusterRequests
from rocketmq_tw.console.api.dead_letters import DeadLetterRequests
from rocketmq_tw.console.api.group_changes import GroupChangeRequests
from rocketmq_tw.console.api.groups import GroupRequests
from rocketmq_tw.console.api.lists import Lists
from rocketmq_tw.console.api.messages import MessageRequests
from rocketmq_tw.console.api.routes import Routes
from rocketmq_tw.console.api.session import About, SessionRequests
from rocketmq_tw.console.api.topic_changes import TopicChangeRequests
from rocketmq_tw.console.api.topics import TopicRequests
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.history.sampler import Sampler
from rocketmq_tw.console.web.site import Site


def all_routes(
    *,
    clock: IReactorTime,
    config: ConsoleConfig,
    admin: AdminClient,
    sampler: Sampler,
    site: Site,
    about: About,
) -> Routes:
    """Return the routes."""
    lists = Lists(clock, admin)
    session = SessionRequests(
        site.sessions, config.session_time, about, site.set_cookie
    )
    return Routes(
        (
            *session.routes(),
            *ClusterRequests(admin, sampler).routes(),
            *TopicRequests(admin, lists).routes(),
            *TopicChangeRequests(admin, lists).routes(),
            *GroupRequests(admin, lists, sampler).routes(),
            *GroupChangeRequests(admin, lists).routes(),
            *ClientRequests(admin, lists).routes(),
            *MessageRequests(admin).routes(),
            *DeadLetterRequests(clock, admin).routes(),
        )
    )
