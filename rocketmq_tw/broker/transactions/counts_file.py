"""
Keeps how many half messages of each topic are pending: ``config/transactionMetrics``.

It is written every ten seconds, so what a crash leaves is off. The queue of half
messages knows how many are pending in all: if the file names another number, the half
messages that are pending are read, some at a time, and counted again.

Source: ``TransactionMetrics`` and ``TransactionMetricsFlushService`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.defer import maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.transactions.counts import TransactionCounts
from rocketmq_tw.broker.transactions.journal import TransactionJournal
from rocketmq_tw.broker.transactions.stored import read_half
from rocketmq_tw.jsonfile import DamagedDocument, JsonFile, UnreadableDocument
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.remoting.pacing import Pacer, Steps, encode_each, result_of
from rocketmq_tw.store.interfaces import Fetched, IMessageStore
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.entries import encode_entry, fill
from rocketmq_tw.wire.bodies.other_tables import TransactionMetricsTable
from rocketmq_tw.wire.record import MalformedRecord
from rocketmq_tw.wire.record_layout import QUEUE_OFFSET
from rocketmq_tw.wire.record_parts import each_record

#: Topics that are encoded in one step: some 2 ms.
_AT_ONCE = 1000
#: What is read in one step: half messages, and bytes; one may be larger.
_RECORDS, _READ = 32, 64 << 10


class CountsFile:
    """
    Reads and writes the file, and counts half messages again.

    """

    _log = Logger()

    # _saved are the counts in the file, each with the time of its last change.

    def __init__(
        self,
        file: JsonFile,
        *,
        counts: TransactionCounts,
        store: IMessageStore,
        journal: TransactionJournal,
        pacer: Pacer,
    ) -> None:
        self._file = file
        self._counts = counts
        self._store = store
        self._journal = journal
        self._pacer = pacer
        self._version = DataVersion()
        self._saved: dict[bytes, tuple[int, int]] = {}
        self._is_counting = False

    def load(self) -> None:
        """
        Read the file; without a usable one all are counted again.

        So does Apache RocketMQ, which counts from nothing then.
        """
        try:
            table = self._file.load_as(TransactionMetricsTable.decode)
        except (DamagedDocument, UnreadableDocument) as error:
            self._log.warn(
                "{why}; the half messages that are pending are counted again",
                why=str(error),
            )
            return
        if table is None:
            return
        self._version = table.data_version
        for topic, entry in table.transaction_count.items():
            found = entry if isinstance(entry, dict) else {}
            count, time_ms = found.get("count"), found.get("timeStamp")
            if isinstance(count, int) and count > 0:
                encoded = topic.encode("utf-8", "replace")
                self._counts.of(encoded).halves += count
                self._saved[encoded] = count, time_ms if type(time_ms) is int else 0

    def check(self) -> None:
        """
        Count the half messages again, unless as many are pending as are counted.

        A start does not wait until that is done.
        """
        if self._counts.halves != self._journal.pending and not self._is_counting:
            self._is_counting = True
            done = maybeDeferred(self._pacer.run, self._count(), None, key=self)
            done.addErrback(self._not_counted)

    def saving(self, now_ms: int) -> Steps[None]:
        """Write the file, if anything has changed since."""
        saved: dict[bytes, tuple[int, int]] = {}
        for topic, each in self._counts.table.items():
            if each.halves:
                before = self._saved.get(topic)
                is_same = before is not None and before[0] == each.halves
                saved[topic] = before if before and is_same else (each.halves, now_ms)
        if saved == self._saved:
            return
        self._saved = saved
        self._version = self._version.next(now_ms)
        entries = yield from encode_each(
            _entries(saved), lambda entry: encode_entry(*entry), _AT_ONCE
        )
        empty = TransactionMetricsTable(data_version=self._version).encode()
        self._file.save(fill(empty, b'"transactionCount":{}', [entries]))

    def _count(self) -> Steps[None]:
        """Read the half messages that are pending."""
        decisions, end = self._journal.decisions, self._journal.end
        self._counts.begin(decisions.start, end)
        try:
            at = decisions.next_pending(decisions.start, end)
            while at is not None:
                fetched = yield from result_of(
                    self._store.get(TRANS_HALF_TOPIC, 0, at, _RECORDS, _READ, None)
                )
                after = fetched.next_offset if fetched.count else fetched.min_offset
                after = min(max(after, at + 1), end)
                self._counts.seen(list(self._pending(fetched, end)), after)
                at = decisions.next_pending(after, end)
                yield None
        finally:
            self._is_counting = False
            self._counts.finish()
        self._log.info(
            "{count} half messages are pending, of {topics} topics",
            count=self._counts.halves,
            topics=sum(each.halves > 0 for each in self._counts.table.values()),
        )

    def _not_counted(self, failure: Failure) -> None:
        self._log.error(
            "half messages are not counted again: {why}", why=failure.getErrorMessage()
        )

    def _pending(self, fetched: Fetched, end: int) -> Iterator[bytes]:
        """Return the topics of those that are pending; malformed ones have none."""
        for record in each_record(fetched.data):
            offset = int.from_bytes(record[QUEUE_OFFSET], "big")
            if offset < end and self._journal.decisions.is_pending(offset):
                try:
                    yield read_half(record).topic.encode()
                except MalformedRecord:
                    # The next round gives it up.
                    continue


def _entries(
    saved: dict[bytes, tuple[int, int]],
) -> Iterator[tuple[str, dict[str, int]]]:
    """Return the members of the document."""
    for topic, (count, time_ms) in saved.items():
        yield topic.decode("utf-8", "replace"), {"count": count, "timeStamp": time_ms}
