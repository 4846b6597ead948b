"""What serves a console from one start to the next stop, put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.console.api.session import About
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.history.sampler import Sampler
from rocketmq_tw.console.requests import all_routes
from rocketmq_tw.console.web.assets import Asset
from rocketmq_tw.console.web.channel import ConsoleFactory
from rocketmq_tw.console.web.sessions import Sessions
from rocketmq_tw.console.web.site import Site
from rocketmq_tw.remoting.listener import Listener
from rocketmq_tw.remoting.peer_log import PeerLog


class ConsoleParts:
    """
    All parts.

    :param assets: the files of the page.
    :param admin: asks the cluster.
    :param about: what the page says of itself.
    :param is_secure: whether all connections are by TLS.
    :ivar factory: makes the connections of browsers.
    """

    def __init__(
        self,
        reactor: Any,
        config: ConsoleConfig,
        *,
        assets: Mapping[str, Asset],
        admin: AdminClient,
        about: About,
        is_secure: bool,
    ) -> None:
        peers = PeerLog(reactor)
        self.admin = admin
        self.sampler = Sampler(reactor, admin, config.sample_period)
        self.listener = Listener(reactor, peers=peers)
        self.site = Site(
            reactor,
            config,
            assets=assets,
            sessions=Sessions(reactor, config.token, config.session_time),
            peers=peers,
            is_secure=is_secure,
        )
        self.site.add(
            all_routes(
                clock=reactor,
                config=config,
                admin=admin,
                sampler=self.sampler,
                site=self.site,
                about=about,
            )
        )
        self.factory = ConsoleFactory(reactor, config, self.site, peers)
