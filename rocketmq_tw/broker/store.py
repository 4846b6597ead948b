"""Makes the store of a broker from its settings."""

from __future__ import annotations

import os
from typing import Any

from rocketmq_tw.broker.config import BrokerConfig, BrokerRole, FlushDiskType
from rocketmq_tw.broker.delay.levels import parse_levels
from rocketmq_tw.broker.threads import Threads
from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.store.config import RetentionConfig, StoreConfig
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.files.lock import StoreLock
from rocketmq_tw.store.memory.store import MemoryMessageStore
from rocketmq_tw.store.message_store import MessageStore

Store = MessageStore | MemoryMessageStore


def store_lock(config: BrokerConfig) -> StoreLock | None:
    """Return the lock of the broker's store, not acquired yet; None in memory."""
    if config.memory_store_size:
        return None
    return StoreLock(os.path.join(config.store_path_root_dir, "lock"))


def make_store(
    config: BrokerConfig,
    clock: Any,
    threads: Threads,
    port: int,
    *,
    lock: StoreLock | None = None,
    disk: Disk | None = None,
) -> Store:
    """
    Return the store; no file is touched before it is opened.

    :param port: the broker's port, which becomes part of every record.
    :param lock: the result of :func:`store_lock`, perhaps acquired already; the store
        releases it when it closes.
    :param disk: what its files are on; None is the real one.
    """
    store_config = StoreConfig(
        store_host=store_host(config, port),
        commit_log_file_size=config.mapped_file_size_commit_log,
        consume_queue_file_size=config.mapped_file_size_consume_queue,
        max_message_size=config.max_message_size,
        **_flushing(config),
        retention=retention(config),
        delay_levels_ms=parse_levels(config.message_delay_level),
        message_index_enable=config.message_index_enable,
        max_hash_slot_num=config.max_hash_slot_num,
        max_index_num=config.max_index_num,
        max_waiting_reads=config.max_waiting_reads,
        max_waiting_queries=config.max_waiting_queries,
        mapped_read_size=config.mapped_read_size,
        max_unflushed_messages=config.max_unflushed_messages,
        max_unflushed_size=config.max_unflushed_size,
        is_replica=config.broker_role is BrokerRole.SLAVE,
    )
    if config.memory_store_size:
        return MemoryMessageStore(store_config, config.memory_store_size)
    return MessageStore(
        config.store_path_root_dir,
        clock,
        store_config,
        run_in_thread=threads.flush,
        run_read_in_thread=threads.run_in_thread,
        lock=lock,
        disk=disk,
    )


def store_host(config: BrokerConfig, port: int) -> bytes:
    """Encode the address for records; a host name is not resolved."""
    host = config.broker_ip1
    parts = host.split(".")
    numeric = len(parts) == 4 and all(part.isdigit() for part in parts)
    return host_to_bytes(host if numeric or ":" in host else "127.0.0.1", port)


def _flushing(config: BrokerConfig) -> dict[str, Any]:
    """Return the store's settings of flushing, in seconds."""
    return {
        "sync_flush": config.flush_disk_type is FlushDiskType.SYNC_FLUSH,
        "sync_flush_timeout": config.sync_flush_timeout / 1000,
        "flush_commit_log_interval": config.flush_interval_commit_log / 1000,
        "flush_commit_log_least_pages": config.flush_commit_log_least_pages,
        "flush_commit_log_thorough_interval": (
            config.flush_commit_log_thorough_interval / 1000
        ),
        "flush_consume_queue_interval": config.flush_interval_consume_queue / 1000,
        "flush_consume_queue_thorough_interval": (
            config.flush_consume_queue_thorough_interval / 1000
        ),
    }


def retention(config: BrokerConfig) -> RetentionConfig:
    """Return the store's settings of retention, in seconds and percent."""
    hours = (piece.strip() for piece in config.delete_when.split(";"))
    return RetentionConfig(
        interval=config.clean_resource_interval / 1000,
        reserved_time=config.file_reserved_time * 3600.0,
        hours=tuple(int(hour) for hour in hours if hour),
        pause=config.delete_commit_log_files_interval / 1000,
        batch=config.delete_file_batch_max,
        clean_forcibly_enable=config.clean_file_forcibly_enable,
        max_used=config.disk_max_used_space_ratio,
        clean_forcibly=config.disk_space_clean_forcibly_ratio,
        warning=config.disk_space_warning_level_ratio,
    )
