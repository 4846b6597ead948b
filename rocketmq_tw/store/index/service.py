"""
The index of a store: messages by key.

::

    keys        which keys a record has      file    one hash table on disk
    builder     follows the commit log       files   all of them, by age
    log_reader  reads it for the builder     hash    the hash of a key
    search      from a key to records

Layout of a file: :mod:`rocketmq_tw.store.index.file`.

Source: ``IndexService`` of RocketMQ 5.
"""

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import (
    Deferred,
    DeferredLock,
    TimeoutError,
    fail,
    succeed,
)
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.durability.checkpoint import StoreCheckpoint
from rocketmq_tw.store.errors import TooManyQueries
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.index.builder import (
    MAX_LAG,
    MAX_LAG_OF_COPY,
    IndexBuilder,
)
from rocketmq_tw.store.index.files import IndexFiles
from rocketmq_tw.store.index.hash import KeyHash
from rocketmq_tw.store.index.keys import keys_of, split, tails, without_tag
from rocketmq_tw.store.index.search import Search, Wanted
from rocketmq_tw.store.interfaces import KeyQuery, Queried
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.dispatch import Dispatcher
from rocketmq_tw.threads import RunInThread

_T = TypeVar("_T")
#: Seconds that a query, or closing the store, waits for indexing to catch up.
_QUERY_WAIT = 3.0
_CLOSE_WAIT = 10.0
#: Bytes of log between two index files that are checked for messages with keys.
_GAP_BYTES = 1 << 20


class MessageIndex:
    """
    Finds the messages of one store by their keys.

    ``waiting`` counts the queries that have no result yet, ``refused`` those that
    could not wait.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        directory: str,
        log: CommitLog,
        dispatcher: Dispatcher,
        readable_end: Callable[[], int],
        checkpoint: StoreCheckpoint,
        config: StoreConfig,
        clock: IReactorTime,
        run_in_thread: RunInThread,
        disk: Disk,
    ) -> None:
        """
        Index ``log`` in ``directory``; no file is touched before :meth:`load`.

        :param readable_end: returns the offset up to which messages may be read.
        """
        files = IndexFiles(
            directory, config.max_hash_slot_num, config.max_index_num, disk
        )
        self._is_enabled = config.message_index_enable
        self._files = files
        self._disk = disk
        self._commit_log = log
        self._checkpoint = checkpoint
        self._clock = clock
        self._run_in_thread = run_in_thread
        self._hash = KeyHash()
        self._one_at_a_time = DeferredLock()
        self._builder = IndexBuilder(
            log=log,
            dispatcher=dispatcher,
            readable_end=readable_end,
            files=files,
            clock=clock,
            run_in_thread=run_in_thread,
            on_flushed=self._flushed,
            max_lag=MAX_LAG_OF_COPY if config.is_replica else MAX_LAG,
        )
        self._is_open = False
        self._position = 0
        self._max_waiting = config.max_waiting_queries
        self.waiting = 0
        self.refused = 0

    def load(self, was_aborted: bool) -> None:
        """
        Load the files; the commit log must be recovered by then.

        Files that may be damaged are removed, and rebuilt later.

        :raises OSError: the directory cannot be read or written.
        """
        if not self._is_enabled:
            return
        trusted = self._checkpoint.index_time_ms if was_aborted else None
        self._files.load(trusted)
        for path in self._files.trim(self._commit_log.min_offset):
            self._disk.remove(path)
        self._position = self._discard_unverified()

    def start(self) -> None:
        """Start indexing, if it is enabled."""
        if not self._is_enabled:
            return
        if self._commit_log.end - self._position > _GAP_BYTES:
            self._log.info(
                "indexing the commit log from {position} to {end}, in the background",
                position=self._position,
                end=self._commit_log.end,
            )
        self._builder.start(self._position)
        self._is_open = True

    def close(self) -> "Deferred[None]":
        """
        Index the remaining messages, for 10 s at most, and flush the newest file.

        Messages not indexed by then are indexed after the next start. Fails with
        OSError when the disk does; the caller then must not report a clean close.
        """
        if not self._is_open:
            return succeed(None)
        self._is_open = False
        done = self._builder.caught_up().addTimeout(_CLOSE_WAIT, self._clock)
        done.addErrback(self._not_complete)
        done.addCallback(lambda _: self._builder.flush())
        return done.addBoth(self._closed)

    def query(self, query: KeyQuery) -> "Deferred[Queried]":
        """
        Find messages by key: see :meth:`IMessageStore.query`.

        Fails with TooManyQueries, or with OSError when a file cannot be read. One query
        runs at a time.
        """
        if self.waiting > self._max_waiting:
            self.refused += 1
            return fail(TooManyQueries(self._max_waiting))
        self.waiting += 1
        return Deferred.fromCoroutine(self._query(query)).addBoth(self._queried)

    def _queried(self, result: _T) -> _T:
        """Count a query no more."""
        self.waiting -= 1
        return result

    def trim(self, log_min: int) -> list[str]:
        """
        Detach the files that hold only messages below the commit log's minimum.

        :returns: their paths, to be removed.
        """
        return self._files.trim(log_min)

    async def _query(self, query: KeyQuery) -> Queried:
        """Wait for the index to catch up, then search in a thread."""
        if not self._is_enabled:
            return Queried([], gap="messageIndexEnable is false")
        target = self._builder.position + self._builder.lag
        caught_up = self._builder.caught_up().addTimeout(_QUERY_WAIT, self._clock)
        try:
            await caught_up
        except (TimeoutError, OSError):
            pass  # the result says how many bytes are not indexed
        topic, key = query.topic.encode(), query.key.encode()
        wanted = Wanted(
            topic=topic,
            key=key,
            hash_code=self._hash(topic + b"#" + key),
            max_count=query.max_count,
            begin_ms=query.begin_ms,
            end_ms=query.end_ms,
            is_unique=query.is_unique,
            matches=query.matches,
            before=query.before,
        )
        search = Search(self._commit_log, self._files.files)
        if query.max_count > 0:
            run = self._one_at_a_time.run
            await run(self._run_in_thread, lambda: search.run(wanted))
        gap = search.gap
        if gap is None and self._builder.lag and len(search.records) < query.max_count:
            gap = f"{self._builder.lag} bytes of messages are not indexed yet"
        newest = self._files.files[-1] if self._files.files else None
        return Queried(
            [record for _, record in sorted(search.records.items())],
            0 if newest is None else newest.end_time_ms,
            0 if newest is None else newest.end_offset,
            gap,
            self._builder.position < target,
            search.stopped_at,
        )

    def _discard_unverified(self) -> int:
        """
        Remove files that disagree with the log or leave a gap before them.

        :returns: the commit log offset at which indexing continues.
        """
        log, files = self._commit_log, self._files
        begin = log.min_offset
        for at, file in enumerate(files.files):
            if file.count == 1 and file is files.files[-1]:
                continue
            if self._has_keys(begin, file.begin_offset):
                files.cut(at, "messages before it are not indexed")
                break
            last = log.facts_at(file.end_offset) if file.end_offset < log.end else None
            if last is None:
                files.cut(at, f"no message at {file.end_offset}, where it ends")
                break
            # The remaining keys of the last message may be in a file that is lost.
            keys = keys_of(last.properties)
            if file is not files.files[-1]:
                keys = without_tag(keys) or keys
            is_whole = file.capacity or file.ends_with(file.end_offset, len(keys))
            begin = file.end_offset + (last.size if is_whole and file.count > 1 else 0)
        return max(begin, log.min_offset)

    def _has_keys(self, start: int, stop: int) -> bool:
        """
        Return whether a message with keys begins between two commit log offsets.

        Tags do not count: there are none in the files of older releases.
        """
        if start >= stop:
            return False
        data = self._commit_log.files.read(start, min(_GAP_BYTES, stop - start))
        found = (record[3] for record in tails(data, 0, len(data)))
        return any(without_tag(keys_of(tail, split(tail)[1])) for tail in found)

    def _flushed(self, end_time_ms: int) -> None:
        """Record in the checkpoint up to when full files are on disk."""
        self._checkpoint.index_time_ms = max(
            end_time_ms, self._checkpoint.index_time_ms
        )

    def _not_complete(self, failure: Failure) -> None:
        """Log a warning that not all messages are indexed."""
        self._log.warn(
            "{lag} bytes of messages were not indexed before closing: {why}",
            lag=self._builder.lag,
            why=failure.value,
        )

    def _closed(self, result: _T) -> _T:
        """Stop the builder and close the files."""
        self._builder.stop()
        self._files.close()
        return result
