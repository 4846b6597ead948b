"""Tests of reading the records of chosen entries."""

import msgspec

from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.records import cut, read_log, read_warm, view_log
from tests.store.cases import NOW, SIZE, SMALL, StoreCase, draft


class CutTests(StoreCase):
    """Removing what is between records."""

    def test_side_by_side(self) -> None:
        """Nothing is between them."""
        view = memoryview(b"aabbcc")
        self.assertEqual(cut(view, (100, 102, 104), (2, 2, 2)), b"aabbcc")

    def test_apart(self) -> None:
        """What is between them is left out."""
        view = memoryview(b"aa..b..ccc")
        self.assertEqual(cut(view, (100, 104, 107), (2, 1, 3)), b"aabccc")


class ReadTests(StoreCase):
    """Records of a store."""

    config = msgspec.structs.replace(SMALL, commit_log_file_size=1 << 20)

    def setUp(self) -> None:
        """Store five messages of one size."""
        super().setUp()
        self.store: MessageStore = self.open()
        for number in range(5):
            self.store.put(draft(b"%05d" % number), NOW)

    def test_a_view(self) -> None:
        """The same bytes from the window and from the file, without a copy."""
        view = view_log(self.store._view, SIZE, SIZE)
        assert view is not None
        record = bytes(view)
        self.assertTrue(view.readonly)
        self.assertIn(b"00001", record)
        view.release()
        self.store._log.close()
        self.assertEqual(view_log(self.store._view, SIZE, SIZE), record)

    def test_a_copy(self) -> None:
        """It stays as it is, whatever is read next."""
        self.store._log.close()
        copy = read_log(self.store._view, 0, SIZE)
        read_log(self.store._view, SIZE, SIZE)
        assert copy is not None
        self.assertIn(b"00000", copy)

    def test_what_is_gone(self) -> None:
        """Records behind the end of a file are not counted."""
        beyond = (1 << 20) - 10
        records, count = read_warm(self.store._view, (0, beyond), (SIZE, SIZE)) or (
            b"",
            -1,
        )
        self.assertEqual((len(records), count), (SIZE, 1))
