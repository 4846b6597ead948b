"""Tests of the window through which records are written."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles
from rocketmq_tw.store.files.window import Window, map_window

PAGE = 4096


class WindowTests(SynchronousTestCase):
    """Two files of four pages."""

    def setUp(self) -> None:
        """Make the second file."""
        files = OpenFiles()
        self.addCleanup(files.close)
        self.queue = MappedFileQueue(self.mktemp(), 4 * PAGE, files)
        self.queue.create(4 * PAGE)

    def window(self, position: int, size: int) -> Window:
        """Map a part of it."""
        window = map_window(self.queue, 4 * PAGE, position, size)
        self.addCleanup(window.close)
        return window

    def test_begins_at_a_page(self) -> None:
        """And reaches at least as far as was asked for."""
        window = self.window(5 * PAGE + 100, 200)
        self.assertEqual((window.start, window.end), (5 * PAGE, 5 * PAGE + 300))

    def test_ends_with_the_file(self) -> None:
        """However much was asked for."""
        window = self.window(7 * PAGE, 100 * PAGE)
        self.assertEqual((window.start, window.end), (7 * PAGE, 8 * PAGE))

    def test_what_is_written_is_in_the_file(self) -> None:
        """The kernel has it at once."""
        window = self.window(5 * PAGE, PAGE)
        window.view[10:15] = b"hello"
        self.assertEqual(self.queue.read(5 * PAGE + 10, 5), b"hello")

    def test_closed_while_it_is_read(self) -> None:
        """What a reader still refers to stays readable, and closing does not fail."""
        window = self.window(5 * PAGE, PAGE)
        window.view[10:15] = b"hello"
        part = window.memory[10:15]
        window.close()
        self.assertEqual(bytes(part), b"hello")
        self.assertTrue(part.readonly)
        part.release()
        window.close()
        self.assertRaises(ValueError, window.view.read)
