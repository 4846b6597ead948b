"""
The name servers a client asks, as if they were one.

The server that answered last is asked first. If it is slow, the next is asked beside
it; if it fails, at once. The first answer counts, and the others are given up.

Source: ``NettyRemotingClient`` of RocketMQ 5 for the list; the race is ours, since the
original asks one server only and leaves the failure to its caller.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from rocketmq_tw.client.errors import NameServerUnavailable, ValidationError
from rocketmq_tw.remoting.addresses import is_endpoint, split_host_port
from rocketmq_tw.remoting.errors import BrokerError, RequestTimeout
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Request, Response

A = TypeVar("A", bound=Response)

#: Seconds to wait for one server before the next is asked beside it.
HEAD_START = 0.25
#: Where the list comes from when none is given.
ENVIRONMENT = "NAMESRV_ADDR"


def parse_name_servers(text: str | Iterable[str]) -> list[str]:
    """
    Read ``host:port;host:port``, or take a sequence of addresses.

    Of ``http://...`` what follows the last slash is the address, as in the original.

    :raises ValidationError: an address is not ``host:port``, or there is none.
    """
    parts = text.split(";") if isinstance(text, str) else list(text)
    found: list[str] = []
    for part in (p.strip() for p in parts):
        if not part:
            continue
        address = part.rpartition("/")[2] if part.startswith("http") else part
        try:
            if not is_endpoint(address):
                split_host_port(address)
        except ValueError as error:
            raise ValidationError(f"name server: {error}") from None
        if address not in found:
            found.append(address)
    if not found:
        raise ValidationError("no name server is given; expected host:port;host:port")
    return found


def from_environment(environment: Mapping[str, str] = os.environ) -> list[str]:
    """
    Read the list from ``NAMESRV_ADDR``.

    :raises ValidationError: it is not set, or is no list of addresses.
    """
    return parse_name_servers(environment.get(ENVIRONMENT, ""))


class NameServers:
    """
    Asks whichever name server answers.

    :param addresses: of all servers; put in an order of our own, so that the clients of
        a cluster spread over them.
    :ivar addresses: in the order of asking; the one that answered last comes first.
    """

    def __init__(
        self, addresses: Iterable[str], pool: ConnectionPool, clock: IReactorTime
    ) -> None:
        self.addresses = list(addresses)
        random.shuffle(self.addresses)
        self._pool = pool
        self._clock = clock

    def call(self, request: Request[A], timeout: float = 3.0) -> Deferred[A]:
        """
        Ask one server, and others if it does not answer.

        :param timeout: seconds, for all together.
        :returns: fails with :class:`BrokerError` if a server refused for good, or with
            :class:`NameServerUnavailable` if none answered.
        """
        return _Race(self, request, timeout).answer

    def prefer(self, address: str) -> None:
        """Ask this server first from now on."""
        if self.addresses[0] != address and address in self.addresses:
            self.addresses.remove(address)
            self.addresses.insert(0, address)


class _Race:
    """One question on its way to one or more name servers."""

    def __init__(
        self, servers: NameServers, request: Request[Any], timeout: float
    ) -> None:
        self._servers = servers
        self._request = request
        self._clock = servers._clock
        self._deadline = self._clock.seconds() + timeout
        self._untried = list(servers.addresses)
        self._asked: dict[str, Deferred[Any]] = {}
        self._causes: dict[str, BaseException] = {}
        self._head_start: IDelayedCall | None = None
        self._over = False
        self.answer: Deferred[Any] = Deferred(lambda _: self._give_up())
        self._ask_next()

    def _ask_next(self) -> None:
        """Ask one more, and set the timer for the one after it."""
        left = self._deadline - self._clock.seconds()
        if not self._untried or left <= 0:
            return
        address = self._untried.pop(0)
        if self._untried:
            self._head_start = self._clock.callLater(HEAD_START, self._ask_next)
        call = self._servers._pool.call(address, self._request, left)
        self._asked[address] = call
        where = (address,)
        call.addCallbacks(
            self._answered, self._failed, callbackArgs=where, errbackArgs=where
        )

    def _answered(self, answer: Response, address: str) -> None:
        """Take the first answer."""
        self._asked.pop(address, None)
        if self._over:
            return
        self._servers.prefer(address)
        self._give_up()
        self.answer.callback(answer)

    def _failed(self, failure: Failure, address: str) -> None:
        """Note why, and go on with the next; a refusal for good is an answer."""
        self._asked.pop(address, None)
        if self._over:
            return
        error = failure.value
        assert error is not None
        if isinstance(error, BrokerError) and (
            not error.retryable or error.code == ResponseCode.TOPIC_NOT_EXIST
        ):
            self._servers.prefer(address)
            self._give_up()
            self.answer.errback(failure)
            return
        self._causes[address] = error
        self._stop_timer()
        if self._untried and not isinstance(error, RequestTimeout):
            self._ask_next()
        # Asking the next may have failed at once, and have ended it all.
        if not self._asked and not self._over:
            self._give_up()
            self.answer.errback(NameServerUnavailable(self._causes))

    def _stop_timer(self) -> None:
        """Ask no other in passing."""
        if self._head_start is not None and self._head_start.active():
            self._head_start.cancel()

    def _give_up(self) -> None:
        """Stop asking; what comes in from now on is ignored."""
        self._over = True
        self._stop_timer()
        self._untried.clear()
        asked, self._asked = self._asked, {}
        for call in asked.values():
            call.cancel()
