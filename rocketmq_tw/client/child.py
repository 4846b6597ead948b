"""A child service of a client, which can also be started and stopped by itself."""

from __future__ import annotations

from typing import Self, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed

from rocketmq_tw.client.errors import StateError


class ChildService(Service):
    """
    Starts and stops with its client, or by itself.

    A subclass has ``startService``, which may raise :class:`StateError`, and
    ``stopService``, which returns a Deferred.
    """

    def start(self) -> Deferred[Self]:
        """
        Start, if the client has not done so.

        :returns: fires at once; fails with :class:`StateError` if it was stopped.
        """
        if not self.running:
            try:
                self.startService()
            except StateError:
                return fail()
        return succeed(self)

    def stop(self) -> Deferred[None]:
        """Stop this one alone, for good; see :meth:`stopService`."""
        if self.parent is not None and self.parent.running:
            stopped = self.disownServiceParent()
            return cast(Deferred[None], stopped)
        if self.parent is not None:
            self.disownServiceParent()
        return cast(Deferred[None], self.stopService())

    async def __aenter__(self) -> Self:
        """Start; see :meth:`start`."""
        return await self.start()

    async def __aexit__(self, *_exception: object) -> None:
        """Stop, waiting for what is in flight."""
        await self.stop()
