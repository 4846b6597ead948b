"""``twistd rocketmq-broker``: its options, and the service they make."""

from __future__ import annotations

import os
import socket
from typing import Any

import msgspec
from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python import usage

from rocketmq_tw import settings
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.remoting.addresses import is_endpoint, server_endpoint, split_host_port

_log = Logger()

#: Where messages are kept when nothing else is said.
DATA = "rocketmq-data"


class Options(usage.Options):
    """The options of ``twistd rocketmq-broker``."""

    synopsis = "[options]"
    longdesc = (
        "A RocketMQ broker: stores messages and hands them out. It needs a name server"
        " (-n), which tells clients where it is. Try `twistd rocketmq` for both in one."
    )
    optParameters = [
        ["config", "c", None, "a broker.conf: settings under the original's names"],
        ["namesrv", "n", None, "name servers, as in host:9876;host2:9876"],
        ["listen", "p", None, "port or endpoint string to listen on [default: 10911]"],
        ["data", "d", None, f"folder of the messages [default: ./{DATA}]"],
        ["advertise", None, None, "address that clients are told to connect to"],
        ["name", None, None, "the broker's name [default: the host's name]"],
    ]

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
        config, unknown = settings.apply(BrokerConfig, values)
        if unknown:
            _log.warn(
                "{file}: no such setting here, ignored: {keys}",
                file=options["config"],
                keys=", ".join(unknown),
            )
        changes: dict[str, Any] = {}
        if options["listen"]:
            changes.update(_listen(options["listen"]))
        if options["namesrv"]:
            changes["namesrv_addr"] = options["namesrv"]
        if options["advertise"]:
            changes["broker_ip1"] = options["advertise"]
        if options["name"]:
            changes["broker_name"] = options["name"]
        if options["data"] or not config.store_path_root_dir:
            changes["store_path_root_dir"] = options["data"] or DATA
        return _complete(msgspec.structs.replace(config, **changes))
    except (settings.BadSetting, settings.UnreadableSettings, ValueError) as error:
        raise usage.UsageError(str(error)) from None


def _listen(text: str) -> dict[str, Any]:
    """Read ``--listen``: a port, or an endpoint string."""
    if text.isdigit():
        if int(text) > 65535:
            raise ValueError(f"--listen is {text}; expected a port up to 65535")
        return {"listen_port": int(text)}
    endpoint = server_endpoint(text)
    kind, _, rest = endpoint.partition(":")
    port = rest.partition(":")[0]
    if kind not in ("tcp", "tcp6") or not port.isdigit():
        raise ValueError(
            f"--listen is {text}; a broker is found by host and port:"
            " expected a port, host:port or tcp:PORT..."
        )
    return {"listen": endpoint, "listen_port": int(port)}


def _complete(config: BrokerConfig) -> BrokerConfig:
    """Fill in what depends on this machine, and check the addresses."""
    for address in name_servers(config.namesrv_addr):
        if not is_endpoint(address):
            split_host_port(address)
    ip = config.broker_ip1 or own_address()
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

    config = options.settings
    broker = BrokerService(reactor, config, name_servers(config.namesrv_addr))
    return Program(reactor, broker)
