"""Two name servers, a master and a slave, with the proxy between them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.bodies.replication import HAConnectionInfo, HARuntimeInfo
from rocketmq_tw.wire.bodies.route import decode_route
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.replication import GetHaStatus
from rocketmq_tw.wire.requests.route import GetRoute
from tests.bench.servers import is_open
from tests.longrun.broker import Link
from tests.longrun.hostile.servers import Program
from tests.longrun.pairs import FILE, QUEUES
from tests.longrun.partition.network import Network
from tests.ports import free_port

#: Where the servers listen, and where the proxy listens for who looks for the master.
HOST, PROXY = "127.0.0.1", "127.0.0.2"
NAME = "parted"
#: Both name servers, as seen from one broker.
MASTER_NAMES = ("master-names-0", "master-names-1")
SLAVE_NAMES = ("slave-names-0", "slave-names-1")
#: All that is between master and slave.
REPLICATION = ("requests", "log")
#: Milliseconds; the least and the most of what the original has by default.
SHORT: dict[str, int] = {
    "haSendHeartbeatInterval": 500,
    "haHousekeepingInterval": 2000,
    "registerNameServerPeriod": 1000,
    "registerBrokerTimeoutMills": 1000,
}
DEFAULTS: dict[str, int] = {
    "haSendHeartbeatInterval": 5000,
    "haHousekeepingInterval": 20_000,
    "registerNameServerPeriod": 30_000,
    "registerBrokerTimeoutMills": 24_000,
}


class Cluster:
    """
    The programs.

    :param times: settings of both brokers that say when something is noticed, in ms.
    :param settings: of the master.
    """

    def __init__(self, folder: Path, times: dict[str, int], **settings: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.times = times
        self.names = [free_port(), free_port()]
        self.master, self.slave = free_port(), free_port()
        self.network = Network(folder)
        self._open_links()
        self._names = [self._name_server(number) for number in range(2)]
        self._master = self._broker("master", self.master, MASTER_NAMES, settings)
        role = {"brokerRole": "SLAVE", "brokerId": 1}
        self._slave = self._broker("slave", self.slave, SLAVE_NAMES, role)

    @property
    def folders(self) -> tuple[Path, Path]:
        """The stores of master and slave."""
        return self._folder / "data-master", self._folder / "data-slave"

    @property
    def housekeeping(self) -> float:
        """Seconds after which a connection for the log is closed if nothing comes."""
        return self.times["haHousekeepingInterval"] / 1000

    @property
    def lost_registration(self) -> float:
        """Seconds after which a broker knows that a name server does not respond."""
        times = self.times
        period = times["registerNameServerPeriod"]
        return (period + times["registerBrokerTimeoutMills"]) / 1000

    def start(self) -> None:
        """Start all, and wait until they have found each other."""
        self.start_names()
        self._master.start()
        self._slave.start()
        for port in (self.master, self.slave):
            self.wait(f"port {port}", 60, lambda port=port: is_open(port))
        for number in range(2):
            self.wait("a route", 60, lambda at=number: self.has_route(at, NAME))
        self.wait("the slave follows", 60, lambda: self.is_in_sync)

    def start_names(self) -> None:
        """Start the name servers, and wait until they listen."""
        for program in self._names:
            program.start()
        for port in self.names:
            self.wait(f"name server {port}", 60, lambda port=port: is_open(port))

    def kill_names(self) -> None:
        """Kill the name servers."""
        for program in self._names:
            program.end(signal.SIGKILL)

    def restart_master(self) -> None:
        """Kill the master and start it; return once it listens."""
        self._master.end(signal.SIGKILL)
        self._master.start()
        self.wait("the master listens", 60, lambda: is_open(self.master))

    def end(self) -> None:
        """End all that runs."""
        for program in (self._slave, self._master, *self._names):
            program.end(signal.SIGTERM)
        self.network.end()

    def wait(self, what: str, patience: float, until: Callable[[], bool]) -> float:
        """
        Wait for a condition; return the seconds that took.

        :raises AssertionError: it is not met in time.
        """
        begin = time.monotonic()
        while not until():
            waited = time.monotonic() - begin
            assert waited < patience, f"not after {waited:.1f} s: {what}"
            time.sleep(0.02)
        return time.monotonic() - begin

    @property
    def slaves(self) -> list[HAConnectionInfo]:
        """The slaves that the master knows."""
        body = self._ask(self.master, GetHaStatus())
        return list(HARuntimeInfo.decode(body).ha_connection_info)

    @property
    def is_in_sync(self) -> bool:
        """Whether one slave is connected, follows, and lacks nothing."""
        slaves = self.slaves
        return len(slaves) == 1 and slaves[0].diff == 0 and self.is_following

    @property
    def is_following(self) -> bool:
        """Whether the slave says that it copies its master."""
        info = KVTable.decode(self._ask(self.slave, GetRuntimeInfo()))
        return info.table["followsMaster"] == "1"

    def has_route(self, name_server: int, topic: str, broker_id: int = 0) -> bool:
        """Return whether a name server knows the topic at the master, or the slave."""
        link = Link(self.names[name_server])
        try:
            response = link.ask(GetRoute(topic, accept_standard_json_only=True))
        finally:
            link.close()
        if response.code != 0:
            return False
        route = decode_route(response.body)
        return any(broker_id in each.broker_addrs for each in route.broker_datas)

    def last_lines(self, count: int = 20) -> str:
        """Return the end of each log."""
        found = []
        for program in (self._master, self._slave, *self._names):
            lines = program.log.read_text(errors="replace").splitlines()
            found += [f"-- {program.log.stem}", *lines[-count:]]
        return "\n".join(found)

    def _ask(self, port: int, request: Any) -> bytes:
        """Ask a broker directly; return the body of the response."""
        link = Link(port)
        try:
            response = link.ask(request)
        finally:
            link.close()
        assert response.code == 0, response
        return bytes(response.body)

    def _open_links(self) -> None:
        """Make the proxy listen."""
        network, master = self.network, self.master
        network.open("requests", f"{PROXY}:{master}", f"{HOST}:{master}")
        network.open("log", f"{PROXY}:{master + 1}", f"{HOST}:{master + 1}")
        self._proxies: dict[str, int] = {}
        for name in (*MASTER_NAMES, *SLAVE_NAMES):
            port = self._proxies[name] = free_port()
            target = self.names[int(name[-1])]
            network.open(name, f"{HOST}:{port}", f"{HOST}:{target}")

    def _name_server(self, number: int) -> Program:
        """Make the program of a name server."""
        listen = f"{HOST}:{self.names[number]}"
        data = str(self._folder / f"names-{number}")
        arguments = ("rocketmq-namesrv", "-p", listen, "--data", data)
        return Program(self._folder, f"names-{number}", *arguments)

    def _broker(
        self,
        name: str,
        port: int,
        names: tuple[str, str],
        settings: dict[str, object],
    ) -> Program:
        """Make the program of a broker."""
        lines = {
            "brokerName": NAME,
            "brokerIP1": PROXY if name == "master" else HOST,
            "brokerIP2": PROXY if name == "master" else HOST,
            "mappedFileSizeCommitLog": FILE,
            "defaultTopicQueueNums": QUEUES,
            "slaveReadEnable": "true",
            "namesrvAddr": ";".join(f"{HOST}:{self._proxies[each]}" for each in names),
            **self.times,
            **settings,
        }
        path = self._folder / f"{name}.conf"
        path.write_text("\n".join(f"{key}={value}" for key, value in lines.items()))
        data = str(self._folder / f"data-{name}")
        words = ("rocketmq-broker", "-c", str(path), "-d", data, "-p", f"{HOST}:{port}")
        return Program(self._folder, name, *words)
