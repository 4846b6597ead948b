"""
Requests of administrators that come from another machine, without access control.

Anybody who reaches the port could send them. They are refused, unless an option allows
them; requests of clients, and those of other brokers, are not looked at.
"""

from __future__ import annotations

from typing import Any

from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Request

_LOOPBACK = ("127.", "[::1]:", "[::ffff:127.", "UNIXAddress(")


def is_local(peer: Peer) -> bool:
    """
    Whether a peer is on this machine.

    It is if it connects from the loopback, by a file's socket, or from the address to
    which it connects: clients connect to the one that a broker registers.
    """
    if peer.address.startswith(_LOOPBACK):
        return True
    here = getattr(peer.transport.getHost(), "host", None)
    there = getattr(peer.transport.getPeer(), "host", None)
    return bool(there) and here == there


def refuse_remote(router: Router, option: str) -> None:
    """
    Refuse the requests of administrators from other machines.

    :param option: the setting that allows them.
    """
    from rocketmq_tw.wire.requests.rules import ADMINISTRATION

    def guard(request: Request[Any], call: Call) -> None:
        if not is_local(call.peer):
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"{type(request).__name__} is administration, which is accepted from"
                f" this server's own machine only; set {option}, or access control",
            )

    router.guard(guard, only=ADMINISTRATION)
