"""Tests of rocketmq_tw.jsonfile."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.jsonfile import DamagedDocument, JsonFile, UnreadableDocument


class JsonFileTests(SynchronousTestCase):
    """A document is replaced whole, and its predecessor is kept."""

    def setUp(self) -> None:
        """Start with a folder that is not there yet."""
        self.folder = Path(self.mktemp()) / "config"
        self.main = self.folder / "topics.json"
        self.backup = self.folder / "topics.json.bak"
        self.file = JsonFile(self.main)

    def test_nothing_there(self) -> None:
        """Without any file there is no document."""
        self.assertIsNone(self.file.load())
        self.assertIsNone(self.file.load_bytes())

    def test_save_and_load(self) -> None:
        """What was saved is loaded; the one before it is the backup."""
        self.file.save(b'{"n":1}')
        self.assertFalse(self.backup.exists())
        self.file.save(b'{"n":2}')
        self.assertEqual(self.file.load(), {"n": 2})
        self.assertEqual(self.backup.read_bytes(), b'{"n":1}')
        self.file.save(b'{"n":3}')
        self.assertEqual(self.backup.read_bytes(), b'{"n":2}')
        self.assertEqual(len(os.listdir(self.folder)), 2)

    def test_apache_text(self) -> None:
        """Apache's bare integer keys are read."""
        self.file.save(b'{\n"offsetTable":{1:10,\n2:0\n}\n}')
        self.assertEqual(self.file.load(), {"offsetTable": {"1": 10, "2": 0}})

    def test_backup_helps(self) -> None:
        """A missing, empty or damaged document is replaced by its backup."""
        self.file.save(b"1")
        self.file.save(b"2")
        for damage in (b"", b"{", None):
            if damage is None:
                self.main.unlink()
            else:
                self.main.write_bytes(damage)
            self.assertEqual(self.file.load(), 1)
            self.assertEqual(self.file.load_bytes(), b"1")

    def test_damage_of_both(self) -> None:
        """What cannot be read at all is an error that names the file."""
        self.file.save(b"1")
        self.file.save(b"2")
        self.main.write_bytes(b"{")
        self.backup.write_bytes(b"")
        error = self.assertRaises(DamagedDocument, self.file.load)
        self.assertEqual(error.path, str(self.main))

    def test_damage_without_backup(self) -> None:
        """A damaged document without backup is not taken for a fresh start."""
        self.file.save(b"{")
        self.assertRaises(DamagedDocument, self.file.load)

    def test_unreadable(self) -> None:
        """What cannot be opened is an error with the path and the system's reason."""
        self.folder.parent.mkdir()
        self.folder.write_bytes(b"")
        error = self.assertRaises(UnreadableDocument, self.file.load)
        self.assertEqual(str(error), f"{self.main} cannot be read: Not a directory")
        self.folder.unlink()
        self.file.save(b"1")
        self.main.unlink()
        self.main.mkdir()
        error = self.assertRaises(UnreadableDocument, self.file.load_bytes)
        self.assertIn("Is a directory", str(error))

    def test_leftovers_of_a_crash(self) -> None:
        """Temporary files of a crash are in nobody's way."""
        self.file.save(b"1")
        (self.folder / "topics.json.tmp").write_bytes(b"half")
        (self.folder / "topics.json.bak.tmp").write_bytes(b"half")
        self.file.save(b"2")
        self.assertEqual((self.file.load(), self.backup.read_bytes()), (2, b"1"))
