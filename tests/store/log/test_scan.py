"""Tests of reading a log's records one after another."""

from rocketmq_tw.store.log.scan import Scan, is_torn
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.wire.record import Checked
from tests.store.cases import NOW, SIZE, StoreCase, draft


class ScanTests(StoreCase):
    """A log of two files and a half, eight records each."""

    def setUp(self) -> None:
        """Fill a store."""
        super().setUp()
        self.store = self.filled()

    def filled(self) -> MessageStore:
        """Put twenty messages."""
        store = self.open()
        for number in range(20):
            store.put(draft(b"%05d" % number), NOW)
        return store

    def scan(self, trusted: int = 0) -> tuple[Scan, list[int]]:
        """Read all; give the scan and the queue offsets found."""
        scan = Scan(self.store._log, 0, trusted, crc=True)
        return scan, [record.queue_offset for _, record in scan]

    def damage(self, number: int) -> None:
        """Overwrite a record of the first file."""
        with open(self.path("commitlog", f"{0:020d}"), "r+b") as file:
            file.seek(number * SIZE)
            file.write(b"\xff" * SIZE)

    def test_goes_over_the_ends_of_files(self) -> None:
        """A blank leads to the next; the end is behind the last record."""
        scan, found = self.scan()
        self.assertEqual(found, list(range(20)))
        self.assertEqual(scan.position, self.store.commit_log_max)

    def test_ends_at_what_is_no_record(self) -> None:
        """Where the log is not known to go on."""
        self.damage(3)
        scan, found = self.scan()
        self.assertEqual((scan.position, found), (3 * SIZE, [0, 1, 2]))

    def test_passes_over_damage_where_the_log_is_trusted(self) -> None:
        """And says so."""
        self.damage(3)
        scan, found = self.scan(trusted=self.store.commit_log_max)
        self.assertEqual(found, [0, 1, 2, *range(4, 20)])
        self.assertEqual(scan.damaged, 1)

    def test_torn_records(self) -> None:
        """Zeros at the end are no properties, nor a topic."""
        for topic, properties, expected in (
            (b"T", b"a\x01b\x02", False),
            (b"T", b"a\x01b\0", True),
            (b"T\0", b"", True),
            (b"T", b"", False),
        ):
            record = Checked(topic, 0, 0, 0, 100, 0, 1, properties)
            self.assertEqual(is_torn(record), expected)
