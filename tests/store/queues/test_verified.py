"""Tests of remembering what was proven, of all that an earlier run wrote."""

from tests.store.cases import NOW, TAG_A, TOPIC, StoreCase, draft

#: Entries of one file, which one read gives.
STEP = 4


class ProvenTests(StoreCase):
    """What was proven is remembered, one range a queue."""

    def setUp(self) -> None:
        """Open a store that an earlier run has filled."""
        super().setUp()
        store = self.open()
        for _ in range(4 * STEP):
            store.put(draft(), NOW)
        self.store = self.reopen(store)
        queue = self.store._queues.find(TOPIC, 0)
        assert queue is not None
        self.queue = queue

    def read(self, queue_offset: int, is_filtered: bool = False) -> tuple[int, int]:
        """Read one step; return the range that is proven then."""
        matches = TAG_A.__eq__ if is_filtered else None
        fetched = self.store.get(TOPIC, 0, queue_offset, 32, 9999, matches)
        self.assertEqual(fetched.count, STEP)
        return self.queue.verified

    def test_it_grows_as_is_read_on(self) -> None:
        """Reading on adds to it, reading again changes nothing."""
        self.assertEqual(self.queue.verified, (0, 0))
        self.assertEqual(self.read(0), (0, STEP))
        self.assertEqual(self.read(STEP), (0, 2 * STEP))
        self.assertEqual(self.read(0), (0, 2 * STEP))

    def test_a_separate_range_replaces_it(self) -> None:
        """What does not touch is forgotten, not joined over a hole."""
        self.read(0)
        self.assertEqual(self.read(2 * STEP), (2 * STEP, 3 * STEP))
        self.assertEqual(self.read(STEP), (STEP, 2 * STEP))

    def test_a_filter_proves_nothing(self) -> None:
        """Records that are not wanted are not read."""
        self.assertEqual(self.read(0, is_filtered=True), (0, 0))

    def test_entries_of_this_run_are_believed(self) -> None:
        """They lie behind what is to be proven."""
        for _ in range(STEP):
            self.store.put(draft(), NOW)
        self.assertEqual(self.queue.unverified_end, 4 * STEP)
        self.assertEqual(self.read(4 * STEP), (0, 0))
