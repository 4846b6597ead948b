"""
A master's commit log, as its slave asks about it by ordinary requests.
"""

from __future__ import annotations

from typing import TypeVar

from rocketmq_tw.broker.other_brokers import OtherBrokers
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.replication.prefix import Bounds
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.message import ViewMessage

A = TypeVar("A", bound=Response)

#: Seconds that the master may take to respond.
_TIMEOUT = 5.0


class UnknownBounds(RocketMQError):
    """The master does not tell where its log begins and ends."""


class RemoteLog:
    """
    The log of the broker at an address.

    :param address: ``host:port`` of its service.
    """

    def __init__(self, brokers: OtherBrokers, address: str) -> None:
        self._brokers = brokers
        self._address = address

    async def bounds(self) -> Bounds:
        """
        Return where it begins and ends.

        :raises UnknownBounds: the response does not say.
        """
        response = await self._call(GetRuntimeInfo())
        table = KVTable.decode(response.body).table
        try:
            begin, end = table["commitLogMinOffset"], table["commitLogMaxOffset"]
            # A master of Apache RocketMQ without messages says that it begins at -1.
            return Bounds(max(0, int(begin)), int(end))
        except (KeyError, ValueError):
            raise UnknownBounds(
                f"{self._address} does not tell where its commit log begins and ends"
            ) from None

    async def record_at(self, offset: int) -> bytes | None:
        """
        Return the record that begins at an offset; None if none does.

        Brokers respond with SYSTEM_ERROR where none does. Any other error says nothing
        about the log, and is raised: it is not a reason to copy everything again.
        """
        try:
            response = await self._call(ViewMessage(offset))
        except BrokerError as error:
            if error.code != ResponseCode.SYSTEM_ERROR:
                raise
            return None
        return bytes(response.body)

    async def _call(self, request: Request[A]) -> A:
        return await self._brokers.call(self._address, request, _TIMEOUT)
