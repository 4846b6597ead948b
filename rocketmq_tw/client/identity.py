"""
The identity of a client: its id, and the unique keys of its messages.

A client id is ``ip@instance`` as in Apache RocketMQ, but always with a random part:
with equal ids (for example of containers with equal process ids behind one address) two
members of a group would read the same queues.

Source: ``ClientConfig.buildMQClientId`` and ``MessageClientIDSetter`` of RocketMQ 5.
"""

from __future__ import annotations

import os
import socket
import time
from functools import lru_cache

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.msgid import UniqueKeys, host_to_bytes

#: An address reserved for documentation; connecting a UDP socket sends no packet.
_REMOTE = ("192.0.2.1", 9)


def local_ip() -> str:
    """Return the IPv4 address of the outgoing route; otherwise the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_REMOTE)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def make_client_id(instance_name: str | None = None) -> str:
    """
    Return an id that no other running client has.

    :param instance_name: used instead of the process id.
    """
    name = instance_name or str(os.getpid())
    return f"{local_ip()}@{name}#{os.urandom(6).hex()}"


def make_local_name(instance_name: str | None = None) -> str:
    """
    Return a name that is the same when the program is restarted.

    Local offsets are kept under it, where Java keeps those of its own client id.
    """
    return f"{local_ip()}@{instance_name or 'DEFAULT'}"


@lru_cache(maxsize=8)
def _month_start(year: int, month: int) -> float:
    """Return the start of a month in local time, in seconds since the epoch."""
    return time.mktime((year, month, 1, 0, 0, 0, 0, 0, -1))


class MessageKeys:
    """
    Makes the unique keys of messages; create it after ``fork``.

    :param clock: provides the time of day.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._wall_time = wall_time(clock)
        ip = host_to_bytes(local_ip(), 0)[:-4]
        self._keys = UniqueKeys(ip, os.getpid(), os.urandom(4))
        self._start = self._until = 0.0

    def next(self) -> str:
        """Return the next key: 32 upper-case hex digits."""
        now = self._wall_time()
        if not self._start <= now < self._until:
            today = time.localtime(now)
            self._start = _month_start(today.tm_year, today.tm_mon)
            self._until = _month_start(
                today.tm_year + today.tm_mon // 12, today.tm_mon % 12 + 1
            )
        return self._keys.next(now, self._start)
