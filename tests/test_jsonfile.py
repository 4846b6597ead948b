"""Tests of rocketmq_tw.jsonfile."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.jsonfile import (
    DamagedDocument,
    JsonFile,
    UnreadableDocument,
    read_bytes,
    replace_private,
)
from rocketmq_tw.wire.bodies.dataversion import DataVersion


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
        self.assertFalse(self.file.exists)

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
            self.assertTrue(self.file.exists)

    def test_damage_of_both(self) -> None:
        """What cannot be read at all is an error that names both and what to do."""
        self.file.save(b"1")
        self.file.save(b"2")
        self.main.write_bytes(b"{")
        self.backup.write_bytes(b"")
        error = self.assertRaises(DamagedDocument, self.file.load)
        self.assertEqual(
            (error.path, error.backup_why), (str(self.main), "it is empty")
        )
        self.assertIn("nor can its .bak: it is empty; restore it, or ", str(error))
        self.assertNotIn("empty", error.why)
        self.main.write_bytes(b"")
        error = self.assertRaises(DamagedDocument, self.file.load)
        self.assertEqual(error.why, "it is empty")
        self.main.unlink()
        error = self.assertRaises(DamagedDocument, self.file.load)
        self.assertEqual(error.why, "it does not exist")

    def test_damage_without_backup(self) -> None:
        """A damaged document without backup is not taken for a fresh start."""
        self.file.save(b"{")
        error = self.assertRaises(DamagedDocument, self.file.load)
        self.assertIn("; there is no .bak; ", str(error))

    def test_empty_without_backup(self) -> None:
        """An empty one is: its first write was interrupted."""
        self.folder.mkdir(parents=True)
        self.main.write_bytes(b"")
        self.assertIsNone(self.file.load())
        self.file.save(b"1")
        self.assertEqual(self.file.load(), 1)

    def test_another_type(self) -> None:
        """The backup is used, too, if the document is JSON but not what is expected."""
        self.file.save(b'{"counter":1}')
        self.file.save(b'{"counter":"x"}')
        self.assertEqual(self.file.load_as(DataVersion.decode), DataVersion(0, 1))
        self.backup.write_bytes(b"[]")
        error = self.assertRaises(
            DamagedDocument, self.file.load_as, DataVersion.decode
        )
        self.assertIn("counter", error.why)

    def test_backup_stays(self) -> None:
        """A damaged document does not become the backup at the next change."""
        self.file.save(b"1")
        self.file.save(b"2")
        self.main.write_bytes(b"{")
        self.assertEqual(self.file.load(), 1)
        self.file.save(b"3")
        self.assertEqual(self.backup.read_bytes(), b"1")
        self.file.save(b"4")
        self.assertEqual(self.backup.read_bytes(), b"3")

    def test_backup_is_not_opened(self) -> None:
        """As long as the document can be used, its backup is of no interest."""
        self.file.save(b"1")
        self.backup.mkdir()
        self.assertEqual(self.file.load(), 1)

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
        error = self.assertRaises(UnreadableDocument, self.file.load)
        self.assertIn("Is a directory", str(error))

    def test_order_of_writes(self) -> None:
        """All is on the disk before it gets its name, and the name before we go on."""
        self.file.save(b"1")
        done: list[str] = []
        fsync, replace = os.fsync, os.replace

        def noted_fsync(descriptor: int) -> None:
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            # What is still in the program's buffer would be missing after a crash.
            size = os.fstat(descriptor).st_size
            kind = "folder" if os.path.isdir(path) else f"{size} bytes"
            done.append(f"fsync {os.path.basename(path)}: {kind}")
            fsync(descriptor)

        def noted_replace(source: str, target: str) -> None:
            done.append(f"rename to {os.path.basename(target)}")
            replace(source, target)

        self.patch(os, "fsync", noted_fsync)
        self.patch(os, "replace", noted_replace)
        self.file.save(b"22")
        expected = [
            "fsync topics.json.tmp: 2 bytes",
            "rename to topics.json.bak",
            "rename to topics.json",
            "fsync config: folder",
        ]
        self.assertEqual(done, expected)

    def test_no_hard_links(self) -> None:
        """Where a file system has none, the backup is a copy."""

        def refuse(source: str, target: str) -> None:
            raise OSError("no links")

        self.patch(os, "link", refuse)
        self.file.save(b"1")
        self.file.save(b"2")
        self.assertEqual(self.backup.read_bytes(), b"1")

    def test_here(self) -> None:
        """A path without a folder is in this one."""
        name = os.path.basename(self.mktemp())
        file = JsonFile(name)
        self.addCleanup(os.unlink, name)
        file.save(b"1")
        self.assertEqual(file.load(), 1)

    def test_leftovers_of_a_crash(self) -> None:
        """Temporary files of a crash are in nobody's way."""
        self.file.save(b"1")
        (self.folder / "topics.json.tmp").write_bytes(b"half")
        (self.folder / "topics.json.bak.tmp").write_bytes(b"half")
        self.file.save(b"2")
        self.assertEqual((self.file.load(), self.backup.read_bytes()), (2, b"1"))


class PrivateFileTests(SynchronousTestCase):
    """Files that are no documents, and hold secrets."""

    def test_mode(self) -> None:
        """A new one is for the program's user only; that of an old one stays."""
        path = self.mktemp()
        replace_private(path, b"1")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        os.chmod(path, 0o640)
        replace_private(path, b"2")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)
        self.assertEqual(read_bytes(path), b"2")

    def test_link(self) -> None:
        """What a link leads to is replaced, and the link stays."""
        path, link = self.mktemp(), self.mktemp()
        replace_private(path, b"1")
        os.symlink(os.path.abspath(path), link)
        replace_private(link, b"2")
        self.assertTrue(os.path.islink(link))
        self.assertEqual(read_bytes(path), b"2")
