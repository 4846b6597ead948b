"""
The settings of a name server, under Apache RocketMQ's names.

Source: ``NamesrvConfig``, ``NettyServerConfig`` and ``TlsSystemConfig`` of RocketMQ 5.
"""

from __future__ import annotations

import os
from typing import Annotated

import msgspec

from rocketmq_tw.metrics_settings import MetricsSettings
from rocketmq_tw.namesrv.access import NamesrvAccess
from rocketmq_tw.remoting.addresses import server_endpoint, without_brackets
from rocketmq_tw.remoting.buffers import DEFAULT_BUDGET
from rocketmq_tw.settings import DATA_FOLDER, Count, Port, Positive, Unsupported
from rocketmq_tw.tls.settings import TlsSettings

#: Settings that an administrator may change while the name server runs, until it stops.
CHANGEABLE = frozenset(
    (
        "deleteTopicWithBrokerRegistration",
        "enableAllTopicList",
        "enableTopicList",
        "needWaitForService",
        "notifyMinBrokerIdChanged",
        "orderMessageEnable",
        "returnOrderTopicConfigToBroker",
        "supportActingMaster",
        "waitSecondsForService",
    )
)

#: Settings that must never be changed remotely; the response is NO_PERMISSION.
FORBIDDEN = frozenset(
    ("configBlackList", "configStorePath", "kvConfigPath", "rocketmqHome")
)

#: Settings that operators rely on, and that have no effect here.
UNSUPPORTED = {
    "enableControllerInNamesrv": Unsupported(
        expected="false: there are no controllers yet"
    ),
}


#: A time that somebody may wait for.
Seconds = Annotated[int, msgspec.Meta(ge=0, le=3600)]


class NamesrvConfig(msgspec.Struct, rename="camel", kw_only=True):
    """
    Settings; those named in :data:`CHANGEABLE` may change while the server runs.

    :ivar listen_port: 0 lets the system choose.
    :ivar bind_address: the address on which ``listen_port`` is opened.
    :ivar listen: an endpoint string or ``host:port``, instead of both; an extension.
    :ivar kv_config_path: the file of namespaced keys and values.
    :ivar config_store_path: administrators can read it; nothing is written there.
    :ivar scan_not_active_broker_interval: ms between two checks for unresponsive
        brokers.
    :ivar order_message_enable: routes contain the order configuration of their topic.
    :ivar return_order_topic_config_to_broker: responses to registrations contain
        that of all topics.
    :ivar support_acting_master: routes list a replica as master if that is missing.
    :ivar notify_min_broker_id_changed: brokers with ``enableSlaveActingMaster`` are
        notified when another one has the lowest id of their name.
    :ivar enable_all_topic_list: whether all topics can be listed (code 206).
    :ivar enable_topic_list: whether topics can be listed by their kind.
    :ivar need_wait_for_service: routes are refused for a while after the start, so that
        brokers can register first.
    :ivar wait_seconds_for_service: how long routes are refused, in seconds; at most an
        hour.
    :ivar max_registration_size: a compressed registration that inflates to more bytes
        is refused; only here.
    :ivar max_topics: how many topics all brokers may have, each with its own; an
        extension.
    :ivar max_brokers: how many brokers may be registered; an extension.
    :ivar max_mappings_size: characters of the mappings of static topics, as JSON; an
        extension.
    :ivar max_kv_config_size: characters of all keys and values; an extension.
    :ivar delete_topic_with_broker_registration: a topic that a broker no longer
        registers is removed. Only for brokers that always register all.
    :ivar refuse_broker_takeover: while a broker's connection is open no other address
        can take its name and id, and no other host can remove it. False where
        controllers elect masters; an extension.
    :ivar max_connections: how many connections are accepted. In programs 0 means as
        many as leave enough file descriptors for other uses; an extension.
    :ivar max_connections_per_address: how many are accepted from one address; 0 means
        half of ``max_connections``; an extension.
    :ivar max_buffered_size: bytes of incomplete requests and unsent responses of all
        connections, beyond which some are closed; 0 means no limit; an extension.
    :ivar max_tls_handshakes: how many TLS handshakes may be begun and not complete;
        others wait; an extension.
    :ivar max_tls_handshakes_per_address: how many from one address; 0 means half of
        ``max_tls_handshakes``; an extension.
    :ivar tls_handshake_timeout_millis: ms that a handshake may take; an extension.
    :ivar remote_administration: requests of administrators may come from other
        machines; an extension.
    :ivar tls: TLS of the port and of connections to brokers; from keys that begin with
        ``tls.``.
    :ivar access: which requests need a signature; from ``aclEnable`` and others.
    :ivar metrics: whether and where metrics are served, with the settings of a broker;
        an extension.
    """

    listen_port: Port = 9876
    bind_address: str = "0.0.0.0"
    listen: str = ""
    kv_config_path: str = os.path.join(DATA_FOLDER, "namesrv", "kvConfig.json")
    config_store_path: str = ""
    scan_not_active_broker_interval: Positive = 5000
    order_message_enable: bool = False
    return_order_topic_config_to_broker: bool = True
    support_acting_master: bool = False
    notify_min_broker_id_changed: bool = False
    enable_all_topic_list: bool = True
    enable_topic_list: bool = True
    need_wait_for_service: bool = False
    wait_seconds_for_service: Seconds = 45
    max_registration_size: Positive = 32 << 20
    max_topics: Positive = 500_000
    max_brokers: Positive = 10_000
    max_mappings_size: Positive = 16 << 20
    max_kv_config_size: Positive = 4 << 20
    delete_topic_with_broker_registration: bool = False
    refuse_broker_takeover: bool = True
    max_connections: Count = 0
    max_connections_per_address: Count = 0
    max_buffered_size: Count = DEFAULT_BUDGET
    max_tls_handshakes: Positive = 1000
    max_tls_handshakes_per_address: Count = 0
    tls_handshake_timeout_millis: Positive = 10_000
    tls: TlsSettings = TlsSettings()
    access: NamesrvAccess = NamesrvAccess()
    metrics: MetricsSettings = MetricsSettings()
    remote_administration: bool = False

    @property
    def endpoint(self) -> str:
        """
        The endpoint string to listen on.

        :raises ValueError: ``listen`` is not valid.
        """
        bind = "" if self.bind_address == "0.0.0.0" else self.bind_address
        return server_endpoint(
            self.listen or str(self.listen_port), without_brackets(bind)
        )
