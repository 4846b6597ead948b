"""
``twistd rocketmq``: the program that runs a name server and a broker in one process.
"""

from __future__ import annotations

import os

import msgspec
from twisted.application.service import IService
from twisted.python import usage

from rocketmq_tw.broker import tap as broker_tap
from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.configuration import name_servers
from rocketmq_tw.broker.console_settings import CONSOLE_OPTION
from rocketmq_tw.clock import use_monotonic_time
from rocketmq_tw.garbage import keep_collections_short
from rocketmq_tw.log_settings import (
    LOG_FLAGS,
    LOG_OPTIONS,
    check_logs,
    program_logs,
)
from rocketmq_tw.metrics_settings import METRICS_OPTIONS
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.namesrv.access import NamesrvAccess
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.remoting.addresses import (
    EndpointString,
    dial_address,
    server_endpoint,
)
from rocketmq_tw.remoting.preflight import (
    check_port,
    prepare_chroot,
    resolve_interface,
    will_chroot,
)
from rocketmq_tw.remoting.transports import import_transports, mentions_tls
from rocketmq_tw.settings import DATA_FOLDER
from rocketmq_tw.tls.settings import CLIENT_OPTIONS, SERVER_OPTIONS


class Options(usage.Options):
    """
    The options of ``twistd rocketmq``.

    :ivar settings: the settings of the broker, after the options are parsed.
    :ivar name_server: the settings of the name server.
    """

    synopsis = "[options]"
    longdesc = (
        "RocketMQ in one process: a name server on port 9876, a broker on port 10911."
        " Point a client at 127.0.0.1:9876 and send; topics are created on demand."
        " Other machines are served if --listen, --advertise or --config is given."
    )
    optParameters = [
        ["data", "d", None, f"folder of the messages [default: ./{DATA_FOLDER}]"],
        [
            "listen",
            "p",
            None,
            "the broker's port or endpoint string [default: 127.0.0.1:10911]",
        ],
        [
            "namesrv-listen",
            "P",
            None,
            "the name server's port or endpoint string [default: 127.0.0.1:9876]",
        ],
        ["config", "c", None, "a broker.conf: settings under Apache RocketMQ's names"],
        ["advertise", None, None, "address that clients connect to [default: found]"],
        ["name", None, None, "the broker's name [default: the host's name]"],
        CONSOLE_OPTION,
        *SERVER_OPTIONS,
        *CLIENT_OPTIONS,
        *METRICS_OPTIONS,
        *LOG_OPTIONS,
    ]
    optFlags = [broker_tap.MEMORY_FLAG, *LOG_FLAGS]

    settings: BrokerConfig
    name_server: NamesrvConfig

    def postOptions(self) -> None:
        """Check everything; a usage error says what cannot be used."""
        check_logs(self)
        if self["config"] is None and self["advertise"] is None:
            self["listen"] = self["listen"] or "127.0.0.1:10911"
            self["namesrv-listen"] = self["namesrv-listen"] or "127.0.0.1:9876"
        self["namesrv-listen"] = self["namesrv-listen"] or "9876"
        try:
            endpoint = resolve_interface(server_endpoint(self["namesrv-listen"]))
            address = dial_address(endpoint)
        except (RocketMQError, ValueError) as error:
            raise usage.UsageError(f"--namesrv-listen: {error}") from None
        config = broker_tap.checked_config(self, None)
        others = name_servers(config.namesrv_addr) if config.namesrv_addr else []
        namesrv_addr = ";".join([address, *others])
        self.settings = msgspec.structs.replace(config, namesrv_addr=namesrv_addr)
        folder = os.path.join(config.store_path_root_dir, "namesrv")
        self.name_server = NamesrvConfig(
            listen=endpoint,
            kv_config_path=os.path.join(folder, "kvConfig.json"),
            config_store_path=os.path.join(folder, "namesrv.properties"),
            max_tls_handshakes=config.max_tls_handshakes,
            max_tls_handshakes_per_address=config.max_tls_handshakes_per_address,
            tls_handshake_timeout_millis=config.tls_handshake_timeout_millis,
            tls=config.tls,
            remote_administration=config.access.remote_administration,
            access=_name_server_access(config.access),
        )


def _name_server_access(access: AccessSettings) -> NamesrvAccess:
    """Return that of the name server: the broker's accounts, if the broker signs."""
    inner = access.inner
    return NamesrvAccess(acl_file=access.acl_file if inner else None, inner=inner)


def makeService(options: Options) -> IService:
    """
    Return both services; the broker registers as soon as the name server listens.

    :raises RocketMQError: one cannot start; the program ends with that sentence.
    """
    import_transports(
        with_tls=mentions_tls([options.settings, options.name_server], ())
    )
    from twisted.internet import reactor

    from rocketmq_tw.broker.preflight import check_broker
    from rocketmq_tw.broker.service import BrokerService
    from rocketmq_tw.namesrv.service import NamesrvService
    from rocketmq_tw.remoting.in_process import InProcessEndpoint, OwnServers
    from rocketmq_tw.remoting.listener import Program, ends_in_a_sentence
    from rocketmq_tw.remoting.reachability import ReachabilityCheck
    from rocketmq_tw.remoting.tls import check_tls

    use_monotonic_time(reactor)
    keep_collections_short(reactor)
    logs = program_logs(reactor, options)
    broker_tap.remove_memory_folder(reactor, options)
    config = broker_tap.with_connection_limit(options.settings, servers=2)
    options.name_server.max_connections = config.max_connections
    own_servers, in_chroot = OwnServers(reactor), will_chroot(options)
    with ends_in_a_sentence():
        prepare_chroot(options)
        check_broker(config, in_chroot)
        check_port(options.name_server.listen)
        if not in_chroot:
            check_tls(config.tls, reactor)
        addresses = name_servers(config.namesrv_addr)
        console = broker_tap.console_of(
            reactor, config, addresses, own_servers, in_chroot=in_chroot
        )
    namesrv = NamesrvService(options.name_server, reactor)
    # Its certificate need not be one for this address, and it may want one of clients,
    # or the header of a proxy.
    own = InProcessEndpoint(reactor, namesrv.factory, lambda: namesrv.is_open)
    is_proxied = EndpointString.parse(options.name_server.listen).is_proxied
    is_direct = config.tls.server.is_on or is_proxied
    direct = {addresses[0]: own} if is_direct else {}
    metrics = broker_tap.metrics_of(reactor, config)
    if metrics is not None:
        from rocketmq_tw.metrics.name_server import add_metrics

        add_metrics(metrics.page, namesrv)
    features = broker_tap.features_with(metrics)
    broker = BrokerService(reactor, config, addresses, direct=direct, features=features)
    own_servers.add(lambda: addresses[0], namesrv)
    own_servers.add(lambda: broker.address, broker)
    check = ReachabilityCheck(reactor, broker)
    parts = [namesrv, broker, check, console, metrics]
    return Program(reactor, *filter(None, parts), logs=logs)
