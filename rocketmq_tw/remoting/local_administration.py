"""
Requests of administrators that come from another machine, without access control.

Anybody who reaches the port could send them. They are refused, unless an option allows
them; requests of clients, and those of other brokers, are not looked at.
"""

from __future__ import annotations

from typing import Any

from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Request

_LOOPBACK = ("127.", "[::1]:", "[::ffff:127.", "UNIXAddress(")


def is_local(address: str) -> bool:
    """Whether a peer, as ``host:port``, is on this machine; so are files' sockets."""
    return address.startswith(_LOOPBACK)


def refuse_remote(router: Router, option: str) -> None:
    """
    Refuse the requests of administrators from other machines.

    :param option: the setting that allows them.
    """
    from rocketmq_tw.wire.requests.rules import ADMINISTRATION

    def guard(request: Request[Any], call: Call) -> None:
        if not is_local(call.peer.address):
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"{type(request).__name__} is administration, which is accepted from"
                f" this server's own machine only; set {option}, or access control",
            )

    router.guard(guard, only=ADMINISTRATION)
