"""
Handles requests about keys and values, and about the name server's settings.

Source: ``DefaultRequestProcessor`` of RocketMQ 5. Unlike there, only some settings can
be changed remotely, and an invalid value is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw import settings
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.namesrv.config import CHANGEABLE, FORBIDDEN, NamesrvConfig
from rocketmq_tw.namesrv.kvconfig import KVConfig
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.kvtable import (
    KVTable,
    decode_properties,
    encode_properties,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.kvconfig import (
    DeleteKVConfig,
    GetKVConfig,
    GetKVList,
    GetNamesrvConfig,
    KVResponse,
    PutKVConfig,
    UpdateNamesrvConfig,
)

#: Characters of changed settings that are logged.
_LOGGED = 500


class Settings:
    """
    Handles requests about settings.

    :param config: changed in place; all parts read it at each use.
    :param on_change: called when the configuration has changed.
    :param peers: limits what is logged of changes.
    :param gauges: sizes of tables and what was refused because of their limits, by the
        names under which they are shown beside the settings.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        config: NamesrvConfig,
        kvconfig: KVConfig,
        on_change: Callable[[], None],
        peers: PeerLog,
        gauges: Mapping[str, Callable[[], int]],
    ) -> None:
        self._gauges = gauges
        self._peers = peers
        self._config = config
        self._kvconfig = kvconfig
        self._on_change = on_change

    def install(self, router: Router) -> None:
        """Register the handlers."""
        router.on(PutKVConfig, self.put)
        router.on(GetKVConfig, self.get)
        router.on(DeleteKVConfig, self.delete)
        router.on(GetKVList, self.list)
        router.on(GetNamesrvConfig, self.get_config)
        router.on(UpdateNamesrvConfig, self.update_config)

    def put(self, request: PutKVConfig, call: Call) -> Deferred[Response]:
        """Set a key; the response is sent after it is on disk."""
        saved = self._kvconfig.put(request.namespace, request.key, request.value)
        return saved.addCallback(lambda _: Response())

    def get(self, request: GetKVConfig, call: Call) -> KVResponse:
        """Return the value of a key."""
        value = self._kvconfig.get(request.namespace, request.key)
        if value is None:
            raise Refused(
                ResponseCode.QUERY_NOT_FOUND,
                f"No config item, Namespace: {request.namespace} Key: {request.key}",
            )
        return KVResponse(value=value)

    def delete(self, request: DeleteKVConfig, call: Call) -> Deferred[Response]:
        """Remove a key; the response is sent after that is on disk."""
        saved = self._kvconfig.delete(request.namespace, request.key)
        return saved.addCallback(lambda _: Response())

    def list(self, request: GetKVList, call: Call) -> Response:
        """Return all keys of a namespace."""
        table = self._kvconfig.list(request.namespace)
        if table is None:
            raise Refused(
                ResponseCode.QUERY_NOT_FOUND,
                f"No config item, Namespace: {request.namespace}",
            )
        return Response(body=KVTable(table).encode())

    def get_config(self, request: GetNamesrvConfig, call: Call) -> Response:
        """Return all settings, and the gauges, which no other request could show."""
        values = settings.to_values(self._config)
        values |= {name: str(gauge()) for name, gauge in self._gauges.items()}
        return Response(body=encode_properties(values))

    def update_config(self, request: UpdateNamesrvConfig, call: Call) -> Response:
        """Change all requested settings or none, until the server stops."""
        values = decode_properties(request.body)
        if FORBIDDEN & values.keys():
            raise Refused(
                ResponseCode.NO_PERMISSION, "Can not update config in black list."
            )
        others = sorted(values.keys() - CHANGEABLE)
        if others or not values:
            asked = ", ".join(others) or "nothing"
            allowed = ", ".join(sorted(CHANGEABLE))
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"{asked} cannot be changed while running; these can: {allowed}",
            )
        current = {**settings.to_values(self._config), **values}
        changed, _ = settings.apply(NamesrvConfig, current)
        for name in NamesrvConfig.__struct_fields__:
            setattr(self._config, name, getattr(changed, name))
        self._on_change()
        client = call.peer.address
        self._peers.info(
            self._log,
            client,
            "settings changed by {client}: {values}",
            client=client,
            values=log_safe(str(values), _LOGGED),
        )
        return Response()
