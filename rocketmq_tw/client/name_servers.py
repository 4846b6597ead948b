"""
The name servers of a cluster, called as if they were one.

The server that responded last is called first. If it is slow, the next one is called in
parallel; if it fails, at once. The first response counts; the other calls are
cancelled.

Source: ``NettyRemotingClient`` of RocketMQ 5 for the list. Java calls only one server
and leaves a failure to its caller.
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

#: Seconds to wait for one server before the next is called in parallel.
HEAD_START = 0.25
#: The environment variable with the default list.
ENVIRONMENT = "NAMESRV_ADDR"


def parse_name_servers(text: str | Iterable[str]) -> list[str]:
    """
    Parse ``host:port;host:port``, or a sequence of addresses.

    Of ``http://...`` the part behind the last slash is the address, as in Java.

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
    Parse the list in ``NAMESRV_ADDR``.

    :raises ValidationError: it is not set, or is not a list of addresses.
    """
    return parse_name_servers(environment.get(ENVIRONMENT, ""))


class NameServers:
    """
    Calls the name servers until one responds.

    :param addresses: all servers; shuffled, so that clients use different ones.
    :ivar addresses: in the order of calls; the last one that responded comes first.
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
        Call one server, and others if it does not respond.

        :param timeout: seconds, for all calls together.
        :returns: fails with :class:`BrokerError` if a server refused, or with
            :class:`NameServerUnavailable` if none responded.
        """
        return _Lookup(self, self._pool, self._clock, request, timeout).response

    def prefer(self, address: str) -> None:
        """Call this server first from now on."""
        if self.addresses[0] != address and address in self.addresses:
            self.addresses.remove(address)
            self.addresses.insert(0, address)


class _Lookup:
    """
    One request, sent to the name servers in turn.

    :ivar response: fires with the first response.
    """

    def __init__(
        self,
        servers: NameServers,
        pool: ConnectionPool,
        clock: IReactorTime,
        request: Request[Any],
        timeout: float,
    ) -> None:
        self._servers = servers
        self._pool = pool
        self._clock = clock
        self._request = request
        self._deadline = clock.seconds() + timeout
        self._untried = list(servers.addresses)
        self._calls: dict[str, Deferred[Any]] = {}
        self._causes: dict[str, BaseException] = {}
        self._head_start: IDelayedCall | None = None
        self._done = False
        self.response: Deferred[Any] = Deferred(lambda _: self._end())
        self._call_next()

    def _call_next(self) -> None:
        """Call one more server, and schedule the call of the one after it."""
        left = self._deadline - self._clock.seconds()
        if not self._untried or left <= 0:
            return
        address = self._untried.pop(0)
        if self._untried:
            self._head_start = self._clock.callLater(HEAD_START, self._call_next)
        call = self._pool.call(address, self._request, left)
        self._calls[address] = call
        call.addCallbacks(
            lambda response: self._received(response, address),
            lambda failure: self._failed(failure, address),
        )

    def _received(self, response: Response, address: str) -> None:
        """Return the first response."""
        self._calls.pop(address, None)
        if self._done:
            return
        self._servers.prefer(address)
        self._end()
        self.response.callback(response)

    def _failed(self, failure: Failure, address: str) -> None:
        """Keep the error and call the next server; a permanent refusal is a result."""
        self._calls.pop(address, None)
        if self._done:
            return
        error = failure.value
        assert error is not None
        if isinstance(error, BrokerError) and (
            not error.retryable or error.code == ResponseCode.TOPIC_NOT_EXIST
        ):
            self._servers.prefer(address)
            self._end()
            self.response.errback(failure)
            return
        self._causes[address] = error
        self._stop_timer()
        if self._untried and not isinstance(error, RequestTimeout):
            self._call_next()
        # That call may have failed at once and ended the lookup.
        if not self._calls and not self._done:
            self._end()
            self.response.errback(NameServerUnavailable(self._causes))

    def _stop_timer(self) -> None:
        """Cancel the parallel call of the next server."""
        if self._head_start is not None and self._head_start.active():
            self._head_start.cancel()

    def _end(self) -> None:
        """Cancel all calls; later responses are ignored."""
        self._done = True
        self._stop_timer()
        self._untried.clear()
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.cancel()
