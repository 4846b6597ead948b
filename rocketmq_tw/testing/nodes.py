"""
The servers of a cluster in memory, each on its own host.

A node makes its service like the real program, but with the host's reactor. It can be
stopped in order and started again, or killed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from twisted.internet.defer import maybeDeferred

from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.service import BrokerService
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.testing.network import MemoryNetwork
from rocketmq_tw.testing.reactor import MemoryReactor
from rocketmq_tw.testing.threads import ManualThreads
from rocketmq_tw.testing.timeline import Timeline
from rocketmq_tw.testing.traffic import Traffic

#: The ports on which brokers and name servers listen.
BROKER_PORT = 10911
NAME_SERVER_PORT = 9876

#: The settings of brokers in tests: small files.
SMALL = BrokerConfig(
    mapped_file_size_commit_log=8 << 20,
    mapped_file_size_consume_queue=6000,
    max_hash_slot_num=1000,
    max_index_num=4000,
    access=AccessSettings(remote_administration=True),
)


class Node:
    """
    One server. Its methods run the cluster's clock until they are done.

    :param name: its name, for messages.
    :param host: the address of its host.
    :ivar service: the running service; None while there is none.
    :ivar reactor: the reactor of its host; a new one after each start.
    :ivar threads: runs its blocking calls: at once, unless a test holds them
        (``threads.hold()``: the disk stalls) or lets them fail (``threads.fail_with``).
    :ivar traffic: records its requests, and can respond in its place.
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
        """The address for clients, as ``host:port``."""
        return f"{self.host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not stopped or killed since."""
        return self.service is not None

    def start(self) -> None:
        """
        Start, and wait until requests are accepted.

        :raises RocketMQError: it cannot start.
        """
        assert self.service is None, f"{self.name} runs already"
        self.reactor = self._network.reactor(self.host, self.threads)
        service = self._make_service(self.reactor)
        service.startService()
        self._timeline.result_of(service.started)
        self.service = service

    def stop(self) -> None:
        """Stop in order, and wait until it has stopped."""
        service, self.service = self.service, None
        if service is not None:
            self._timeline.result_of(maybeDeferred(service.stopService))

    def restart(self) -> None:
        """Stop in order and start again."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """
        End at once, like a process by ``kill -9``.

        None of its timers runs any more, and nothing is written or sent; its peers are
        notified that their connections are lost.
        """
        service, self.service = self.service, None
        if service is None or self.reactor is None:
            return
        self._keep_files()
        self.reactor.shut_down()
        # Only to close files: it reaches no peer, and writes to a copy that is not
        # used.
        maybeDeferred(service.stopService).addErrback(lambda _: None)

    def _make_service(self, reactor: MemoryReactor) -> Any:
        raise NotImplementedError

    def _keep_files(self) -> None:
        """Protect the files from what the dead service still does."""


class NameServerNode(Node):
    """
    A name server. Its keys and values are kept in ``kvConfig.json``.

    :param directory: the directory of that file.
    :ivar config: its settings; changeable ones take effect at once.
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
            listen_port=self.port,
            kv_config_path=path,
            **{"remote_administration": True, **settings},
        )

    def _make_service(self, reactor: MemoryReactor) -> NamesrvService:
        return NamesrvService(self.config, reactor)


class BrokerNode(Node):
    """
    A broker, with its messages in memory or in files.

    A broker in memory is empty after every start. One with files keeps its messages;
    after a :meth:`kill` it continues with a copy of the files made at that moment.

    :param memory: bytes of messages kept in memory; 0 keeps them in files.
    :ivar directory: the directory of its files; for one in memory, only of its tables.
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
        own: dict[str, Any] = {
            "broker_name": name,
            "broker_ip1": host,
            "broker_ip2": host,
            "listen_port": self.port,
            "memory_store_size": memory,
        }
        self.config = msgspec.structs.replace(SMALL, **{**own, **settings})

    @property
    def in_memory(self) -> bool:
        """Whether its messages are lost when it stops."""
        return self.config.memory_store_size > 0

    def start(self) -> None:
        """Start; a broker in memory starts empty."""
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
