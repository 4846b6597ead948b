"""``twistd rocketmq-namesrv``: the program that runs a name server."""

from __future__ import annotations

import os

from twisted.application.service import IService
from twisted.python import usage

from rocketmq_tw import settings
from rocketmq_tw.clock import use_monotonic_time
from rocketmq_tw.garbage import keep_collections_short
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.log_settings import (
    LOG_FLAGS,
    LOG_OPTIONS,
    check_logs,
    program_logs,
)
from rocketmq_tw.metrics_settings import METRICS_OPTIONS, take_metrics
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.namesrv.access import take_access
from rocketmq_tw.namesrv.config import UNSUPPORTED, NamesrvConfig
from rocketmq_tw.remoting.descriptors import connection_limit, raise_limit
from rocketmq_tw.remoting.preflight import (
    check_port,
    prepare_chroot,
    resolve_interface,
    will_chroot,
)
from rocketmq_tw.remoting.transports import import_transports, mentions_tls
from rocketmq_tw.tls.settings import (
    CLIENT_OPTIONS,
    SERVER_OPTIONS,
    TlsOptions,
    take_settings,
)

_KV_CONFIG = os.path.join("namesrv", "kvConfig.json")


class Options(usage.Options):
    """
    The options of ``twistd rocketmq-namesrv``.

    :ivar namesrv: the settings, from the options and the file.
    """

    optParameters = [
        ["config", "c", None, "File of settings, as Apache RocketMQ's namesrv.conf."],
        [
            "listen",
            "p",
            None,
            "Where to listen: a port, host:port, or an endpoint string such as"
            " tcp:9876:interface=127.0.0.1. [default: 9876]",
        ],
        [
            "data",
            None,
            settings.DATA_FOLDER,
            "Folder to keep data in; created if needed.",
        ],
        *SERVER_OPTIONS,
        *CLIENT_OPTIONS,
        *METRICS_OPTIONS,
        *LOG_OPTIONS,
    ]
    optFlags = LOG_FLAGS
    synopsis = "[-c FILE] [-p PORT] [--data FOLDER]"
    longdesc = (
        "Runs a RocketMQ name server. Brokers register with it, and clients ask it"
        " which brokers hold a topic. For a first try no option is needed; brokers and"
        " clients are then given the name server address 127.0.0.1:9876. Keys and"
        " values that administrators set are kept in FOLDER/namesrv/kvConfig.json;"
        " nothing else is kept."
    )

    namesrv: NamesrvConfig

    def postOptions(self) -> None:
        """
        Read the file and check all values; a warning lists those without effect.

        :raises usage.UsageError: the file or a value in it cannot be used.
        """
        check_logs(self)
        try:
            values = settings.read(self["config"]) if self["config"] else {}
            values.setdefault("kvConfigPath", os.path.join(self["data"], _KV_CONFIG))
            if self["listen"] is not None:
                values.pop("listen", None)
                key = "listenPort" if self["listen"].isdecimal() else "listen"
                values[key] = self["listen"]
            tls = take_settings(values, TlsOptions.of(self))
            access = take_access(values, os.path.dirname(self["config"] or ""))
            metrics = take_metrics(values, self["metrics"])
            config, idle = settings.apply(NamesrvConfig, values, UNSUPPORTED)
            endpoint = _endpoint(config)
            resolved = resolve_interface(endpoint)
            config.metrics = metrics.resolved(resolve_interface)
        except (RocketMQError, ValueError) as error:
            raise usage.UsageError(str(error)) from None
        settings.warn_of_idle(self["config"], idle)
        if resolved != endpoint:
            config.listen = resolved
        # A daemon may change its working directory.
        config.kv_config_path = os.path.abspath(config.kv_config_path)
        config.tls = tls
        config.access = access
        self.namesrv = config


def _endpoint(config: NamesrvConfig) -> str:
    """Return the endpoint string. :raises BadSetting: it is not valid."""
    try:
        return config.endpoint
    except ValueError:
        expected = (
            "a port (9876), host:port,"
            " or an endpoint string (tcp:9876:interface=127.0.0.1)"
        )
        raise settings.BadSetting("listen", config.listen, expected) from None


def makeService(options: Options) -> IService:
    """
    Return the name server's service.

    :raises RocketMQError: it cannot start; the program ends with that sentence.
    """
    import_transports(with_tls=mentions_tls([options.namesrv], ()))
    from twisted.internet import reactor

    from rocketmq_tw.namesrv.kvconfig import KVConfigDocument
    from rocketmq_tw.namesrv.service import NamesrvService
    from rocketmq_tw.remoting.listener import Program, ends_in_a_sentence
    from rocketmq_tw.remoting.tls import check_tls

    use_monotonic_time(reactor)
    keep_collections_short(reactor)
    logs = program_logs(reactor, options)
    limit = connection_limit(raise_limit())
    options.namesrv.max_connections = options.namesrv.max_connections or limit
    with ends_in_a_sentence():
        prepare_chroot(options)
        if not will_chroot(options):
            file = JsonFile(options.namesrv.kv_config_path)
            file.load_as(KVConfigDocument.decode)
            check_tls(options.namesrv.tls, reactor)
        check_port(options.namesrv.endpoint)
    namesrv = NamesrvService(options.namesrv, reactor)
    parts: list[IService] = [namesrv]
    if options.namesrv.metrics.is_on:
        from rocketmq_tw.metrics.name_server import add_metrics
        from rocketmq_tw.metrics.service import make_metrics

        with ends_in_a_sentence():
            metrics = make_metrics(
                reactor, options.namesrv.metrics, options.namesrv.tls.server
            )
        add_metrics(metrics.page, namesrv)
        parts.append(metrics)
    return Program(reactor, *parts, logs=logs)
