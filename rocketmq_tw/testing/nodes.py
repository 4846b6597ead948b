"""
The servers of a cluster in memory, each on a host of its own.

A node makes its service as the program does, with the host's reactor in place of the
global one. It can be stopped in good order and started again, or killed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from twisted.internet.defer import maybeDeferred

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.service import BrokerService
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.testing.network import MemoryNetwork
from rocketmq_tw.testing.reactor import MemoryReactor
from rocketmq_tw.testing.threads import ManualThreads
from rocketmq_tw.testing.timeline import Timeline
from rocketmq_tw.testing.traffic import Traffic

#: Where brokers and name servers listen on their hosts.
BROKER_PORT = 10911
NAME_SERVER_PORT = 9876

#: What brokers in tests have in place of the defaults: small files.
SMALL = BrokerConfig(
    mapped_file_size_commit_log=8 << 20,
    mapped_file_size_consume_queue=6000,
    max_hash_slot_num=1000,
    max_index_num=4000,
)


class Node:
    """
    One server. It drives the cluster's clock until what it was asked for is done.

    :param name: for people.
    :param host: the address of its host.
    :ivar service: the running service; None while there is none.
    :ivar reactor: its host's; a new one after each start.
    :ivar threads: what it hands to threads: runs at once unless a test holds it
        (``threads.hold()``: the disk stalls) or lets it fail (``threads.fail_with``).
    :ivar traffic: what it is asked, and responses in its place.
    """

    port = 0

    def __init__(
        self, name: str, host: str, network: MemoryNetwork, timeline: Timeline
    ) -> None:
        self.name = name
        self.host = host
        self.threads = ManualThreads(held=False)
        self.traffic = Traffic()
        self.reactor: MemoryReactor | None = None
        self.service: Any = None
        self._network = network
        self._timeline = timeline
        network.watch(host, self.traffic)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.address}>"

    @property
    def address(self) -> str:
        """Where clients reach it, as ``host:port``."""
        return f"{self.host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it was started, and neither stopped nor killed since."""
        return self.service is not None

    def start(self) -> None:
        """
        Start, and wait until requests are accepted.

        :raises RocketMQError: why it cannot start.
        """
        assert self.service is None, f"{self.name} runs already"
        self.reactor = self._network.reactor(self.host, self.threads)
        service = self._make_service(self.reactor)
        service.startService()
        self._timeline.result_of(service.started)
        self.service = service

    def stop(self) -> None:
        """Stop in good order, and wait for the end."""
        service, self.service = self.service, None
        if service is not None:
            self._timeline.result_of(maybeDeferred(service.stopService))

    def restart(self) -> None:
        """Stop in good order and start again."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """
        End at once, as a process by ``kill -9``.

        No timer of it runs any more and nothing is written or sent; who is connected
        learns that the connection is lost.
        """
        service, self.service = self.service, None
        if service is None or self.reactor is None:
            return
        self._keep_files()
        self.reactor.shut_down()
        # Only to close files: it reaches nobody, and writes where nobody reads.
        maybeDeferred(service.stopService).addErrback(lambda _: None)

    def _make_service(self, reactor: MemoryReactor) -> Any:
        raise NotImplementedError

    def _keep_files(self) -> None:
        """Save the files from what the dead service still does to them."""


class NameServerNode(Node):
    """
    A name server. Its keys and values survive in ``kvConfig.json``, if it writes one.

    :param directory: where that file is.
    :ivar config: its settings; those that may change while it runs take effect at once.
    """

    port = NAME_SERVER_PORT

    def __init__(
        self,
        name: str,
        host: str,
        network: MemoryNetwork,
        timeline: Timeline,
        directory: str,
        settings: Mapping[str, Any],
    ) -> None:
        super().__init__(name, host, network, timeline)
        path = os.path.join(directory, "kvConfig.json")
        self.config = NamesrvConfig(
            listen_port=self.port, kv_config_path=path, **settings
        )

    def _make_service(self, reactor: MemoryReactor) -> NamesrvService:
        return NamesrvService(self.config, reactor)


class BrokerNode(Node):
    """
    A broker, with its messages in memory or in files.

    One in memory is empty after every start. One with files finds them again; after a
    :meth:`kill` it goes on with a copy of them, made at that moment.

    :param memory: bytes of messages kept in memory; 0 keeps them in files.
    :ivar directory: where its files are now; one in memory has only its tables there.
    :ivar config: its settings.
    """

    port = BROKER_PORT

    def __init__(
        self,
        name: str,
        host: str,
        network: MemoryNetwork,
        timeline: Timeline,
        directory: str,
        name_servers: Sequence[str],
        memory: int,
        settings: Mapping[str, Any],
    ) -> None:
        super().__init__(name, host, network, timeline)
        self._name_servers = list(name_servers)
        self._base = directory
        self._number = 0
        self.directory = directory
        self.config = msgspec.structs.replace(
            SMALL,
            broker_name=name,
            broker_ip1=host,
            broker_ip2=host,
            listen_port=self.port,
            memory_store_size=memory,
            **settings,
        )

    @property
    def in_memory(self) -> bool:
        """Whether its messages are gone when it stops."""
        return self.config.memory_store_size > 0

    def start(self) -> None:
        """Start; an earlier run of a broker in memory left nothing."""
        if self.in_memory:
            self.directory = self._next_directory()
        super().start()

    def _make_service(self, reactor: MemoryReactor) -> BrokerService:
        config = msgspec.structs.replace(
            self.config, store_path_root_dir=self.directory
        )
        return BrokerService(reactor, config, self._name_servers, self.threads)

    def _next_directory(self) -> str:
        self._number += 1
        return f"{self._base}.{self._number}"

    def _keep_files(self) -> None:
        if not self.in_memory:
            copy = self._next_directory()
            shutil.copytree(self.directory, copy)
            self.directory = copy
