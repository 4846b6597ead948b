"""Our servers under ``twistd`` and our client's programs: how they are started."""

from __future__ import annotations

import sys
from pathlib import Path
from signal import SIGTERM
from typing import Any

from tests.ports import free_port

from .program import Process, Program

ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
_PROGRAMS = {
    "SendMessages": "send",
    "ConsumeMessages": "consume",
    "ReceiveMessages": "receive",
    "LitePullMessages": "lite",
    "AskAndReply": "ask",
}


#: ``twistd`` on a host whose time of day is ahead.
_AHEAD = """
import time
real = time.time
time.time = lambda: real() + {ahead}
from twisted.scripts.twistd import run
run()
"""


class OurServer:
    """
    One name server or broker of ours in a process of its own.

    :param ahead: seconds by which its clock is ahead.
    """

    def __init__(
        self, plugin: str, home: Path, port: int, *options: str, ahead: float = 0
    ) -> None:
        self.port = port
        twistd = [str(Path(sys.executable).with_name("twistd"))]
        if ahead:
            twistd = [sys.executable, "-c", _AHEAD.format(ahead=ahead)]
        self.process = Process(
            [*twistd, "-n", "--pidfile=", plugin, *options],
            home / "server.log",
            _ENVIRONMENT,
            directory=home,
        )
        self.process.wait_for_port(port)

    @property
    def address(self) -> str:
        """Where it listens: ``host:port``."""
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop it as an operator would, with SIGTERM: the store is closed cleanly."""
        status = self.process.terminate(timeout=20)
        assert status in (0, -SIGTERM), f"status {status}: {self.process.tail()}"

    def abandon(self) -> None:
        """Stop it too: ours must always end in time, and without an error."""
        self.stop()


def name_server(scratch: Path, **more: Any) -> OurServer:
    """Start our name server and wait for its port; ``more`` are settings."""
    port = free_port()
    home = scratch / f"namesrv-{port}"
    home.mkdir(parents=True)
    conf = home / "namesrv.conf"
    conf.write_text("".join(f"{key}={value}\n" for key, value in more.items()))
    options = ("--listen", str(port), "-c", str(conf))
    return OurServer("rocketmq-namesrv", home, port, *options)


def broker(
    scratch: Path,
    name_servers: str,
    name: str = "broker-ours",
    store: Path | None = None,
    ahead: float = 0,
    **more: Any,
) -> OurServer:
    """
    Start our broker, with a ``broker.conf`` as the original's, and wait for its port.

    :param store: its store directory; a new one if absent.
    :param ahead: seconds by which its clock is ahead.
    :param more: further lines of its configuration.
    """
    port = free_port()
    home = scratch / f"broker-{port}"
    home.mkdir(parents=True)
    conf: dict[str, Any] = {
        "brokerClusterName": "DefaultCluster",
        "brokerName": name,
        "brokerId": 0,
        "brokerIP1": "127.0.0.1",
        "listenPort": port,
        "namesrvAddr": name_servers,
        "storePathRootDir": store or home / "store",
        "defaultTopicQueueNums": 4,
        **more,
    }
    if ":" in conf["brokerIP1"]:
        conf["listen"] = f"[::]:{port}"
    path = home / "broker.conf"
    path.write_text("".join(f"{key}={value}\n" for key, value in conf.items()))
    options = ("--config", str(path))
    return OurServer("rocketmq-broker", home, port, *options, ahead=ahead)


def program(name: str, scratch: Path, **options: object) -> Program:
    """Start the counterpart of a Java program, written on our client."""
    words = [text for k, v in options.items() for text in (f"--{k}", str(v))]
    module = f"tests.interop.programs.{_PROGRAMS[name]}"
    log = scratch / f"{name}-{free_port()}.log"
    return Program([sys.executable, "-m", module, *words], log, _ENVIRONMENT, ROOT)
