"""``twistd rocketmq-namesrv``: a name server as a program."""

from __future__ import annotations

import os
from typing import Any

from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python import usage

from rocketmq_tw import settings
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.remoting.listener import Program

_log = Logger()


class Options(usage.Options):
    """
    The command line.

    :ivar namesrv: the settings made of it and of the file.
    """

    optParameters = [
        ["config", "c", None, "File of settings, as the original's namesrv.conf."],
        [
            "listen",
            "p",
            None,
            "Where to listen: a port, host:port, or an endpoint string such as"
            " tcp:9876:interface=127.0.0.1. [default: 9876]",
        ],
        ["data", None, "rocketmq-data", "Folder to keep data in; made if need be."],
    ]
    synopsis = "[-c FILE] [-p PORT] [--data FOLDER]"
    longdesc = (
        "Runs a RocketMQ name server. Brokers register with it, and clients ask it"
        " which brokers hold a topic. For a first try no option is needed; brokers and"
        " clients are then given the name server address 127.0.0.1:9876. Keys and"
        " values that administrators set are kept in FOLDER/namesrv/kvConfig.json;"
        " nothing else is kept."
    )

    namesrv: NamesrvConfig
    unknown: list[str]

    def postOptions(self) -> None:
        """
        Read the file and check all values.

        :raises usage.UsageError: the file or a value in it cannot be used.
        """
        try:
            values = settings.read(self["config"]) if self["config"] else {}
            values.setdefault("kvConfigPath", os.path.join(self["data"], _KV_CONFIG))
            if self["listen"] is not None:
                values.pop("listen", None)
                key = "listenPort" if self["listen"].isdigit() else "listen"
                values[key] = self["listen"]
            self.namesrv, self.unknown = settings.apply(NamesrvConfig, values)
        except (settings.BadSetting, settings.UnreadableSettings) as error:
            raise usage.UsageError(str(error)) from None
        try:
            self.namesrv.endpoint  # noqa: B018 - for the error it raises
        except ValueError:
            raise usage.UsageError(
                f'listen is "{self.namesrv.listen}"; expected a port (9876), host:port,'
                " or an endpoint string (tcp:9876:interface=127.0.0.1)"
            ) from None
        # A daemon may change its working directory.
        self.namesrv.kv_config_path = os.path.abspath(self.namesrv.kv_config_path)


_KV_CONFIG = os.path.join("namesrv", "kvConfig.json")


def makeService(options: Options) -> IService:  # noqa: N802
    """Assemble the program."""
    from twisted.internet import reactor  # noqa: TID251

    if options.unknown:
        _log.warn(
            "these settings in {path} are unknown, and ignored: {keys}",
            path=options["config"],
            keys=", ".join(options.unknown),
        )
    service: Any = NamesrvService(options.namesrv, reactor)
    program: IService = Program(reactor, service)
    return program
