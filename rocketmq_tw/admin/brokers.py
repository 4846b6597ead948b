"""
Settings, statistics and replication of brokers, and whether they take messages.

Source: ``DefaultMQAdminExtImpl`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.admin.errors import NotFound
from rocketmq_tw.admin.results.brokers import (
    ReplicaState,
    Replication,
    Settings,
    Statistics,
)
from rocketmq_tw.admin.results.cluster import BrokerAddress
from rocketmq_tw.admin.results.topics import Changed
from rocketmq_tw.admin.settings import ServerSettings
from rocketmq_tw.wire.bodies.kvtable import KVTable, decode_properties
from rocketmq_tw.wire.bodies.replication import HARuntimeInfo
from rocketmq_tw.wire.requests.admin import (
    GetBrokerConfig,
    GetRuntimeInfo,
    UpdateBrokerConfig,
)
from rocketmq_tw.wire.requests.registration import (
    AddWritePermission,
    WipeWritePermission,
)
from rocketmq_tw.wire.requests.replication import GetHaStatus


class Brokers:
    """What an administrator does with brokers."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @returning_deferred
    async def config(self, broker: str) -> Settings:
        """
        Return the settings of a broker, and of its slaves.

        :param broker: its name or its address.
        :raises NotFound: there is no such broker.
        """
        targets = {b.address: b.address for b in await self._named(broker)}
        asked = await self._calls.each(targets, self._read)
        asked.need_one(f'the settings of "{broker}" cannot be read')
        return Settings(asked.ok, asked.failed)

    @returning_deferred
    async def set_config(self, broker: str, values: Mapping[str, str]) -> Changed:
        """
        Change settings of a broker while it runs, at its master and its slaves.

        Apache's brokers say that all is well if they do not know a setting, or cannot
        use a value. So the settings are read before and after.

        :raises NotFound: there is no such broker, or no such setting; nothing is
            changed.
        :raises RefusedByAll: the settings cannot be changed.
        """
        addresses = [each.address for each in await self._named(broker)]

        async def write(address: str, body: bytes) -> None:
            await self._calls.broker(address, UpdateBrokerConfig(body=body))

        settings = ServerSettings(self._calls, addresses, self._read, write)
        return await settings.change(
            values, f'the settings of "{broker}" are not changed'
        )

    async def _read(self, address: str) -> dict[str, str]:
        """Ask a broker for its settings."""
        response = await self._calls.broker(address, GetBrokerConfig())
        return decode_properties(response.body)

    @returning_deferred
    async def runtime(self, broker: str) -> Statistics:
        """
        Return all that a broker says of itself, under its own names.

        :raises NotFound: there is no such broker.
        """
        found = (await self._named(broker))[0]
        response = await self._calls.broker(found.address, GetRuntimeInfo())
        table = KVTable.decode(response.body).table
        return Statistics(found.name, found.address, dict(sorted(table.items())))

    @returning_deferred
    async def replication(self, broker: str) -> Replication:
        """
        Return how far the slaves of a broker are.

        :raises NotFound: there is no such broker.
        """
        found = (await self._named(broker))[0]
        response = await self._calls.broker(found.address, GetHaStatus())
        info = HARuntimeInfo.decode(response.body)
        if not info.master:
            said = info.ha_client_runtime_info
            return Replication(
                found.name,
                found.address,
                False,
                said.max_offset,
                master=said.master_addr or "",
            )
        slaves = tuple(
            ReplicaState(
                each.addr or "",
                each.slave_ack_offset,
                each.diff,
                each.in_sync,
                each.transferred_byte_in_second,
            )
            for each in info.ha_connection_info
        )
        return Replication(
            found.name,
            found.address,
            True,
            info.master_commit_log_max_offset,
            info.in_sync_slave_nums,
            slaves,
        )

    @returning_deferred
    async def forbid_writes(self, broker: str) -> Changed:
        """
        Let clients send no new messages to a broker: its topics become unwriteable in
        the routes of all name servers.

        :param broker: its name or its address.
        :raises NotFound: there is no such broker.
        """
        name = (await self._named(broker))[0].name
        asked = await self._calls.each_name_server(
            lambda: WipeWritePermission(broker_name=name)
        )
        asked.need_change(f'sending to "{broker}" is not forbidden')
        return Changed(tuple(asked.ok), asked.failed)

    @returning_deferred
    async def allow_writes(self, broker: str) -> Changed:
        """Let clients send to a broker again; see :meth:`forbid_writes`."""
        name = (await self._named(broker))[0].name
        asked = await self._calls.each_name_server(
            lambda: AddWritePermission(broker_name=name)
        )
        asked.need_change(f'sending to "{broker}" is not allowed')
        return Changed(tuple(asked.ok), asked.failed)

    async def _named(self, broker: str) -> tuple[BrokerAddress, ...]:
        """
        Return the brokers with a name or address, the master first.

        :raises NotFound: there is none.
        """
        registered = await self._calls.registered()
        found = tuple(b for b in registered.brokers if broker in (b.name, b.address))
        if not found:
            known = ", ".join(sorted({b.name for b in registered.brokers}))
            raise NotFound("broker", broker, f"there are: {known or 'none'}")
        return found
