"""
The console as a service: its port, its parts, and what it reaches the cluster with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.interfaces import IAddress, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.console.api.session import About
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.parts import ConsoleParts
from rocketmq_tw.console.token import make_token
from rocketmq_tw.console.web.assets import load_assets
from rocketmq_tw.console.web.secure import Secured
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.addresses import host_port


class ConsoleService(Service):
    """
    Serves the page, and samples the cluster for its plots.

    :param admin: makes the client that asks the cluster; it is stopped with the
        service.
    :param about: what the page says of itself.
    :param secured: TLS of the port; None serves plain HTTP.
    :ivar assets: the files of the page.
    :ivar parts: what serves, while it runs.
    :ivar started: fires when connections are accepted; fails if the port cannot be
        opened.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: ConsoleConfig,
        *,
        admin: Callable[[], AdminClient],
        about: About,
        secured: Secured | None = None,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._make_admin = admin
        self._about = about
        self._secured = secured
        self.parts: ConsoleParts | None = None
        # Read before the program may change its root directory.
        self.assets = load_assets()
        self.started: Deferred[None] | None = None

    @property
    def address(self) -> IAddress | None:
        """Where it listens; None while it does not."""
        return None if self.parts is None else self.parts.listener.address

    def startService(self) -> None:
        """Open the port; the token is made now, by the user whom the program became."""
        super().startService()
        try:
            config = self._with_token()
        except RocketMQError:
            self.started = fail(Failure())
            return
        parts = self.parts = ConsoleParts(
            self._reactor,
            config,
            assets=self.assets,
            admin=self._make_admin(),
            about=self._about,
            is_secure=self._secured is not None,
        )
        factory: IProtocolFactory = parts.factory

        def start() -> Deferred[None]:
            made = factory
            if self._secured is not None:
                made = self._secured.start(factory)
            return parts.listener.start(self._config.listen, made)

        self.started = maybeDeferred(start)
        self.started.addCallback(lambda _: self._listening(parts))

    def _with_token(self) -> ConsoleConfig:
        """Return the settings. :raises RocketMQError: there is no token."""
        if self._config.token:
            return self._config
        token = make_token(self._config.token_file)
        return msgspec.structs.replace(self._config, token=token)

    def _listening(self, parts: ConsoleParts) -> None:
        """Take samples, and say where the page is."""
        if self.running:
            parts.sampler.start()
            self._log.info(
                "the console is at {url}; its token is in {path}",
                path=self._config.token_file,
                url=url_of(parts.listener.address, self._secured is not None),
            )

    def stopService(self) -> Deferred[None]:
        """Close the port and all connections."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        """Stop in stages."""
        parts, self.parts = self.parts, None
        if parts is None:
            return
        parts.sampler.stop()
        await parts.listener.stopService()
        if self._secured is not None:
            self._secured.stop()
        parts.site.stop()
        parts.factory.close_all()
        await parts.admin.stop()


def url_of(address: IAddress | None, is_secure: bool) -> str:
    """Return the address of the page, for the log."""
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if host is None or port is None:
        return str(address)
    named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{'https' if is_secure else 'http'}://{host_port(named, port)}/"
