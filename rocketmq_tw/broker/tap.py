"""``twistd rocketmq-broker``: its options, and the service it runs."""

from __future__ import annotations

from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec
from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python import usage

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.configuration import (
    CommandLine,
    complete_config,
    name_servers,
)
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
from rocketmq_tw.remoting.descriptors import connection_limit, raise_limit
from rocketmq_tw.remoting.transports import import_transports, mentions_tls
from rocketmq_tw.settings import DATA_FOLDER
from rocketmq_tw.tls.settings import CLIENT_OPTIONS, SERVER_OPTIONS, TlsOptions

if TYPE_CHECKING:
    from rocketmq_tw.broker.broker import Install
    from rocketmq_tw.console.service import ConsoleService
    from rocketmq_tw.metrics.service import MetricsService
    from rocketmq_tw.remoting.in_process import OwnServers

_log = Logger()

MEMORY_FLAG = [
    "memory",
    "m",
    "keep everything in memory; nothing remains at the end",
]


class Options(usage.Options):
    """
    The options of ``twistd rocketmq-broker``.

    :ivar settings: the settings of the broker, after the options are parsed.
    """

    synopsis = "[options]"
    longdesc = (
        "A RocketMQ broker: stores messages and delivers them. It needs a name server"
        " (-n, or the environment's NAMESRV_ADDR), from which clients get its address."
        " A first try: twistd -n rocketmq-broker -n 127.0.0.1:9876 --advertise"
        " 127.0.0.1 - or twistd -n rocketmq, for both in one."
    )
    optParameters = [
        ["config", "c", None, "a broker.conf: settings under Apache RocketMQ's names"],
        ["namesrv", "n", None, "name servers, as in host:9876;host2:9876"],
        ["listen", "p", None, "port or endpoint string to listen on [default: 10911]"],
        ["data", "d", None, f"folder of the messages [default: ./{DATA_FOLDER}]"],
        ["advertise", None, None, "address that clients connect to [default: found]"],
        ["name", None, None, "the broker's name [default: the host's name]"],
        CONSOLE_OPTION,
        *SERVER_OPTIONS,
        *CLIENT_OPTIONS,
        *METRICS_OPTIONS,
        *LOG_OPTIONS,
    ]
    optFlags = [MEMORY_FLAG, *LOG_FLAGS]

    settings: BrokerConfig

    def postOptions(self) -> None:
        """Check everything; a usage error says what cannot be used."""
        check_logs(self)
        self.settings = checked_config(self, self["namesrv"])


def checked_config(options: usage.Options, namesrv: str | None) -> BrokerConfig:
    """
    Return the broker's settings from a program's options.

    A broker in memory gets a temporary folder for its tables, which
    :func:`remove_memory_folder` removes.

    :param namesrv: the name servers, from the options of the program, if any.
    :raises usage.UsageError: an option or a setting cannot be used.
    """
    if options["memory"] and options["data"]:
        raise usage.UsageError("--memory excludes --data: no messages are written")
    folder = TemporaryDirectory(prefix="rocketmq-") if options["memory"] else None
    options["folder"] = folder
    line = CommandLine(
        config=options["config"],
        listen=options["listen"],
        namesrv=namesrv,
        data=options["data"],
        advertise=options["advertise"],
        name=options["name"],
        memory_folder=folder.name if folder else None,
        tls=TlsOptions.of(options),
        console=options["console"],
        metrics=options["metrics"],
    )
    try:
        return complete_config(line)
    except (RocketMQError, ValueError) as error:
        raise usage.UsageError(str(error)) from None


def with_connection_limit(config: BrokerConfig, servers: int = 1) -> BrokerConfig:
    """
    Raise the limit of file descriptors, and let connections leave some to the store.

    :param servers: how many servers this process is.
    """
    limit = connection_limit(raise_limit(), servers)
    return msgspec.structs.replace(
        config, max_connections=config.max_connections or limit
    )


def remove_memory_folder(reactor: Any, options: usage.Options) -> None:
    """Remove the temporary folder after the reactor has stopped."""
    folder = options.get("folder")
    if folder is not None:
        reactor.addSystemEventTrigger("after", "shutdown", folder.cleanup)


def console_of(
    reactor: Any,
    config: BrokerConfig,
    names: Sequence[str],
    own: OwnServers,
    *,
    in_chroot: bool,
) -> ConsoleService | None:
    """
    Return the console of a program; None if it is not asked for.

    :param own: the servers of this program, to which they are added later.
    :param in_chroot: whether paths will have another meaning.
    :raises RocketMQError: it cannot start.
    """
    settings = config.console
    if not settings.console:
        return None
    from rocketmq_tw.console.assembly import (
        check_console,
        console_token_file,
        make_console,
    )
    from rocketmq_tw.console.config import ConsoleConfig
    from rocketmq_tw.model.ip_address import parse_networks

    listen = check_console(
        settings.console,
        is_secure=config.tls.server.is_on,
        allow_plain=settings.console_allow_plain,
    )
    console = ConsoleConfig(
        listen=listen,
        token="",
        token_file=console_token_file(
            settings.console_token_file, config.store_path_root_dir, in_chroot
        ),
        hosts=tuple(filter(None, map(str.strip, settings.console_hosts.split(",")))),
        proxies=parse_networks(settings.console_trusted_proxies),
        max_connections=settings.max_console_connections,
        max_tails=settings.max_console_tails,
    )
    return make_console(
        reactor,
        console,
        names,
        name=config.broker_name,
        inner=config.access.inner or config.access.first_user,
        tls=config.tls,
        own=own,
    )


def metrics_of(reactor: Any, config: BrokerConfig) -> MetricsService | None:
    """
    Return what serves metrics; None if they are off.

    :raises RocketMQError: their port cannot be opened; the program ends with that.
    """
    if not config.metrics.is_on:
        return None
    from rocketmq_tw.metrics.service import make_metrics
    from rocketmq_tw.remoting.listener import ends_in_a_sentence

    with ends_in_a_sentence():
        return make_metrics(reactor, config.metrics, config.tls.server)


def features_with(metrics: MetricsService | None) -> Sequence[Install]:
    """Return the features of a broker, with its metrics if they are on."""
    from rocketmq_tw.broker.features import FEATURES

    if metrics is None:
        return FEATURES
    from rocketmq_tw.metrics.broker.feature import broker_metrics

    return (*FEATURES, broker_metrics(metrics.page))


def makeService(options: Options) -> IService:
    """
    Return the broker's service.

    :raises RocketMQError: it cannot start; the program ends with that sentence.
    """
    names = name_servers(options.settings.namesrv_addr)
    import_transports(with_tls=mentions_tls([options.settings], names))
    from twisted.internet import reactor

    from rocketmq_tw.broker.preflight import check_broker
    from rocketmq_tw.broker.service import BrokerService
    from rocketmq_tw.remoting.in_process import OwnServers
    from rocketmq_tw.remoting.listener import Program, ends_in_a_sentence
    from rocketmq_tw.remoting.preflight import prepare_chroot, will_chroot
    from rocketmq_tw.remoting.reachability import ReachabilityCheck
    from rocketmq_tw.remoting.tls import check_tls

    use_monotonic_time(reactor)
    keep_collections_short(reactor)
    logs = program_logs(reactor, options)
    remove_memory_folder(reactor, options)
    config = with_connection_limit(options.settings)
    own, in_chroot = OwnServers(reactor), will_chroot(options)
    with ends_in_a_sentence():
        prepare_chroot(options)
        check_broker(config, in_chroot)
        if not in_chroot:
            check_tls(config.tls, reactor)
        console = console_of(reactor, config, names, own, in_chroot=in_chroot)
    if not names:
        _log.warn(
            "no name server is given, so no client can find this broker;"
            " name one with -n host:9876, namesrvAddr or NAMESRV_ADDR"
        )
    metrics = metrics_of(reactor, config)
    broker = BrokerService(reactor, config, names, features=features_with(metrics))
    own.add(lambda: broker.address, broker)
    parts = [broker, ReachabilityCheck(reactor, broker), console, metrics]
    return Program(reactor, *filter(None, parts), logs=logs)
