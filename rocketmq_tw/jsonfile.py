"""
One JSON document on disk, replaced atomically, the previous one kept as ``.bak``.

Files that Apache brokers and name servers wrote are read just as well: their JSON with
bare integer keys, and their own ``.bak``, which may be all that is there after a crash
between two renames. Unlike there, a crash here never leaves the main file
absent.

Source: ``ConfigManager`` of RocketMQ 5.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.wire import fastjson


class DamagedDocument(RocketMQError):
    """Neither a document nor its backup can be read as JSON."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} is damaged, and its .bak does not help: {self.why}"


class UnreadableDocument(RocketMQError):
    """The system does not let a document be read."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} cannot be read: {self.why}"


class JsonFile:
    """A document at a path. Both calls block: they read, write and fsync."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.backup_path = self.path + ".bak"

    def load(self) -> Any | None:
        """
        Read the document, or else its backup.

        :returns: what :func:`rocketmq_tw.wire.fastjson.loads` makes of it; None where
            neither file is there.
        :raises DamagedDocument: nothing that is there is JSON.
        :raises UnreadableDocument: something is there, and cannot be opened.
        """
        found = self._find()
        return None if found is None else found[1]

    def load_bytes(self) -> bytes | None:
        """
        Read the text of the document, or else of its backup, known to be JSON.

        For callers that decode it into a declared type. Errors are those of
        :meth:`load`.
        """
        found = self._find()
        return None if found is None else found[0]

    def _find(self) -> tuple[bytes, Any] | None:
        """Look for the first file that can be read: its text and its value."""
        why: str | None = None
        for path in (self.path, self.backup_path):
            try:
                data = _read(path)
            except OSError as error:
                why = error.strerror or str(error)
                raise UnreadableDocument(path, why) from None
            if data is None:
                continue
            try:
                return data, fastjson.loads(data)
            except fastjson.MalformedJson as error:
                # An empty main file is a crash between creating and writing it.
                why = why or (str(error) if data else "it is empty")
        if why is None:
            return None
        raise DamagedDocument(self.path, why)

    def save(self, document: bytes) -> None:
        """
        Replace the document; when this returns, it is on the disk.

        :param document: JSON text.
        :raises OSError: the old document is still there, whole.
        """
        folder = os.path.dirname(self.path) or "."
        os.makedirs(folder, exist_ok=True)
        temporary = self.path + ".tmp"
        _write(temporary, document)
        self._keep_previous()
        os.replace(temporary, self.path)
        _sync_folder(folder)

    def _keep_previous(self) -> None:
        """Make the present file the backup too, without ever removing it."""
        link = self.backup_path + ".tmp"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(link)
        try:
            os.link(self.path, link)
        except FileNotFoundError:
            return
        except OSError:
            # Some file systems have no hard links.
            _write(link, _read(self.path) or b"")
        os.replace(link, self.backup_path)


def _read(path: str) -> bytes | None:
    """Read a whole file; None if it is not there."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write(path: str, data: bytes) -> None:
    """Write a whole file and wait until it is on the disk."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: str) -> None:
    """Wait until the renames in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
