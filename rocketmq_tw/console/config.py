"""The settings of the console."""

from __future__ import annotations

import msgspec

from rocketmq_tw.model.ip_address import Network


class ConsoleConfig(msgspec.Struct, frozen=True, kw_only=True):
    """
    The settings of one console.

    :ivar listen: an endpoint string.
    :ivar token: what one has to know to sign in; empty for that in the file.
    :ivar token_file: where it is kept.
    :ivar hosts: names under which browsers may reach it, besides ``localhost`` and
        addresses. Others are refused: any site could let its name lead here.
    :ivar proxies: networks of proxies on other machines, which say who sends what they
        pass on.
    :ivar max_connections: how many connections it accepts.
    :ivar max_tails: how many live tails there may be at once.
    :ivar max_body: bytes of a request's body; a message of 4 MiB as JSON has 5.4 MiB.
    :ivar request_timeout: seconds in which a request has to arrive completely.
    :ivar idle_timeout: seconds after which an unused connection is closed.
    :ivar response_timeout: seconds after which a request that has no response fails.
    :ivar session_time: seconds after which one has to sign in again.
    :ivar sample_period: seconds between two samples of rates and lags.
    """

    listen: str
    token: str
    token_file: str = ""
    hosts: tuple[str, ...] = ()
    proxies: tuple[Network, ...] = ()
    max_connections: int = 64
    max_tails: int = 8
    max_body: int = 6 << 20
    request_timeout: float = 20.0
    idle_timeout: float = 60.0
    response_timeout: float = 30.0
    session_time: float = 12 * 3600.0
    sample_period: float = 10.0
