"""
Combines a ``broker.conf`` and a command line into the settings of a broker.

Options override the file, and the file overrides what is detected on this machine.
Everything is checked here, so that starting a broker can fail only for external
reasons.
"""

from __future__ import annotations

import os
import re
import socket
from typing import Any

import msgspec

from rocketmq_tw import settings
from rocketmq_tw.broker.access.settings import take_access
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.console_settings import take_console
from rocketmq_tw.broker.delay.levels import parse_levels
from rocketmq_tw.broker.roles import check_roles, idle_of_roles
from rocketmq_tw.broker.unsupported import UNSUPPORTED
from rocketmq_tw.metrics_settings import take_metrics
from rocketmq_tw.model.ip_address import is_ip_address
from rocketmq_tw.model.topic import TOPIC_MAX_LENGTH
from rocketmq_tw.remoting.addresses import (
    MAX_PORT,
    EndpointString,
    is_endpoint,
    server_endpoint,
    split_host_port,
    without_brackets,
)
from rocketmq_tw.remoting.preflight import resolve_interface
from rocketmq_tw.settings import BadSetting
from rocketmq_tw.tls.settings import TlsOptions, take_settings

#: The default size of a store in memory, in bytes.
MEMORY = 256 << 20

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_NAME = re.compile(rf"[A-Za-z0-9_.%|-]{{1,{TOPIC_MAX_LENGTH}}}")
_NAME_EXPECTED = (
    f"1 to {TOPIC_MAX_LENGTH} of the characters A-Z a-z 0-9 _ - . % |,"
    " as topics are named after it"
)
#: Addresses reserved for documentation, used to find the outgoing route.
_OUTWARDS = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


class CommandLine(msgspec.Struct, frozen=True, kw_only=True):
    """
    The options of a program; None for an absent one.

    :ivar config: the path of a ``broker.conf``.
    :ivar memory_folder: folder of the tables if messages are kept in memory.
    :ivar tls: the options of TLS.
    :ivar console: where the console listens.
    :ivar metrics: where metrics are served.
    """

    config: str | None = None
    listen: str | None = None
    namesrv: str | None = None
    data: str | None = None
    advertise: str | None = None
    name: str | None = None
    memory_folder: str | None = None
    tls: TlsOptions | None = None
    console: str | None = None
    metrics: str | None = None


def complete_config(line: CommandLine) -> BrokerConfig:
    """
    Return the complete settings of a broker.

    Settings in the file that have no effect are listed in a warning.

    :raises ValueError: an option or a setting cannot be used.
    :raises RocketMQError: likewise, or the file cannot be read, or the name to listen
        on does not resolve.
    """
    values = settings.read(line.config) if line.config else {}
    bind_address = values.pop("bindAddress", "").strip()
    commit_log = values.pop("storePathCommitLog", "").strip()
    tls = take_settings(values, line.tls)
    access = take_access(values, os.path.dirname(line.config or ""))
    console = take_console(values, line.console)
    metrics = take_metrics(values, line.metrics)
    _check_not_blank(values, "brokerName", "brokerClusterName")
    config, idle = settings.apply(BrokerConfig, values, UNSUPPORTED)
    settings.warn_of_idle(line.config, [*idle, *idle_of_roles(config)])
    changes = _from_options(line, config)
    changes["tls"] = tls
    changes["access"] = access
    changes["console"] = console
    changes["metrics"] = metrics.resolved(resolve_interface)
    listen = line.listen or config.listen
    changes.update(_listen(listen or str(config.listen_port), bind_address))
    config = _completed(msgspec.structs.replace(config, **changes))
    _check(config, commit_log)
    return config


def _from_options(line: CommandLine, config: BrokerConfig) -> dict[str, Any]:
    """Return the settings that the command line overrides."""
    changes: dict[str, Any] = {}
    if line.namesrv:
        changes["namesrv_addr"] = line.namesrv
    if line.advertise:
        changes["broker_ip1"] = line.advertise
    if line.name is not None:
        changes["broker_name"] = _checked_name("--name", line.name)
    if line.data or not config.store_path_root_dir:
        changes["store_path_root_dir"] = line.data or settings.DATA_FOLDER
    if line.memory_folder:
        changes["store_path_root_dir"] = line.memory_folder
        changes["memory_store_size"] = config.memory_store_size or MEMORY
    return changes


def _listen(text: str, bind_address: str) -> dict[str, Any]:
    """
    Return the settings for where to listen: a port, or an endpoint string.

    :param bind_address: the address for a bare port; all addresses if empty.
    """
    if text.isdecimal() and int(text) > MAX_PORT:
        raise ValueError(f"--listen is {text}; expected a port up to {MAX_PORT}")
    if text.isdecimal() and bind_address in ("", "0.0.0.0"):
        return {"listen_port": int(text), "listen": ""}
    endpoint = server_endpoint(text, without_brackets(bind_address))
    parts = EndpointString.parse(endpoint)
    if parts.kind not in ("tcp", "tcp6", "ssl"):
        raise ValueError(
            f"--listen is {text}; clients reach a broker by host and port:"
            " expected a port, host:port or tcp:PORT..."
        )
    endpoint = resolve_interface(str(parts.on_port(parts.port)))
    return {"listen": endpoint, "listen_port": parts.port}


def _completed(config: BrokerConfig) -> BrokerConfig:
    """Fill in the settings that depend on this machine."""
    ip = without_brackets(config.broker_ip1) or _address_to_advertise(config.listen)
    root = os.path.abspath(os.path.expanduser(config.store_path_root_dir))
    return msgspec.structs.replace(
        config,
        broker_ip1=ip,
        broker_ip2=without_brackets(config.broker_ip2) or ip,
        broker_name=config.broker_name or socket.gethostname(),
        store_path_root_dir=root,
    )


def _address_to_advertise(listen: str) -> str:
    """Return the address at which clients reach a listening endpoint."""
    if not listen:
        return own_address(socket.AF_INET)
    parts = EndpointString.parse(listen)
    single = parts.single_interface
    if single is not None and "%" not in single:
        return single
    if parts.interface == "0.0.0.0":
        return own_address(socket.AF_INET)
    # All IPv6 interfaces, which include those of IPv4.
    return own_address(socket.AF_INET, socket.AF_INET6)


def own_address(*families: socket.AddressFamily) -> str:
    """
    Return this machine's address on the outgoing route, otherwise the loopback.

    Connecting a datagram socket sends no packet.

    :param families: address families to try, in order.
    """
    for family in families:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((_OUTWARDS[family], 9))
                return str(probe.getsockname()[0])
        except OSError:
            continue
    return "127.0.0.1"


def name_servers(text: str) -> list[str]:
    """Split ``host:9876;host2:9876``; if empty, use NAMESRV_ADDR of the environment."""
    text = text or os.environ.get("NAMESRV_ADDR", "")
    return [piece.strip() for piece in text.split(";") if piece.strip()]


def _check(config: BrokerConfig, commit_log: str) -> None:
    """Check what the types do not: addresses, names, paths and delays."""
    _checked_name("brokerName", config.broker_name)
    _checked_name("brokerClusterName", config.broker_cluster_name)
    _check_host("brokerIP1", config.broker_ip1)
    _check_host("brokerIP2", config.broker_ip2)
    for address in name_servers(config.namesrv_addr):
        if not is_endpoint(address):
            try:
                split_host_port(address)
            except ValueError as error:
                expected = "expected host:port;host:port"
                raise ValueError(f"namesrvAddr: {error}; {expected}") from None
    check_roles(config)
    try:
        parse_levels(config.message_delay_level)
    except ValueError as error:
        raise ValueError(f"messageDelayLevel: {error}") from None
    expected = os.path.join(config.store_path_root_dir, "commitlog")
    if commit_log and os.path.abspath(os.path.expanduser(commit_log)) != expected:
        why = f"{expected}, as all files are under storePathRootDir"
        raise BadSetting("storePathCommitLog", commit_log, why)


def _check_not_blank(values: dict[str, str], *keys: str) -> None:
    """Refuse a name that is present but empty; it does not mean the default."""
    for key in keys:
        if key in values and not values[key].strip():
            raise BadSetting(key, values[key], _NAME_EXPECTED)


def _checked_name(key: str, name: str) -> str:
    """Return the name of a broker or cluster. :raises BadSetting: it is not legal."""
    if not _NAME.fullmatch(name):
        raise BadSetting(key, name, _NAME_EXPECTED)
    return name


def _check_host(key: str, text: str) -> None:
    """Check the host that clients connect to: an address or a host name."""
    if is_ip_address(text):
        return
    numeric = text.replace(".", "").isdigit()
    if numeric or not _HOST_NAME.fullmatch(text):
        expected = "an address or a host name, without a port"
        raise BadSetting(key, text, expected)
