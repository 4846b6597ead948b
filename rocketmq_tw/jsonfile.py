"""
One JSON document on disk, replaced atomically; the previous one is kept as ``.bak``.

The functions below serve files that are no documents.

Files of Apache brokers and name servers can be read too: JSON with bare integer keys,
and their ``.bak``, which may be the only file after a crash between two renames. Here a
crash never leaves the main file absent.

Source: ``ConfigManager`` of RocketMQ 5.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.wire import fastjson


class DamagedDocument(RocketMQError):
    """Neither a document nor its backup is JSON."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} is damaged and its .bak cannot be used: {self.why}"


class UnreadableDocument(RocketMQError):
    """The operating system refuses to read a document."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} cannot be read: {self.why}"


class JsonFile:
    """A document at a path. Its methods block: they read, write and fsync."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.backup_path = self.path + ".bak"

    def load(self) -> Any | None:
        """
        Read the document, or its backup.

        :returns: its value, from :func:`rocketmq_tw.wire.fastjson.loads`; None if
            neither file exists.
        :raises DamagedDocument: the existing files are not JSON.
        :raises UnreadableDocument: an existing file cannot be opened.
        """
        found = self._find()
        return None if found is None else found[1]

    def load_bytes(self) -> bytes | None:
        """
        Read the text of the document, or of its backup, after checking that it is JSON.

        For callers that decode it into a declared type. Errors are those of
        :meth:`load`.
        """
        found = self._find()
        return None if found is None else found[0]

    def _find(self) -> tuple[bytes, Any] | None:
        """Return the text and value of the first file that is JSON."""
        why: str | None = None
        for path in (self.path, self.backup_path):
            try:
                data = read_bytes(path)
            except OSError as error:
                why = error.strerror or str(error)
                raise UnreadableDocument(path, why) from None
            if data is None:
                continue
            try:
                return data, fastjson.loads(data)
            except fastjson.MalformedJson as error:
                # An empty main file means a crash between creating and writing it.
                why = why or (str(error) if data else "it is empty")
        if why is None:
            return None
        raise DamagedDocument(self.path, why)

    def save(self, document: bytes) -> None:
        """
        Replace the document; it is on disk when this returns.

        :param document: JSON text.
        :raises OSError: the old document is unchanged.
        """
        folder = os.path.dirname(self.path) or "."
        os.makedirs(folder, exist_ok=True)
        temporary = self.path + ".tmp"
        _write(temporary, document)
        self._keep_previous()
        os.replace(temporary, self.path)
        _sync_folder(folder)

    def _keep_previous(self) -> None:
        """Make the current file the backup, without removing it at any time."""
        link = self.backup_path + ".tmp"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(link)
        try:
            os.link(self.path, link)
        except FileNotFoundError:
            return
        except OSError:
            # Some file systems have no hard links.
            _write(link, read_bytes(self.path) or b"")
        os.replace(link, self.backup_path)


def read_bytes(path: str) -> bytes | None:
    """Read a whole file; None if it does not exist."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def append_bytes(path: str, data: bytes) -> None:
    """Append to a file, and create it if needed; nothing is flushed to disk."""
    with open(path, "ab") as file:
        file.write(data)


def replace_bytes(path: str, data: bytes) -> None:
    """Replace a file atomically, remove an empty one; nothing is flushed to disk."""
    if not data:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    temporary = path + ".tmp"
    with open(temporary, "wb") as file:
        file.write(data)
    os.replace(temporary, path)


def _write(path: str, data: bytes) -> None:
    """Write a whole file, with an fsync."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: str) -> None:
    """Flush the renames in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
