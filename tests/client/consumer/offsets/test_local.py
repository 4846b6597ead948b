"""Offsets in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.offsets.local import LocalOffsetStore, offsets_path
from rocketmq_tw.jsonfile import DamagedDocument
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.testing.threads import ManualThreads
from tests.client.fakes import queues

ONE, TWO = queues("T", 2)


class PathTests(SynchronousTestCase):
    """Where the file is."""

    def test_as_java(self) -> None:
        """The path is that of Java's client."""
        path = offsets_path(None, "10.0.0.9@DEFAULT", "G")
        home = os.path.expanduser("~/.rocketmq_offsets")
        self.assertEqual(path, f"{home}/10.0.0.9@DEFAULT/G/offsets.json")

    def test_safe(self) -> None:
        """No name leads out of the directory."""
        for name in ("..", ".", "", "../../etc", "a/b", "a\0b", "~", "/"):
            with self.subTest(name):
                path = offsets_path("/d", name, "G")
                folder = os.path.dirname(os.path.dirname(os.path.normpath(path)))
                self.assertEqual(os.path.dirname(folder), "/d")
                self.assertNotIn("\0", path)


class LocalOffsetStoreTests(SynchronousTestCase):
    """A store that writes when the test says so."""

    def setUp(self) -> None:
        """Start without a file."""
        self.path = Path(self.mktemp()) / "G" / "offsets.json"
        self.threads = ManualThreads(held=False)
        self.store = self._open()

    def _open(self) -> LocalOffsetStore:
        """Open the store, as a new program does."""
        return LocalOffsetStore(str(self.path), self.threads)

    def _commit(self, *queues: MessageQueue) -> dict[MessageQueue, Any]:
        """Commit, and return the failures."""
        return self.successResultOf(self.store.commit(queues))

    def _stored(self, queue: MessageQueue) -> int | None:
        """Read the file again."""
        return self.successResultOf(self._open().fetch(queue))

    def test_stored(self) -> None:
        """What is committed is found by the next program, in Java's form."""
        self.assertIsNone(self._stored(ONE))
        self.store.begin(ONE, 3, stored=False)
        self.store.update(ONE, 5)
        self.store.update(ONE, 4)
        self.assertEqual((self._commit(ONE), self._stored(ONE)), ({}, 5))
        self.assertEqual(
            self.path.read_text(),
            '{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:5}}',
        )

    def test_java_file(self) -> None:
        """Java's own file is read, with its line breaks."""
        self.path.parent.mkdir(parents=True)
        self.path.write_text(
            '{\n\t"offsetTable":{{\n\t\t\t"brokerName":"broker-a",\n\t\t\t'
            '"queueId":1,\n\t\t\t"topic":"T"\n\t\t}:42\n\t}\n}'
        )
        self.assertEqual(self._stored(TWO), 42)

    def test_forgotten_stays(self) -> None:
        """The file keeps the offsets of queues that are gone."""
        self.store.begin(ONE, 3, stored=False)
        self._commit(ONE)
        self.store.forget(ONE)
        self.store.begin(TWO, 1, stored=False)
        self._commit(TWO)
        self.assertEqual((self._stored(ONE), self._stored(TWO)), (3, 1))
        self.assertIsNone(self.store.read(ONE))

    def test_frozen(self) -> None:
        """A repaired offset may be lower, and stays."""
        self.store.begin(ONE, 30, stored=True)
        self.store.freeze(ONE, 10)
        self.store.update(ONE, 31)
        self._commit(ONE)
        self.assertEqual(self._stored(ONE), 10)

    def test_unchanged(self) -> None:
        """The file is not written if nothing has changed."""
        self.store.begin(ONE, 3, stored=False)
        self.store.commit_changed()
        self.path.unlink()
        self.store.commit_changed()
        self.assertFalse(self.path.exists())

    def test_one_write_at_a_time(self) -> None:
        """A commit waits for a write in progress, and for its own."""
        self.threads.hold()
        self.store.begin(ONE, 3, stored=False)
        self.store.commit_changed()
        self.store.update(ONE, 4)
        committed = self.store.commit([ONE])
        self.assertEqual(len(self.threads.work), 1)
        self.threads.run_one()
        self.assertNoResult(committed)
        self.threads.run_one()
        self.assertEqual(self.successResultOf(committed), {})
        self.assertEqual(self._stored(ONE), 4)

    def test_disk_full(self) -> None:
        """Queues whose offset cannot be written are named; later it is written."""
        self.store.begin(ONE, 3, stored=False)
        self.threads.fail_with(OSError(28, "no space left"))
        self.store.commit_changed()
        self.assertEqual(list(self._commit(ONE)), [ONE])
        self.threads.fail_with(None)
        self.assertEqual((self._commit(ONE), self._stored(ONE)), ({}, 3))

    def test_damaged(self) -> None:
        """A damaged file is not taken for an absent one, nor overwritten."""
        self.path.parent.mkdir(parents=True)
        self.path.write_text("{")
        self.failureResultOf(self.store.fetch(ONE), DamagedDocument)
        self.store.begin(ONE, 3, stored=False)
        self.assertEqual(list(self._commit(ONE)), [ONE])
        self.assertEqual(self.path.read_text(), "{")

    def test_not_with_pulls(self) -> None:
        """Pulls commit nothing at the broker."""
        self.store.begin(ONE, 3, stored=True)
        self.assertEqual(self.store.for_pull(ONE), 0)
        self.store.note_sent(ONE, 3)
