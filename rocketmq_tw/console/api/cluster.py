"""The first page: how name servers and brokers are, and the plots of the last hours."""

from __future__ import annotations

from typing import Any

import msgspec

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.results.cluster import ClusterStatus
from rocketmq_tw.console.api.pages import Name
from rocketmq_tw.console.api.problems import Problem, problems_of
from rocketmq_tw.console.api.routes import Call, Route
from rocketmq_tw.console.history.ring import Line
from rocketmq_tw.console.history.sampler import Sampler

#: Groups whose lag the first page plots.
_TOP = 6


class Overview(msgspec.Struct, frozen=True):
    """
    A cluster at a glance.

    :ivar problems: what needs attention, the worst first.
    """

    status: ClusterStatus
    problems: tuple[Problem, ...]


class HistoryQuery(msgspec.Struct, frozen=True):
    """
    Which samples.

    :ivar since: ms since the epoch.
    :ivar group: only the lag of this group.
    """

    since: int = 0
    group: Name | None = None


class History(msgspec.Struct, frozen=True):
    """
    The samples of the last hours.

    :ivar rates: messages per second, stored and delivered, of all brokers.
    :ivar lags: of the groups that are farthest behind.
    :ivar period: seconds between two samples.
    """

    rates: tuple[Line, ...]
    lags: tuple[Line, ...]
    period: float


class ClusterRequests:
    """Shows the cluster."""

    def __init__(self, admin: AdminClient, sampler: Sampler) -> None:
        self._admin = admin
        self._sampler = sampler

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            Route(
                method="GET",
                path="/api/cluster",
                handle=self.overview,
                summary="Name servers and brokers, and what needs attention.",
                result=Overview,
            ),
            Route(
                method="GET",
                path="/api/history",
                handle=self.history,
                summary="Samples of rates and lags of the last hours.",
                query=HistoryQuery,
                result=History,
            ),
        )

    async def overview(self, _call: Call) -> Overview:
        """Return the state of everything."""
        status = await self._admin.cluster.status()
        gone = self._sampler.presence.missing(status)
        return Overview(status, (*problems_of(status), *gone))

    def history(self, call: Call) -> History:
        """Return the samples."""
        query: Any = call.query
        sampler = self._sampler
        if query.group is not None:
            lags = (sampler.lags.line(query.group, query.since),)
            return History((), lags, sampler.period)
        names = sampler.lags.top(_TOP)
        return History(
            sampler.rates.lines(query.since),
            tuple(sampler.lags.line(name, query.since) for name in names),
            sampler.period,
        )
