"""``twistd rocketmq``: a name server and a broker in one process."""

from __future__ import annotations

import os
import re

import msgspec
from twisted.application.service import IService
from twisted.python import usage

from rocketmq_tw.broker import tap as broker_tap
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.remoting.addresses import server_endpoint


class Options(usage.Options):
    """The options of ``twistd rocketmq``."""

    synopsis = "[options]"
    longdesc = (
        "RocketMQ in one process: a name server on port 9876, a broker on port 10911."
        " Point a client at 127.0.0.1:9876 and send; topics are created on the way."
    )
    optParameters = [
        ["data", "d", None, f"folder of the messages [default: ./{broker_tap.DATA}]"],
        ["listen", "p", None, "the broker's port or endpoint string [default: 10911]"],
        ["namesrv-listen", "P", "9876", "the name server's port or endpoint string"],
        ["config", "c", None, "a broker.conf: settings under the original's names"],
        ["advertise", None, None, "address that clients are told to connect to"],
        ["name", None, None, "the broker's name [default: the host's name]"],
    ]
    optFlags = [broker_tap.MEMORY_FLAG]

    def postOptions(self) -> None:
        """Check everything; what cannot be used is a usage error that says why."""
        self["namesrv"] = None
        try:
            endpoint = server_endpoint(self["namesrv-listen"])
        except ValueError as error:
            raise usage.UsageError(f"--namesrv-listen: {error}") from None
        config = broker_tap.settle(self)
        self.settings: BrokerConfig = config
        self.name_server = NamesrvConfig(
            listen=endpoint,
            kv_config_path=os.path.join(
                config.store_path_root_dir, "namesrv", "kvConfig.json"
            ),
            config_store_path=os.path.join(
                config.store_path_root_dir, "namesrv", "namesrv.properties"
            ),
        )


def _reached_at(endpoint: str) -> str:
    """Say how a client in this process reaches what listens on an endpoint."""
    kind, _, rest = endpoint.partition(":")
    if kind != "tcp":
        return endpoint
    port, *more = re.split(r"(?<!\\):", rest)
    host = "127.0.0.1"
    for piece in more:
        name, _, value = piece.replace("\\:", ":").partition("=")
        if name == "interface" and value not in ("", "0.0.0.0"):
            host = "::1" if value == "::" else value
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def makeService(options: Options) -> IService:
    """Make both services; the broker registers as soon as the name server is there."""
    from twisted.internet import reactor

    from rocketmq_tw.broker.service import BrokerService
    from rocketmq_tw.namesrv.service import NamesrvService
    from rocketmq_tw.remoting.listener import Program

    broker_tap.clean_up(reactor, options)
    address = _reached_at(options.name_server.listen)
    others = options.settings.namesrv_addr
    names = [address, *(broker_tap.name_servers(others) if others else ())]
    config = msgspec.structs.replace(options.settings, namesrv_addr=";".join(names))
    return Program(
        reactor,
        NamesrvService(options.name_server, reactor),
        BrokerService(reactor, config, names),
    )
