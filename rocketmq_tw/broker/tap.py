"""``twistd rocketmq-broker``: its options, and the service they make."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python import usage

from rocketmq_tw import settings
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.delay.schedule import parse_levels
from rocketmq_tw.remoting.addresses import is_endpoint, server_endpoint, split_host_port

_log = Logger()

#: Where messages are kept when nothing else is said.
DATA = "rocketmq-data"

#: How much is kept in memory when nothing else is said, in bytes.
MEMORY = 256 << 20
MEMORY_FLAG = ["memory", "m", "keep everything in memory; nothing is left at the end"]

_NO_SLAVES = "this broker cannot be a slave yet"
_NO_ACCESS_CONTROL = "false: this broker does not check yet who asks"
#: Settings of the original that must not be passed over, since somebody relies on them:
#: the values that are as good as none, and what is expected instead of others.
_NOT_YET = {
    "brokerId": (("0",), f"0: {_NO_SLAVES}"),
    "brokerRole": (
        ("ASYNC_MASTER", "SYNC_MASTER"),
        f"ASYNC_MASTER or SYNC_MASTER: {_NO_SLAVES}",
    ),
    "aclEnable": (("false",), _NO_ACCESS_CONTROL),
    "authenticationEnabled": (("false",), _NO_ACCESS_CONTROL),
    "authorizationEnabled": (("false",), _NO_ACCESS_CONTROL),
    "enableControllerMode": (("false",), "false: there are no controllers yet"),
    "enableDLegerCommitLog": (("false",), "false: there is no DLedger"),
}
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")


class Options(usage.Options):
    """The options of ``twistd rocketmq-broker``."""

    synopsis = "[options]"
    longdesc = (
        "A RocketMQ broker: stores messages and hands them out. It needs a name server"
        " (-n, or the environment's NAMESRV_ADDR), which tells clients where it is."
        " A first try: twistd -n rocketmq-broker -n 127.0.0.1:9876 --advertise"
        " 127.0.0.1 - or twistd -n rocketmq, for both in one."
    )
    optParameters = [
        ["config", "c", None, "a broker.conf: settings under the original's names"],
        ["namesrv", "n", None, "name servers, as in host:9876;host2:9876"],
        ["listen", "p", None, "port or endpoint string to listen on [default: 10911]"],
        ["data", "d", None, f"folder of the messages [default: ./{DATA}]"],
        ["advertise", None, None, "address that clients are told [default: found]"],
        ["name", None, None, "the broker's name [default: the host's name]"],
    ]
    optFlags = [MEMORY_FLAG]

    def postOptions(self) -> None:
        """Check everything; what cannot be used is a usage error that says why."""
        self.settings = settle(self)


def settle(options: usage.Options) -> BrokerConfig:
    """
    Make a broker's settings from its file and its options, which come first.

    :raises usage.UsageError: one of them cannot be used.
    """
    try:
        values = settings.read(options["config"]) if options["config"] else {}
        _check_offered(values)
        config, unknown = settings.apply(BrokerConfig, values)
        unknown = [key for key in unknown if key not in _NOT_YET]
        if unknown:
            _log.warn(
                "{file}: no such setting here, ignored: {keys}",
                file=options["config"],
                keys=", ".join(unknown),
            )
        changes: dict[str, Any] = {}
        listen = options["listen"] or config.listen
        if listen:
            changes.update(_listen(listen))
        if options["namesrv"]:
            changes["namesrv_addr"] = options["namesrv"]
        if options["advertise"]:
            changes["broker_ip1"] = options["advertise"]
        if options["name"]:
            changes["broker_name"] = options["name"]
        if options["data"] or not config.store_path_root_dir:
            changes["store_path_root_dir"] = options["data"] or DATA
        if options["memory"]:
            changes.update(_in_memory(options, config))
        return _complete(msgspec.structs.replace(config, **changes))
    except (settings.BadSetting, settings.UnreadableSettings, ValueError) as error:
        raise usage.UsageError(str(error)) from None


def _in_memory(options: usage.Options, config: BrokerConfig) -> dict[str, Any]:
    """
    Give the settings of a broker that leaves nothing behind.

    Its tables go to a temporary folder, which :func:`clean_up` removes.
    """
    if options["data"]:
        raise ValueError("--memory needs no --data: it writes no messages")
    options["folder"] = folder = TemporaryDirectory(prefix="rocketmq-")
    size = config.memory_store_size or MEMORY
    return {"store_path_root_dir": folder.name, "memory_store_size": size}


def clean_up(reactor: Any, options: usage.Options) -> None:
    """Remove the folder of a broker in memory, once it has stopped."""
    folder = options.get("folder")
    if folder is not None:
        reactor.addSystemEventTrigger("after", "shutdown", folder.cleanup)


def _listen(text: str) -> dict[str, Any]:
    """Read ``--listen``: a port, or an endpoint string."""
    if text.isdigit():
        return {"listen_port": _port(text, text), "listen": ""}
    endpoint = server_endpoint(text)
    kind, _, rest = endpoint.partition(":")
    port = rest.partition(":")[0]
    if kind not in ("tcp", "tcp6") or not port.isdigit():
        raise ValueError(
            f"--listen is {text}; a broker is found by host and port:"
            " expected a port, host:port or tcp:PORT..."
        )
    return {"listen": endpoint, "listen_port": _port(port, text)}


def _port(digits: str, text: str) -> int:
    """Read a port. :raises ValueError: it is none."""
    if int(digits) > 65535:
        raise ValueError(f"--listen is {text}; expected a port up to 65535")
    return int(digits)


def _check_offered(values: dict[str, str]) -> None:
    """Refuse what would be relied on, and is not there."""
    for key, (harmless, expected) in _NOT_YET.items():
        value = values.get(key, "").strip()
        if value and value not in harmless and value.lower() not in harmless:
            raise settings.BadSetting(key, value, expected)


def _check_host(key: str, text: str) -> None:
    """Check what clients are told: an address, or a name that they look up."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        numeric = text.replace(".", "").isdigit()
        if numeric or not _HOST_NAME.fullmatch(text):
            expected = "an address or a host name, without a port"
            raise settings.BadSetting(key, text, expected) from None


def _complete(config: BrokerConfig) -> BrokerConfig:
    """Fill in what depends on this machine, and check the addresses."""
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
    ip = config.broker_ip1 or own_address()
    _check_host("brokerIP1", ip)
    if config.broker_ip2:
        _check_host("brokerIP2", config.broker_ip2)
    return msgspec.structs.replace(
        config,
        broker_ip1=ip,
        broker_ip2=config.broker_ip2 or ip,
        broker_name=config.broker_name or socket.gethostname(),
        store_path_root_dir=os.path.abspath(
            os.path.expanduser(config.store_path_root_dir)
        ),
    )


def name_servers(text: str) -> list[str]:
    """Split ``host:9876;host2:9876``; the environment's NAMESRV_ADDR stands in."""
    text = text or os.environ.get("NAMESRV_ADDR", "")
    return [piece.strip() for piece in text.split(";") if piece.strip()]


def own_address() -> str:
    """
    Find this machine's address: that of the route outwards, else the loopback.

    Connecting a datagram socket sends nothing; the address is one of those reserved for
    documentation.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def makeService(options: Options) -> IService:
    """Make the broker's service."""
    from twisted.internet import reactor

    from rocketmq_tw.broker.service import BrokerService
    from rocketmq_tw.remoting.listener import Program

    clean_up(reactor, options)
    config = options.settings
    names = name_servers(config.namesrv_addr)
    if not names:
        _log.warn(
            "no name server is given, so that no client finds this broker;"
            " say which with -n host:9876, namesrvAddr or NAMESRV_ADDR"
        )
    broker = BrokerService(reactor, config, names)
    return Program(reactor, broker)
