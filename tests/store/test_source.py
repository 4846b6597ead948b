"""Reading the commit log for slaves."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.testing import ManualThreads
from tests.store.cases import NOW, SIZE, StoreCase, draft


class SourceTests(StoreCase):
    """Raw bytes, from any offset on."""

    def test_bytes(self) -> None:
        """They are those of the file, to the end of the log."""
        store = self.open()
        store.put(draft(), NOW)
        store.put(draft(), NOW)
        whole = self.read_log(store, 0, 10_000)
        self.assertEqual(whole, self.bytes_of("commitlog", f"{0:020d}")[: 2 * SIZE])
        self.assertEqual(self.read_log(store, 100, 10), whole[100:110])
        self.assertEqual(self.read_log(store, 2 * SIZE, 10), b"")

    def test_one_file_at_a_time(self) -> None:
        """The rest of a file is filler; the next read begins with the next file."""
        store = self.open()
        for _ in range(9):
            store.put(draft(), NOW)
        first = self.read_log(store, 800, 10_000)
        self.assertEqual(len(first), 200)
        self.assertEqual(len(self.read_log(store, 1000, 10_000)), SIZE)
        self.assertEqual(store.source.end, 1000 + SIZE)
        self.assertEqual((store.source.min_offset, store.source.file_size), (0, 1000))

    def test_deleted_file(self) -> None:
        """There is nothing to read."""
        store = self.open()
        for _ in range(9):
            store.put(draft(), NOW)
        store._log.files.remove(0)
        self.assertEqual(self.read_log(store, 500, 100), b"")

    def test_cold(self) -> None:
        """What is not in the page cache is read in a thread."""
        threads = ManualThreads(held=False)
        store = self.open(run_in_thread=threads)
        for _ in range(9):
            store.put(draft(), NOW)
        self.patch(store.source._reads, "now", lambda files, position, size: None)
        read = store.source.read(0, 100)
        assert isinstance(read, Deferred)
        found = self.successResultOf(read)
        self.assertEqual(found, self.bytes_of("commitlog", f"{0:020d}")[:100])

    def test_call_at_next(self) -> None:
        """Once, for the next record."""
        store, called = self.open(), list[int]()
        function = lambda: called.append(1)  # noqa: E731
        store.source.call_at_next(function)
        store.put(draft(), NOW)
        store.put(draft(), NOW)
        self.assertEqual(called, [1])
        store.source.call_at_next(function)
        store.source.cancel(function)
        store.put(draft(), NOW)
        self.assertEqual(called, [1])
