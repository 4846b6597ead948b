"""Tests of looking up by time."""

from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues import search
from rocketmq_tw.store.queues.records import StoreView, view_log
from rocketmq_tw.wire.record import decode
from tests.store.cases import NOW, SIZE, TOPIC, StoreCase, draft

NOW_MS = int(NOW * 1000)


class SearchTests(StoreCase):
    """Which message a time points at."""

    def filled(self) -> MessageStore:
        """Store messages at 0, 1, 1, 1 and 3 seconds."""
        store = self.open()
        for second in (0, 1, 1, 1, 3):
            store.put(draft(), NOW + second)
        return store

    def test_the_lower_boundary(self) -> None:
        """The first message then or later; the end behind the last."""
        store = self.filled()
        for ms, offset in ((-1, 0), (0, 0), (1, 1), (1000, 1), (1001, 4), (3001, 5)):
            self.assertEqual(store.offset_by_time(TOPIC, 0, NOW_MS + ms), offset)

    def test_the_upper_boundary(self) -> None:
        """The last message then or earlier; the first before all."""
        store = self.filled()
        for ms, offset in ((-1, 0), (0, 0), (999, 0), (1000, 3), (2999, 3), (9000, 4)):
            found = store.offset_by_time(TOPIC, 0, NOW_MS + ms, upper=True)
            self.assertEqual(found, offset)

    def test_store_times(self) -> None:
        """Known inside the queue only, with hosts of both families."""
        store = self.filled()
        store.put(draft(sys_flag=0x10, born_host=bytes(20)), NOW + 7)
        times = [store.store_time(TOPIC, 0, offset) for offset in (-1, 0, 4, 5, 6)]
        self.assertEqual(times, [-1, NOW_MS, NOW_MS + 3000, NOW_MS + 7000, -1])
        self.assertEqual(store.earliest_store_time(), NOW_MS)

    def test_nothing_is_read_for_a_wrong_offset(self) -> None:
        """Bytes of a body that look like a large size cost no memory."""
        store = self.open(commit_log_file_size=64 << 20)
        store.put(draft(b"\x03\x80\0\0" * 500), NOW)
        wanted: list[int] = []
        log = store._log
        in_window = log.in_window

        def note(position: int, count: int) -> bytes | None:
            wanted.append(count)
            return in_window(position, count)

        log.in_window = note  # type: ignore[method-assign]
        for place in (88, 100, 1000):
            self.assertIsNone(store.record_at(place))
        self.assertLess(max(wanted), 100)

    def test_unknown_queues(self) -> None:
        """Offsets are 0, times unknown."""
        store = self.open()
        self.assertEqual(store.offset_by_time(TOPIC, 0, NOW_MS), 0)
        self.assertEqual(store.store_time(TOPIC, 0, 0), -1)
        self.assertEqual(store.earliest_store_time(), -1)
        self.assertEqual(
            (store.min_offset(TOPIC, 0), store.max_offset(TOPIC, 0)), (0, 0)
        )

    def test_cold_records(self) -> None:
        """Those that are not in memory are read together, in one go."""
        store = self.filled()
        for name in ("read_log", "view_log"):
            self.patch(search, name, lambda *_: None)
        cold = store._reads.cold
        offsets = [SIZE * 2, 0, SIZE, 1]
        waiting = store.records_at(offsets, [SIZE] * 4)
        found = self.successResultOf(waiting)
        numbers = [
            None if each is None else decode(each).queue_offset for each in found
        ]
        self.assertEqual((numbers, store._reads.cold), ([2, 0, 1, None], cold + 1))

    def test_near_records(self) -> None:
        """Those that lie close together are read once, in whatever order."""
        store = self.filled()
        asked: list[int] = []

        def view(of: StoreView, position: int, size: int) -> memoryview | None:
            asked.append(size)
            return view_log(of, position, size)

        self.patch(search, "view_log", view)
        found = store.records_at([SIZE * 2, 0, SIZE, 1], [SIZE] * 4)
        assert isinstance(found, list)
        numbers = [
            None if each is None else decode(each).queue_offset for each in found
        ]
        self.assertEqual((numbers, asked), ([2, 0, 1, None], [SIZE * 3]))
