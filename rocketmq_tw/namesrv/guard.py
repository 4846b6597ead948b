"""
The guard of a name server with access control, before the handlers of requests.

It is registered when the server starts, as the files with the accounts are read then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.access.denials import Denials
from rocketmq_tw.access.plain import PlainChecks
from rocketmq_tw.access.plain_files import PlainFiles
from rocketmq_tw.auth.addresses import parse_address
from rocketmq_tw.auth.errors import AccessDenied
from rocketmq_tw.clock import PeriodicCall
from rocketmq_tw.model.access import Caller
from rocketmq_tw.model.topic import AUTO_CREATE_TOPIC
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.peer_log import PeerLog, host_of
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.threads import RunInThread
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.route import GetRoute
from rocketmq_tw.wire.requests.rules import RULES

#: Seconds between two looks whether the files have changed.
LOOK_PERIOD = 2.0

#: Accounts in all files, which have 1 MiB at most.
MAX_ACCOUNTS = 10_000

#: The requests of brokers and of administrators.
NOT_OF_CLIENTS = frozenset(
    int(code) for code, rule in RULES.items() if rule.caller is not Caller.CLIENT
)


class NamesrvGuard:
    """
    Refuses requests that are not signed, or not permitted.

    :param files: the accounts; read at :meth:`start`.
    :param only: the codes of the requests that are checked; None for all.
    :param peers: limits what is logged of refusals.
    :param run_in_thread: reads files that have changed.
    """

    def __init__(
        self,
        files: PlainFiles,
        *,
        only: frozenset[int] | None,
        clock: IReactorTime,
        peers: PeerLog,
        run_in_thread: RunInThread,
    ) -> None:
        self._files = files
        self._only = only
        self._clock = clock
        self._run_in_thread = run_in_thread
        self._denials = Denials(peers)
        self._looking: PeriodicCall | None = None

    def start(self, router: Router) -> None:
        """
        Read the accounts, and check requests from now on.

        :raises BadPolicy: the files cannot be used.
        """
        checks = PlainChecks(self._files, self._run_in_thread)
        self._looking = PeriodicCall(checks.look, self._clock)
        self._looking.start(LOOK_PERIOD, now=False)

        def guard(request: Request[Any], call: Call) -> None:
            self._judge(checks, request, call)

        router.guard(guard, only=self._only)

    def stop(self) -> None:
        """Look for no more changes."""
        if self._looking is not None and self._looking.running:
            self._looking.stop()

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return what is shown beside the settings."""
        return {"accessRefused": lambda: self._denials.count}

    def _judge(self, checks: PlainChecks, request: Request[Any], call: Call) -> None:
        """:raises Refused: the request is not permitted."""
        peer = call.peer.address
        host = host_of(peer)
        address = parse_address(host)
        try:
            user = checks.authenticate(
                int(request.code), call.ext(), request.body, address
            )
            call.principal = user
            if not _is_route_of_new_topics(request):
                checks.authorize(user, request, host, address)
        except AccessDenied as error:
            raise self._denials.refuse(request, peer, error) from None


def _is_route_of_new_topics(request: Request[Any]) -> bool:
    """
    Whether a client asks where a topic that nobody has created may be created.

    Every client may, as it does so at its start; brokers decide what it may create.
    """
    return isinstance(request, GetRoute) and request.topic == AUTO_CREATE_TOPIC
