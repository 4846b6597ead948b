"""
Checks the texts of a registration, which a name server keeps for each broker.

Source: none; Apache RocketMQ keeps texts of any length.
"""

from __future__ import annotations

from collections.abc import Sequence

from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.registration import RegisterBroker

#: Characters of a name or address.
MAX_TEXT = 255
#: A broker of Apache RocketMQ starts a few, as ``filterServerNums`` says.
MAX_FILTER_SERVERS = 16


def check_texts(request: RegisterBroker) -> None:
    """
    Check the names and addresses of a broker.

    :raises Refused: one is too long.
    """
    for what, text in (
        ("clusterName", request.cluster_name),
        ("brokerName", request.broker_name),
        ("brokerAddr", request.broker_addr),
        ("haServerAddr", request.ha_server_addr),
        ("zoneName", request.zone_name),
    ):
        _check_length(what, text or "")


def check_filter_servers(servers: Sequence[str]) -> None:
    """
    Check the addresses of a broker's filter servers.

    :raises Refused: there are too many, or one is too long.
    """
    if len(servers) > MAX_FILTER_SERVERS:
        raise _refused(
            f"the broker has {len(servers)} filter servers, at most"
            f" {MAX_FILTER_SERVERS} are kept"
        )
    for server in servers:
        _check_length("the address of a filter server", server)


def _check_length(what: str, text: str) -> None:
    if len(text) > MAX_TEXT:
        raise _refused(
            f"{what} has {len(text)} characters, at most {MAX_TEXT} are kept"
        )


def _refused(why: str) -> Refused:
    return Refused(
        ResponseCode.INVALID_PARAMETER, f"the broker is not registered: {why}"
    )
