"""
Settings of name servers, and the keys that they keep.

Source: ``DefaultMQAdminExtImpl`` of RocketMQ 5. What changes something is sent to all
name servers, for they do not know one another.
"""

from __future__ import annotations

from collections.abc import Mapping

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.admin.results.brokers import Settings
from rocketmq_tw.admin.results.topics import Changed
from rocketmq_tw.admin.settings import ServerSettings
from rocketmq_tw.wire.bodies.kvtable import KVTable, decode_properties
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.kvconfig import (
    DeleteKVConfig,
    GetKVList,
    GetNamesrvConfig,
    PutKVConfig,
    UpdateNamesrvConfig,
)


class NameServers:
    """What an administrator does with name servers."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @returning_deferred
    async def config(self) -> Settings:
        """
        Return the settings of each name server.

        :raises NothingResponded: none has responded.
        """
        asked = await self._calls.each_name_server(GetNamesrvConfig)
        asked.need_one("the settings of name servers cannot be read")
        tables = {who: decode_properties(each.body) for who, each in asked.ok.items()}
        return Settings(tables, asked.failed)

    @returning_deferred
    async def set_config(self, values: Mapping[str, str]) -> Changed:
        """
        Change settings of all name servers while they run.

        :raises NotFound: there is no such setting; nothing is changed.
        :raises RefusedByAll: the settings cannot be changed.
        """
        ask = self._calls.one_name_server

        async def read(address: str) -> dict[str, str]:
            return decode_properties((await ask(address, GetNamesrvConfig())).body)

        async def write(address: str, body: bytes) -> None:
            await ask(address, UpdateNamesrvConfig(body=body))

        addresses = self._calls.name_servers
        settings = ServerSettings(self._calls, addresses, read, write)
        what = "the settings of name servers are not changed"
        return await settings.change(values, what)

    @returning_deferred
    async def keys(self, namespace: str) -> Settings:
        """
        Return the keys of a namespace, at each name server.

        :raises NotFound: no name server has the namespace.
        """
        asked = await self._calls.each_name_server(
            lambda: GetKVList(namespace=namespace)
        )
        found = asked.without(ResponseCode.QUERY_NOT_FOUND)
        what = f'the namespace "{namespace}" cannot be read'
        found.need_known(what, "namespace", namespace)
        tables = {
            who: KVTable.decode(each.body).table for who, each in found.ok.items()
        }
        return Settings(tables, found.failed)

    @returning_deferred
    async def put_key(self, namespace: str, key: str, value: str) -> Changed:
        """Set a key at all name servers."""
        asked = await self._calls.each_name_server(
            lambda: PutKVConfig(namespace=namespace, key=key, value=value)
        )
        asked.need_change(f'the key "{key}" is not set')
        return Changed(tuple(asked.ok), asked.failed)

    @returning_deferred
    async def delete_key(self, namespace: str, key: str) -> Changed:
        """Delete a key at all name servers; one that there is not is no error."""
        asked = await self._calls.each_name_server(
            lambda: DeleteKVConfig(namespace=namespace, key=key)
        )
        asked.need_change(f'the key "{key}" is not deleted')
        return Changed(tuple(asked.ok), asked.failed)
