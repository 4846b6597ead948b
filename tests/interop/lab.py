"""A laboratory: servers and clients of either make, started and stopped together."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from . import apache, foreign, ours
from .program import Process, Program, wait_until

OURS = "ours"
"""The make that is ours; the others are the releases of ``apache``, and ``TOOLS``."""


CHECKS: dict[str, Any] = {
    "transactionCheckInterval": 4000,
    "transactionOpBatchInterval": 1000,
}
"""Producers are asked soon how their transactions ended, within 10 s and not 36."""

QUIET: dict[str, Any] = {
    # The thread that notes verdicts looks without a pause once its interval is over
    # after the last one. So that is an hour, and every verdict is noted at once.
    "transactionOpBatchInterval": 3_600_000,
    "transactionOpMsgMaxSize": 1,
    # Else 38 MB of a file are looked at each second.
    "timerFlushIntervalMs": 30_000,
}
"""A broker of 5.x in which nothing happens takes 5 % of a processor, and not 80."""


class Server(Protocol):
    """A name server or a broker, of either make."""

    process: Process

    @property
    def address(self) -> str:
        """Where it listens: ``host:port``."""

    def stop(self) -> None:
        """Stop it as an operator would."""

    def abandon(self) -> None:
        """End it where nothing of it is needed any more."""


class Cluster(Struct, frozen=True):
    """One name server and its brokers."""

    names: Server
    brokers: tuple[Server, ...]


class Lab:
    """Start servers and clients below one directory; :meth:`close` ends them all."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self._servers: list[Server] = []
        self._programs: list[Program] = []
        self._tools: dict[tuple[str, str], Program] = {}

    def name_server(self, make: str, **more: Any) -> Server:
        """
        Start a name server and wait for its port.

        :param more: lines of its configuration, the same for either make.
        """
        if make == OURS:
            server: Server = ours.name_server(self.scratch, **more)
        else:
            server = apache.name_server(make, self.scratch, **more)
        self._servers.append(server)
        return server

    def broker(
        self,
        make: str,
        names: Server,
        name: str = "",
        store: Path | None = None,
        **more: Any,
    ) -> Server:
        """
        Start a broker and wait until the name server knows it (or its port).

        :param more: further lines of its configuration, the same for either make.
        """
        name = name or f"broker-{make}"
        where = (self.scratch, names.address, name, store)
        if make == OURS:
            server: Server = ours.broker(*where, **more)
        else:
            server = apache.broker(make, *where, **more)
        self._servers.append(server)
        return server

    def cluster(self, make: str) -> Cluster:
        """Start a name server and one broker of the same make."""
        names = self.name_server(make)
        more = CHECKS if make == OURS else {**CHECKS, **QUIET}
        return Cluster(names, (self.broker(make, names, **more),))

    def stop(self, *servers: Server) -> None:
        """Stop some servers as an operator would."""
        for server in servers:
            server.stop()
            self._servers.remove(server)

    def kill(self, server: Server) -> None:
        """End a server with SIGKILL: it has no time to put anything in order."""
        server.process.kill()
        self._servers.remove(server)

    def sender(self, make: str, names: Server, **options: Any) -> Program:
        """Start a program that sends the corpus (options of ``SendMessages``)."""
        return self._program(make, "SendMessages", names, options)

    def consumer(self, make: str, names: Server, **options: Any) -> Program:
        """Start a push consumer (options of ``ConsumeMessages``)."""
        return self._program(make, "ConsumeMessages", names, options)

    def receiver(self, names: Server, **options: Any) -> Program:
        """Start our simple consumer (options of ``programs.receive``)."""
        return self._program(OURS, "ReceiveMessages", names, options)

    def puller(self, make: str, names: Server, **options: Any) -> Program:
        """Start a lite pull consumer (options of ``LitePullMessages``)."""
        return self._program(make, "LitePullMessages", names, options)

    def asker(self, make: str, names: Server, **options: Any) -> Program:
        """Start what replies, and sends requests (options of ``AskAndReply``)."""
        return self._program(make, "AskAndReply", names, options)

    def read(self, make: str, names: Server, **options: Any) -> Program:
        """Read a whole topic with the pull consumer (``PullMessages``)."""
        program = self._program(make, "PullMessages", names, options)
        program.finish()
        return program

    def _program(
        self, make: str, name: str, names: Server, options: dict[str, Any]
    ) -> Program:
        options = {"namesrv": names.address, **options}
        if make == OURS:
            program = ours.program(name, self.scratch, **options)
        else:
            start = foreign.program if make in foreign.TOOLS else apache.program
            program = start(make, name, self.scratch, **options)
        self._programs.append(program)
        return program

    def admin(self, names: Server, command: str, release: str = "v49") -> str:
        """
        Run a command of Apache's ``mqadmin``; return what it printed.

        :param release: 4.9 where it is only an instrument.
        """
        key = (names.address, release)
        if key not in self._tools:
            self._tools[key] = apache.admin(release, self.scratch, names.address)
            self._tools[key].wait_for("started")
        return apache.command(self._tools[key], command)

    def end_tools(self) -> None:
        """Kill the tools: some commands of ``mqadmin`` work only once in a process."""
        for tool in self._tools.values():
            tool.kill()
        self._tools.clear()

    def make_topic(self, names: Server, topic: str, queues: int = 8) -> None:
        """Create a topic on all brokers of the cluster, with Apache's own tool."""
        command = f"updateTopic -c DefaultCluster -t {topic} -r {queues} -w {queues}"
        printed = ""

        def made() -> bool:
            nonlocal printed
            printed = self.admin(names, command)
            return "success" in printed and "Exception" not in printed

        wait_until(made, 60, f"topic {topic}")

    def wait_for_route(self, names: Server, topic: str, server: Server) -> None:
        """Wait until the name server sends clients of a topic to this broker."""

        def known() -> bool:
            return server.address in self.admin(names, f"topicRoute -t {topic}")

        wait_until(known, 60, f"route of {topic} to {server.address}")

    def wait_for_brokers(self, names: Server, *brokers: Server) -> None:
        """Wait until the name server lists these brokers in their cluster."""

        def known() -> bool:
            printed = self.admin(names, "clusterList")
            return all(broker.address in printed for broker in brokers)

        wait_until(known, 60, f"brokers at {[each.address for each in brokers]}")

    def end_programs(self) -> None:
        """Kill the clients that still run."""
        for program in self._programs:
            program.kill()
        self._programs.clear()

    def close(self) -> None:
        """Kill the clients, end the servers."""
        self.end_programs()
        for tool in self._tools.values():
            tool.kill()
        for server in reversed(self._servers):
            server.abandon()
