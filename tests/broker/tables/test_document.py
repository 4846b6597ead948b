"""A table's file follows the table."""

from __future__ import annotations

from collections.abc import Callable, Generator

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.document import Document
from tests.broker.doubles import MemoryFile


class DocumentTests(SynchronousTestCase):
    """A document whose writes are scheduled by hand."""

    def setUp(self) -> None:
        """Make one that is written on request."""
        self.file = MemoryFile()
        self.text = b"one"
        self.scheduled: list[Callable[[], None]] = []
        self.delays: list[float] = []
        self.document = Document(self.file, lambda: self.text, schedule=self.schedule)

    def schedule(self, delay: float, write: Callable[[], None]) -> None:
        """Note what is to be run, and when."""
        self.delays.append(delay)
        self.scheduled.append(write)

    def run_scheduled(self) -> None:
        """Run what was scheduled."""
        scheduled, self.scheduled[:] = self.scheduled[:], []
        for write in scheduled:
            write()

    def test_encoded_in_steps(self) -> None:
        """One step an iteration; what changes meanwhile is written after that."""
        steps = self.in_steps([b"one", b"two"])
        steps.changed()
        steps.changed()
        self.run_scheduled()
        self.assertEqual(self.file.writes, 0)
        steps.changed()
        self.run_scheduled()
        self.assertEqual((self.file.text, steps.dirty), (b"one", True))
        self.run_scheduled()
        self.run_scheduled()
        self.assertEqual((self.file.text, steps.dirty), (b"two", False))
        self.run_scheduled()
        self.assertEqual(self.file.writes, 2)

    def waiting(self) -> tuple[Document, list[Deferred[None]]]:
        """Make a document whose write waits, and return what it waits for."""
        waits: list[Deferred[None]] = []

        def wait() -> Deferred[None]:
            waits.append(Deferred())
            return waits[-1]

        def steps() -> Generator[None, None, bytes]:
            yield
            return self.text

        document = Document(
            self.file,
            lambda: self.text,
            schedule=self.schedule,
            steps=steps,
            before_write=wait,
        )
        document.changed()
        self.run_scheduled()
        self.run_scheduled()
        return document, waits

    def test_written_when_it_may_be(self) -> None:
        """A complete text waits; what changes meanwhile is in the next one."""
        document, (wait,) = self.waiting()
        document.changed()
        self.run_scheduled()
        self.assertEqual(self.file.writes, 0)
        wait.callback(None)
        self.assertEqual((self.file.writes, document.dirty), (1, True))

    def test_not_written_if_it_may_not(self) -> None:
        """A failure is logged, and the next change writes."""
        document, waits = self.waiting()
        waits[0].errback(OSError(5, "I/O error"))
        self.assertEqual((self.file.writes, document.dirty), (0, True))
        document.changed()
        for _ in range(3):
            self.run_scheduled()
        waits[1].callback(None)
        self.assertEqual((self.file.writes, document.dirty), (1, False))

    def test_saved_while_it_waits(self) -> None:
        """The older text is not written over it."""
        document, (wait,) = self.waiting()
        self.text = b"new"
        document.save()
        wait.callback(None)
        self.assertEqual((self.file.text, self.file.writes), (b"new", 1))

    def test_saved_between_two_steps(self) -> None:
        """The whole text is newer: the steps end, and write nothing over it."""
        steps = self.in_steps([b"old"])
        steps.changed()
        self.run_scheduled()
        self.text = b"new"
        steps.save()
        self.run_scheduled()
        self.assertEqual((self.file.text, self.file.writes), (b"new", 1))

    def test_steps_that_could_not_be_written(self) -> None:
        """The next change writes."""
        steps = self.in_steps([b"one", b"two"])
        self.file.error = OSError(28, "No space left on device")
        steps.changed()
        self.run_scheduled()
        self.run_scheduled()
        self.assertTrue(steps.dirty)
        self.file.error = None
        steps.changed()
        self.run_scheduled()
        self.run_scheduled()
        self.assertEqual((self.file.text, steps.dirty), (b"two", False))

    def in_steps(self, texts: list[bytes]) -> Document:
        """Make a document that is encoded in two steps, each time to the next text."""
        steps = self.two_steps(texts)
        return Document(self.file, lambda: self.text, self.schedule, steps=steps)

    def two_steps(
        self, texts: list[bytes]
    ) -> Callable[[], Generator[None, None, bytes]]:
        """Return what encodes the next text in two steps."""

        def steps() -> Generator[None, None, bytes]:
            yield None
            return texts.pop(0)

        return steps

    def test_by_timer(self) -> None:
        """A change schedules nothing, not even one between two steps."""
        document = Document(
            self.file,
            lambda: self.text,
            self.schedule,
            steps=self.two_steps([b"one", b"two"]),
            by_timer=True,
        )
        document.changed()
        self.assertEqual(self.scheduled, [])
        document.write()
        document.changed()
        document.write()
        self.run_scheduled()
        self.assertEqual((self.file.text, self.scheduled), (b"one", []))
        document.write()
        self.run_scheduled()
        self.assertEqual((self.file.text, document.dirty), (b"two", False))
        document.write()
        self.assertEqual(self.scheduled, [])

    def test_many_changes_are_one_write(self) -> None:
        """The newest text is written, once; later changes schedule another write."""
        self.document.changed()
        self.document.changed()
        self.text = b"two"
        self.assertEqual(self.file.writes, 0)
        self.run_scheduled()
        self.assertEqual((self.file.text, self.file.writes), (b"two", 1))
        self.document.changed()
        self.run_scheduled()
        self.assertEqual(self.file.writes, 2)

    def test_large_documents_are_written_less_often(self) -> None:
        """No more than 4 MiB a second are encoded; small ones do not wait."""
        for size in (64 << 10, 8 << 20, 64 << 10, 1):
            self.text = bytes(size)
            self.document.changed()
            self.run_scheduled()
        self.assertEqual(self.delays, [0, 0, 2.0, 0])

    def test_save(self) -> None:
        """It is written at once if it is behind; what was scheduled finds it done."""
        self.document.save()
        self.assertEqual(self.file.writes, 0)
        self.document.changed()
        self.document.save()
        self.run_scheduled()
        self.assertEqual(self.file.writes, 1)

    def test_without_a_schedule(self) -> None:
        """Each change is written at once."""
        document = Document(self.file, lambda: self.text, schedule=None)
        document.changed()
        document.changed()
        self.assertEqual(self.file.writes, 2)

    def test_failure(self) -> None:
        """It is logged when scheduled and raised by ``save``; the change stays due."""
        self.file.error = OSError(28, "No space left on device")
        self.document.changed()
        self.run_scheduled()
        self.assertRaises(OSError, self.document.save)
        self.file.error = None
        self.document.save()
        self.assertEqual(self.file.text, b"one")
