"""
From a ``broker.conf`` and a command line to the complete settings of a broker.

Options come first, then the file, then what is found out about this machine. All of it
is checked here, so that a broker that is made starts, or fails for a reason outside.
"""

from __future__ import annotations

import os
import re
import socket
from typing import Any

import msgspec

from rocketmq_tw import settings
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.delay.levels import parse_levels
from rocketmq_tw.broker.unsupported import UNSUPPORTED
from rocketmq_tw.model.topic import TOPIC_MAX_LENGTH
from rocketmq_tw.remoting.addresses import (
    MAX_PORT,
    EndpointString,
    is_endpoint,
    is_ip_address,
    server_endpoint,
    split_host_port,
    without_brackets,
)
from rocketmq_tw.remoting.preflight import resolve_interface
from rocketmq_tw.settings import BadSetting

#: How much is kept in memory if nothing else is asked for, in bytes.
MEMORY = 256 << 20

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_NAME = re.compile(rf"[A-Za-z0-9_.%|-]{{1,{TOPIC_MAX_LENGTH}}}")
_NAME_EXPECTED = (
    f"1 to {TOPIC_MAX_LENGTH} of the characters A-Z a-z 0-9 _ - . % |,"
    " as topics are named after it"
)
#: Addresses reserved for documentation, to find the route outwards.
_OUTWARDS = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


class CommandLine(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the options of a program say; None where one is absent.

    :ivar config: the path of a ``broker.conf``.
    :ivar memory_folder: where a broker that keeps messages in memory has its tables.
    """

    config: str | None = None
    listen: str | None = None
    namesrv: str | None = None
    data: str | None = None
    advertise: str | None = None
    name: str | None = None
    memory_folder: str | None = None


def complete_config(line: CommandLine) -> BrokerConfig:
    """
    Make a broker's settings.

    A file's settings that have no effect are named in a warning.

    :raises ValueError: one of them cannot be used.
    :raises RocketMQError: so it is, or the file cannot be read, or the name to listen
        on does not resolve.
    """
    values = settings.read(line.config) if line.config else {}
    bind_address = values.pop("bindAddress", "").strip()
    commit_log = values.pop("storePathCommitLog", "").strip()
    _check_not_blank(values, "brokerName", "brokerClusterName")
    config, idle = settings.apply(BrokerConfig, values, UNSUPPORTED)
    settings.warn_of_idle(line.config, idle)
    changes = _from_options(line, config)
    listen = line.listen or config.listen
    changes.update(_listen(listen or str(config.listen_port), bind_address))
    config = _completed(msgspec.structs.replace(config, **changes))
    _check(config, commit_log)
    return config


def _from_options(line: CommandLine, config: BrokerConfig) -> dict[str, Any]:
    """Collect what the command line has instead of the file."""
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
    Read where to listen: a port, or an endpoint string.

    :param bind_address: the address that a bare port is opened on; all if empty.
    """
    if text.isdecimal() and int(text) > MAX_PORT:
        raise ValueError(f"--listen is {text}; expected a port up to {MAX_PORT}")
    if text.isdecimal() and bind_address in ("", "0.0.0.0"):
        return {"listen_port": int(text), "listen": ""}
    endpoint = server_endpoint(text, without_brackets(bind_address))
    parts = EndpointString.parse(endpoint)
    if parts.kind not in ("tcp", "tcp6"):
        raise ValueError(
            f"--listen is {text}; a broker is found by host and port:"
            " expected a port, host:port or tcp:PORT..."
        )
    endpoint = resolve_interface(str(parts.on_port(parts.port)))
    return {"listen": endpoint, "listen_port": parts.port}


def _completed(config: BrokerConfig) -> BrokerConfig:
    """Fill in what depends on this machine."""
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
    """Find the address at which clients reach what listens on an endpoint."""
    if not listen:
        return own_address(socket.AF_INET)
    parts = EndpointString.parse(listen)
    single = parts.single_interface
    if single is not None and "%" not in single:
        return single
    if parts.interface == "0.0.0.0":
        return own_address(socket.AF_INET)
    # All interfaces of IPv6; those of IPv4 come with them.
    return own_address(socket.AF_INET, socket.AF_INET6)


def own_address(*families: socket.AddressFamily) -> str:
    """
    Find this machine's address: that of the route outwards, else the loopback.

    Connecting a datagram socket sends nothing.

    :param families: those to try, in order.
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
    """Split ``host:9876;host2:9876``; the environment's NAMESRV_ADDR stands in."""
    text = text or os.environ.get("NAMESRV_ADDR", "")
    return [piece.strip() for piece in text.split(";") if piece.strip()]


def _check(config: BrokerConfig, commit_log: str) -> None:
    """Check what types do not: addresses, names, paths and delays."""
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
    try:
        parse_levels(config.message_delay_level)
    except ValueError as error:
        raise ValueError(f"messageDelayLevel: {error}") from None
    expected = os.path.join(config.store_path_root_dir, "commitlog")
    if commit_log and os.path.abspath(os.path.expanduser(commit_log)) != expected:
        why = f"{expected}, as all files are under storePathRootDir"
        raise BadSetting("storePathCommitLog", commit_log, why)


def _check_not_blank(values: dict[str, str], *keys: str) -> None:
    """Refuse a name that is given, and empty: no default stands in for it."""
    for key in keys:
        if key in values and not values[key].strip():
            raise BadSetting(key, values[key], _NAME_EXPECTED)


def _checked_name(key: str, name: str) -> str:
    """Return a broker's or a cluster's name. :raises BadSetting: it cannot be one."""
    if not _NAME.fullmatch(name):
        raise BadSetting(key, name, _NAME_EXPECTED)
    return name


def _check_host(key: str, text: str) -> None:
    """Check what clients connect to: an address, or a name that they look up."""
    if is_ip_address(text):
        return
    numeric = text.replace(".", "").isdigit()
    if numeric or not _HOST_NAME.fullmatch(text):
        expected = "an address or a host name, without a port"
        raise BadSetting(key, text, expected)
