"""Settings of a store, with the defaults of Apache RocketMQ."""

import msgspec

#: The delay of each level, in milliseconds; level 1 comes first.
DELAY_LEVELS_MS = (
    1_000,
    5_000,
    10_000,
    30_000,
    *(minutes * 60_000 for minutes in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30)),
    3_600_000,
    7_200_000,
)


class RetentionConfig(msgspec.Struct, frozen=True):
    """
    How long files are kept and how full the disk may be: seconds, local hours, percent.
    """

    interval: float = 10.0
    reserved_time: float = 72 * 3600.0
    hours: tuple[int, ...] = (4,)
    pause: float = 0.1
    batch: int = 10
    clean_forcibly_enable: bool = True
    max_used: int = 75
    clean_forcibly: int = 85
    warning: int = 90

    def bounded(self) -> "RetentionConfig":
        """Return a copy whose percentages lie within the bounds of Apache RocketMQ."""
        return msgspec.structs.replace(
            self,
            max_used=min(max(self.max_used, 10), 95),
            clean_forcibly=min(max(self.clean_forcibly, 30), 85),
            warning=min(max(self.warning, 35), 90),
        )


class StoreConfig(msgspec.Struct, frozen=True):
    """
    Settings of a store. Sizes are in bytes, intervals in seconds.

    Both file sizes must be those that the directory was written with.
    ``store_host`` is the broker's address and port, encoded in 8 or 20 bytes.

    Source: ``MessageStoreConfig`` of RocketMQ 5.
    """

    store_host: bytes = b"\x7f\0\0\1\0\0\x2a\x9f"
    commit_log_file_size: int = 1 << 30
    consume_queue_file_size: int = 300_000 * 20
    max_message_size: int = 4 << 20
    #: Acknowledge a message, and let it be read, only after the fsync.
    sync_flush: bool = False
    sync_flush_timeout: float = 5.0
    flush_commit_log_interval: float = 0.5
    #: Flush once this many pages of 4 KiB are new, or after the thorough interval.
    flush_commit_log_least_pages: int = 4
    flush_commit_log_thorough_interval: float = 10.0
    flush_consume_queue_interval: float = 1.0
    flush_consume_queue_thorough_interval: float = 60.0
    retention: RetentionConfig = RetentionConfig()
    check_crc_on_recover: bool = True
    delay_levels_ms: tuple[int, ...] = DELAY_LEVELS_MS
    #: How many bytes of the commit log are mapped for writing at a time.
    window_size: int = 8 << 20
    #: Messages within this distance of the end of the log count as being in memory.
    memory_size: int | None = None
    max_bytes_in_memory: int = 256 << 10
    max_messages_in_memory: int = 32
    max_bytes_on_disk: int = 64 << 10
    max_messages_on_disk: int = 8
    #: How many bytes of a consume queue one fetch examines.
    max_filter_size: int = 16_000
    #: Whether messages can be queried by key, and the size of an index file.
    message_index_enable: bool = True
    max_hash_slot_num: int = 5_000_000
    max_index_num: int = 20_000_000
    #: How many reads may wait for a thread, and queries by key for the one before.
    max_waiting_reads: int = 4096
    max_waiting_queries: int = 256
    #: How many bytes of the commit log are mapped for reading; 0 for none.
    mapped_read_size: int = 512 << 20
    #: How many messages may wait for an fsync, and how many bytes of the log, with
    #: ``sync_flush``.
    max_unflushed_messages: int = 100_000
    max_unflushed_size: int = 256 << 20
    #: Store only what the master of this slave sends.
    is_replica: bool = False

    @property
    def consume_queue_file_bytes(self) -> int:
        """Return the size of a consume queue file: whole entries, rounded up."""
        return -(-self.consume_queue_file_size // 20) * 20
