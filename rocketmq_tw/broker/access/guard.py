"""
The guard of a broker with access control, before the handler of every request.

It asks who has sent the request (:class:`Checks`), and writes down whom it refused
(:mod:`rocketmq_tw.access.denials`).

Source: ``AuthenticationPipeline``, ``AuthorizationPipeline`` and, of 4.9,
``PlainAccessValidator``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from rocketmq_tw.access.denials import Denials
from rocketmq_tw.auth.addresses import Address, parse_address
from rocketmq_tw.auth.errors import AccessDenied
from rocketmq_tw.auth.signature import ACCESS_KEY, Key
from rocketmq_tw.broker.access.admitted import END_CODE, SEND_CODE, AdmittedHosts
from rocketmq_tw.model.access import Need
from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.lane import Read
from rocketmq_tw.remoting.peer_log import PeerLog, host_of
from rocketmq_tw.wire.fields import Ext, Request
from rocketmq_tw.wire.requests.send import SendMessageV2
from rocketmq_tw.wire.requests.transaction import EndTransaction


class Checks(Protocol):
    """
    Knows users, and what they may do.

    :ivar version: another one after each change.
    """

    @property
    def version(self) -> int:
        """See above."""

    def authenticate(
        self, code: int, ext: Ext, body: bytes, address: Address | None
    ) -> str | None:
        """
        Return who has signed a request; None if it needs no signature.

        :raises AccessDenied: nobody has.
        """

    def authorize(
        self,
        user: str | None,
        request: Request[Any],
        host: str,
        address: Address | None,
    ) -> None:
        """:raises AccessDenied: the user may not send this request."""

    def authorize_need(
        self, user: str, code: int, need: Need, host: str, address: Address | None
    ) -> None:
        """
        Check what a request with this code turned out to need.

        :raises AccessDenied: the user may not do this.
        """

    def key(self, user: str) -> Key:
        """
        Return what makes the signatures of a user that has signed a request.

        :raises AccessDenied: there is no such user any more.
        """


#: What takes a lane once it is known to be permitted.
_KINDS = (SendMessageV2, EndTransaction)
_IN_LANE = frozenset((SEND_CODE, END_CODE))


class AccessGuard:
    """
    Refuses requests that are not signed, or not permitted.

    :param peers: limits what is logged.
    :param inner: the name of the user as whom brokers ask others; None without one.
    :param inner_asked: called with the host of each request of that user.
    """

    def __init__(
        self,
        checks: Checks,
        peers: PeerLog,
        inner: str | None = None,
        inner_asked: Callable[[str], None] | None = None,
    ) -> None:
        self._checks = checks
        self._inner = inner
        self._inner_asked = inner_asked
        self._denials = Denials(peers)
        self._admitted = AdmittedHosts(checks.version)

    def __call__(self, request: Request[Any], call: Call) -> None:
        """:raises Refused: the request is not permitted."""
        ext = call.ext()
        host = host_of(call.peer.address)
        address = parse_address(host)
        version = self._checks.version
        try:
            user = self._checks.authenticate(
                int(request.code), ext, request.body, address
            )
            call.principal = user
            self._checks.authorize(user, request, host, address)
            if user is not None and user == self._inner and self._inner_asked:
                self._inner_asked(host)
            code = int(request.code)
            if code in _IN_LANE and isinstance(request, _KINDS) and request.topic:
                self._admitted.add(
                    version=version,
                    host=host,
                    access_key=ext.get(ACCESS_KEY),
                    topic=request.topic,
                    key=None if user is None else self._checks.key(user),
                    code=code,
                )
        except AccessDenied as error:
            raise self._denials.refuse(request, call.peer.address, error) from None

    def check_late(self, request: Request[Any], call: Call, need: Need) -> None:
        """
        Check what a request turned out to need; it was let in before.

        :raises Refused: whoever has sent it may not do this.
        """
        user, peer = call.principal, call.peer.address
        if user is None:
            return  # it needed no signature
        host = host_of(peer)
        try:
            self._checks.authorize_need(
                user, int(request.code), need, host, parse_address(host)
            )
        except AccessDenied as error:
            raise self._denials.refuse(request, peer, error) from None

    def reader(self, peer: Peer) -> Read | None:
        """
        Return what reads the plain sends of a peer, and its ends of transactions.

        Their signatures are checked; what their users may do is known from the first
        request of this kind to a topic, which comes the other way.
        """
        known = self._admitted.find(self._checks.version, host_of(peer.address))
        return None if known is None else known.read

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return what runtime information shows."""
        return {"accessRefused": lambda: self._denials.count}
