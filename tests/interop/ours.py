"""Our servers under ``twistd`` and our client's programs: how they are started."""

from __future__ import annotations

import sys
from pathlib import Path

from .program import Process, Program, free_port

ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
_PROGRAMS = {"SendMessages": "send", "ConsumeMessages": "consume"}


class OurServer:
    """One name server or broker of ours in a process of its own."""

    def __init__(self, plugin: str, port: int, log: Path, *options: str) -> None:
        self.port = port
        command = [sys.executable, "-m", "twisted", "--log-level=info"]
        self.process = Process(
            [*command, plugin, *options], log, _ENVIRONMENT, directory=log.parent
        )
        self.process.wait_for_port(port)

    @property
    def address(self) -> str:
        """Where it listens: ``host:port``."""
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop it as an operator would, with SIGTERM: the store is closed cleanly."""
        self.process.terminate()


def name_server(scratch: Path) -> OurServer:
    """Start our name server and wait for its port."""
    port = free_port()
    data = scratch / f"namesrv-{port}"
    data.mkdir(parents=True)
    options = ("--port", f"tcp:{port}", "--data", str(data))
    return OurServer("rocketmq-namesrv", port, data / "server.log", *options)


def broker(
    scratch: Path,
    name_servers: str,
    name: str = "broker-ours",
    store: Path | None = None,
) -> OurServer:
    """
    Start our broker and wait for its port.

    :param store: its store directory; a new one if absent.
    """
    port = free_port()
    home = scratch / f"broker-{port}"
    home.mkdir(parents=True)
    options = (
        *("--port", f"tcp:{port}"),
        *("--data", str(store or home / "store")),
        *("--namesrv", name_servers),
        *("--name", name),
        *("--advertise", f"127.0.0.1:{port}"),
    )
    return OurServer("rocketmq-broker", port, home / "server.log", *options)


def program(name: str, scratch: Path, **options: object) -> Program:
    """Start the counterpart of a Java program, written on our client."""
    words = [text for k, v in options.items() for text in (f"--{k}", str(v))]
    module = f"tests.interop.programs.{_PROGRAMS[name]}"
    log = scratch / f"{name}-{free_port()}.log"
    return Program([sys.executable, "-m", module, *words], log, _ENVIRONMENT, ROOT)
