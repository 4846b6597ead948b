"""
The store: its disk, what is not on it yet, and how old the oldest message is.

Source: ``DefaultStoreMetricsManager`` of RocketMQ 5. As there, the size is what is used
of the disk, by whomever.
"""

from __future__ import annotations

import shutil
from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.clock import wall_time
from rocketmq_tw.metrics.family import Family
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.pacing import Steps

LABELS = ("storage_type", "storage_medium")
_DISK, _MEMORY = ("local", "disk"), ("local", "memory")


class StorageMetrics:
    """Collects the state of the store."""

    def __init__(self, target: Target, broker: Broker) -> None:
        self._store: Any = broker.store
        self._root = broker.config.store_path_root_dir
        self._now = wall_time(broker.clock)
        self._is_reading = False
        # A slave's store never takes messages of producers, which is no fault of it.
        self._is_slave = broker.config.is_slave
        self._values = _MEMORY if broker.config.memory_store_size else _DISK
        self._size, self._flush, self._dispatch, self._age = (
            target.gauge(f"rocketmq_storage_{name}", text, *LABELS)
            for name, text in (
                ("size_bytes", "Bytes that are used of the disk"),
                ("flush_behind_bytes", "Bytes of the log that may not be on disk"),
                ("dispatch_behind_bytes", "Bytes of the log without queue entries"),
                (
                    "message_reserve_time_milliseconds",
                    "Age of the oldest message",
                ),
            )
        )
        self._capacity, self._writeable, self._log_min, self._log_max = (
            target.gauge(f"rocketmq_storage_{name}", text)
            for name, text in (
                ("capacity_bytes", "Bytes of the whole disk"),
                (
                    "writeable",
                    "1 if the store accepts messages, otherwise 0; not of slaves",
                ),
                ("log_min_offset_bytes", "The first offset of the commit log"),
                ("log_max_offset_bytes", "The offset that the next record gets"),
            )
        )

    def collect(self) -> Steps[None]:
        """Set all of them."""
        store, values = self._store, self._values
        end = store.commit_log_max
        self._flush.set(values, max(0, end - getattr(store, "flushed", end)))
        self._dispatch.set(values, 0)
        if not self._is_slave:
            self._writeable.set((), int(store.failure is None))
        self._log_min.set((), store.commit_log_min)
        self._log_max.set((), end)
        if values is _DISK:
            usage = shutil.disk_usage(self._root)
            self._size.set(values, usage.used)
            self._capacity.set((), usage.total)
        else:
            self._size.set(values, end - store.commit_log_min)
        yield None
        self._look_for_oldest()

    def _look_for_oldest(self) -> None:
        """Set the age of the oldest message; later, if it has to be read."""
        if self._is_reading:
            return
        try:
            found = self._store.earliest_store_time()
        except RocketMQError:
            return
        if not isinstance(found, Deferred):
            self._set_age(found)
            return
        self._is_reading = True

        def done(result: object) -> None:
            self._is_reading = False
            if isinstance(result, int):
                self._set_age(result)

        found.addBoth(done)

    def _set_age(self, time_ms: int) -> None:
        """Set the age of a message; without messages there is none."""
        family: Family = self._age
        if time_ms < 0:
            family.remove(self._values)
        else:
            family.set(self._values, max(0, int(self._now() * 1000) - time_ms))
