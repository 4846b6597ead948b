"""A master and its slave, of either make, found by a name server of ours."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from tests.bench.apache import flags
from tests.interop.lab import OURS, Lab, Server
from tests.longrun.broker import Link

#: Seconds between two looks at how far a slave is behind.
LOOK = 0.1
#: Seconds for a slave to find its master, and to become level with it.
PATIENCE = 120.0


def log_end(link: Link) -> int:
    """Return the commit log offset at which a broker's log ends; 0 while it starts."""
    response = link.ask(GetRuntimeInfo())
    if response.code:
        return 0
    info = KVTable.decode(response.body)
    return int(info.table["commitLogMaxOffset"])


def port_of(server: Server) -> int:
    """Return the port on which a server listens."""
    return int(server.address.rpartition(":")[2])


def start(lab: Lab, names: Server, make: str, name: str, **conf: object) -> Server:
    """
    Start a broker with a new store; Apache's as it is run for good.

    :param make: ours, or one of ``tests.interop.apache.RELEASES``.
    """
    store = lab.scratch / f"{make}-{name}-{conf.get('brokerId', 0)}"
    if make != OURS:
        # Up to four brokers run side by side.
        conf["jvm"] = flags(brokers=4)
    return lab.broker(make, names, f"{make}-{name}", store, **conf)


class Pair:
    """
    A master, and a slave that may come later.

    :ivar port: the master's.
    """

    def __init__(
        self, lab: Lab, names: Server, make: str, name: str, **conf: object
    ) -> None:
        self._lab, self._names, self._make, self._name = lab, names, make, name
        self._conf = conf
        self._slave: Server | None = None
        self._to_slave: Link | None = None
        self._master = start(lab, names, make, name, **conf)
        self.port = port_of(self._master)
        self._to_master = Link(self.port)

    def add_slave(self) -> None:
        """Start the slave, with a store in which there is nothing."""
        conf = {**self._conf, "brokerRole": "SLAVE", "brokerId": 1}
        self._slave = start(self._lab, self._names, self._make, self._name, **conf)
        self._to_slave = Link(port_of(self._slave))

    def drop_slave(self) -> None:
        """Kill the slave, and delete its store."""
        assert self._slave is not None
        self._lab.kill(self._slave)
        self._slave = self._to_slave = None
        name = f"{self._make}-{self._name}-1"
        shutil.rmtree(self._lab.scratch / name, ignore_errors=True)

    def master_end(self) -> int:
        """Return the end of the master's log."""
        return log_end(self._to_master)

    def slave_end(self) -> int:
        """Return the end of the slave's log."""
        assert self._to_slave is not None
        return log_end(self._to_slave)

    def behind(self) -> int:
        """Return how many bytes of the master's log the slave lacks."""
        end = self.slave_end()
        return max(0, self.master_end() - end)

    def wait_until_level(self) -> float:
        """Wait until the slave has what the master has; return the seconds."""
        begin = time.monotonic()
        end = self.master_end()
        while self.slave_end() < end:
            assert time.monotonic() < begin + PATIENCE, f"{self._make}: {self.behind()}"
            time.sleep(0.01)
        return time.monotonic() - begin

    @contextmanager
    def watching(self) -> Iterator[list[int]]:
        """Note again and again how many bytes the slave is behind."""
        seen: list[int] = []
        over = threading.Event()

        def watch() -> None:
            while not over.wait(LOOK):
                seen.append(self.behind())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()


@contextmanager
def laboratory(scratch: Path) -> Iterator[tuple[Lab, Server]]:
    """Start a name server; all servers are ended afterwards."""
    lab = Lab(scratch)
    try:
        yield lab, lab.name_server(OURS)
    finally:
        lab.close()
