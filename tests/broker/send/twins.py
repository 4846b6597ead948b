"""
Two brokers that get the same bytes, one with the lane of plain sends and one without.

Their clocks show the same time, and chance falls alike. After each step both must have
written the same bytes to their clients; in the end they must have the same log, the
same queues and the same counters. Only the unique keys that brokers make differ.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Mapping
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.broker.features import FEATURES
from rocketmq_tw.broker.service import BrokerService
from rocketmq_tw.broker.timer.sends import TIMED_TOPIC
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.testing import ManualThreads, MemoryNetwork
from rocketmq_tw.testing.timeline import Timeline
from tests.broker.cases import SMALL
from tests.remoting.ends import Wire
from tests.store.cases import NOW

_MADE_KEY = re.compile(
    rb"(UNIQ_KEY\x01|__transactionId__\x01|transactionId(?:\":\"|\x00\x00\x00 ))"
    rb"0A000001[0-9A-F]{24}"
)

#: Topics whose sends are counted by queue.
_WATCHED = (b"A", b"B", b"C", TRANS_HALF_TOPIC.encode(), TIMED_TOPIC)


class Connection:
    """A connection to one of the brokers."""

    def __init__(self, broker: OneBroker) -> None:
        self._protocol = RemotingProtocol(broker.router, broker.clock)
        self._wire = Wire("10.0.0.9", 4000)
        self._protocol.makeConnection(self._wire)

    def receive(self, data: bytes) -> None:
        """Let bytes come from the client."""
        self._protocol.dataReceived(data)

    def written(self) -> list[object]:
        """Take what was written to the client; give also whether it is closed."""
        data = self._wire.value()
        self._wire.clear()
        return [_MADE_KEY.sub(rb"\1key", data), self._wire.disconnecting]

    def lose(self) -> None:
        """Close it."""
        self._protocol.connectionLost(Failure(ConnectionError()))


class OneBroker:
    """
    A broker on a clock of its own.

    :param settings: over those of :data:`SMALL`.
    :ivar connections: those that stay open.
    """

    def __init__(
        self,
        root: str,
        *,
        has_lane: bool,
        connections: int,
        flush: FlushDiskType,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.service = BrokerService(
            MemoryNetwork(self.clock).reactor("10.0.0.1"),
            msgspec.structs.replace(
                SMALL,
                store_path_root_dir=root,
                flush_disk_type=flush,
                **settings or {},
            ),
            name_servers=(),
            run_in_thread=ManualThreads(held=False),
            features=[*FEATURES, self._install],
        )
        self.service.startService()
        assert self.service.started is not None
        Timeline(self.clock).result_of(self.service.started)
        if not has_lane:
            self.router.guard(lambda _request, _call: None)
        assert (self.router.lane is not None) is has_lane
        self.connections = [Connection(self) for _ in range(connections)]

    def _install(self, broker: Broker, router: Router) -> None:
        self.broker, self.router = broker, router
        watched = broker.stats.watched
        watched.update({(topic, n): [0, 0] for topic in _WATCHED for n in range(4)})

    def receive_alone(self, data: bytes) -> list[object]:
        """Let bytes come over a new connection; give what was written to it."""
        connection = Connection(self)
        connection.receive(data)
        self.clock.advance(0)
        written = connection.written()
        connection.lose()
        return written

    def stored(self) -> dict[str, object]:
        """Give the log, the queues and the counters."""
        store: Any = self.broker.store
        log, at = b"", 0
        while at < store.commit_log_max:
            log += store._log.read(at, 1 << 20)
            at = len(log)
        queues = {
            key: [
                queue.next,
                queue.log_end,
                [queue.entry(offset) for offset in range(queue.next)],
            ]
            for key, queue in store._queues.table.items()
        }
        stats = self.broker.stats
        return {
            "log": _MADE_KEY.sub(rb"\1key", log),
            "queues": queues,
            "counts": stats.counts,
            "times": stats.put_times.text(),
            "watched": stats.watched,
        }

    def stop(self) -> None:
        """Close everything."""
        for connection in self.connections:
            connection.lose()
        Timeline(self.clock).result_of(self.service.stopService())


class Twins:
    """
    Both brokers.

    :param connections: how many stay open.
    :param flush: when both respond.
    :param settings: of both.
    """

    def __init__(
        self,
        connections: int = 0,
        flush: FlushDiskType = FlushDiskType.ASYNC_FLUSH,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self._folder = TemporaryDirectory(prefix="rocketmq-", dir=base)
        self.both = [
            OneBroker(
                os.path.join(self._folder.name, str(has_lane)),
                has_lane=has_lane,
                connections=connections,
                flush=flush,
                settings=settings,
            )
            for has_lane in (True, False)
        ]
        self._steps = 0

    def do(self, step: Callable[[OneBroker], object]) -> None:
        """
        Do a step to both.

        :raises AssertionError: its results differ, or what was written to clients.
        """
        self._steps += 1
        seen: list[object] = []
        for one in self.both:
            random.seed(self._steps)
            result = step(one)
            seen.append([result, [each.written() for each in one.connections]])
        assert seen[0] == seen[1], seen

    def receive(self, connection: int, data: bytes) -> None:
        """Let bytes come over one of the connections."""
        self.do(lambda one: one.connections[connection].receive(data))

    def receive_alone(self, data: bytes) -> None:
        """Let bytes come over a new connection."""
        self.do(lambda one: one.receive_alone(data))

    def stop(self) -> None:
        """Compare what is stored, and stop both."""
        try:
            self.do(lambda one: one.clock.advance(5))
            with_lane, without = (one.stored() for one in self.both)
            for name, value in with_lane.items():
                assert value == without[name], name
        finally:
            for one in self.both:
                one.stop()
            self._folder.cleanup()
