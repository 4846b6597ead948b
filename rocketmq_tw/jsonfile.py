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
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.logger import Logger

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.errors import BadField, ProtocolError

T = TypeVar("T")

_EMPTY = "it is empty"


class DamagedDocument(RocketMQError):
    """
    Neither a document nor its backup can be used.

    :ivar path: the document.
    :ivar why: what is wrong with it.
    :ivar backup_why: what is wrong with its backup; None if there is none.
    """

    def __init__(self, path: str, why: str, backup_why: str | None = None) -> None:
        super().__init__(path, why, backup_why)
        self.path = path
        self.why = why
        self.backup_why = backup_why

    def __str__(self) -> str:
        backup = "there is no .bak"
        if self.backup_why is not None:
            backup = f"nor can its .bak: {self.backup_why}"
        return (
            f"{self.path} cannot be used: {self.why}; {backup};"
            " restore it, or remove both to start without what it holds"
        )


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

    _log = Logger()

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.backup_path = self.path + ".bak"
        #: Whether only the user who runs the program may read it.
        self.is_private = False
        #: Whether the document was found unusable: it must not become the backup.
        self._is_damaged = False

    @property
    def exists(self) -> bool:
        """Whether there is a document, or its backup."""
        return os.path.exists(self.path) or os.path.exists(self.backup_path)

    def load(self) -> Any | None:
        """
        Return the JSON value of the document, or of its backup: see :meth:`load_as`.
        """
        return self.load_as(fastjson.loads)

    def load_as(self, decode: Callable[[bytes], T]) -> T | None:
        """
        Decode the document, or its backup if that fails.

        An empty document without a backup counts as absent: the program that wrote it
        for the first time was interrupted. Apache RocketMQ takes every unusable one
        without a backup for absent, and overwrites it at the next change.

        :param decode: raises :class:`~rocketmq_tw.wire.errors.ProtocolError` if the
            text is not what it expects.
        :returns: its result; None if there is no document.
        :raises DamagedDocument: there are files, but none can be decoded.
        :raises UnreadableDocument: an existing file cannot be opened.
        """
        wrong: list[str | None] = []
        for path in (self.path, self.backup_path):
            data = self._read(path)
            if data is None:
                wrong.append(None)
                continue
            try:
                found = decode(data)
            except ProtocolError as error:
                wrong.append(_reason(error) if data else _EMPTY)
            else:
                self._note_damage(wrong)
                return found
        why, backup_why = wrong
        if why is None and backup_why is None:
            return None
        if why == _EMPTY and backup_why is None:
            self._log.warn("{path} is empty: it counts as absent", path=self.path)
            return None
        raise DamagedDocument(self.path, why or "it does not exist", backup_why)

    def _note_damage(self, wrong: list[str | None]) -> None:
        """Log that the backup is used; a damaged document must not replace it."""
        self._is_damaged = any(why is not None for why in wrong)
        if self._is_damaged:
            self._log.warn(
                "{path} cannot be used: {why}; its .bak is used",
                path=self.path,
                why=wrong[0],
            )

    def _read(self, path: str) -> bytes | None:
        """Return the text of one of the files; None if it does not exist."""
        try:
            return read_bytes(path)
        except OSError as error:
            why = error.strerror or str(error)
            raise UnreadableDocument(path, why) from None

    def save(self, document: bytes) -> None:
        """
        Replace the document; it is on disk when this returns.

        :param document: JSON text.
        :raises OSError: the old document is unchanged.
        """
        folder = os.path.dirname(self.path) or "."
        os.makedirs(folder, exist_ok=True)
        temporary = self.path + ".tmp"
        _write(temporary, document, self.is_private)
        if not self._is_damaged:
            self._keep_previous()
        os.replace(temporary, self.path)
        self._is_damaged = False
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
            _write(link, read_bytes(self.path) or b"", self.is_private)
        os.replace(link, self.backup_path)


def _reason(error: ProtocolError) -> str:
    """Say what is wrong with a document; the name of its type would not help."""
    return error.found if isinstance(error, BadField) else str(error)


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


def replace_private(path: str, data: bytes) -> None:
    """
    Replace a file atomically; it is on disk when this returns.

    Who may read it does not change; a new one is for the program's user only. Where a
    link leads to it, the link stays.

    :raises OSError: the old file is unchanged.
    """
    path = os.path.realpath(path)
    temporary = path + ".tmp"
    _write(temporary, data, is_private=True)
    with contextlib.suppress(FileNotFoundError):
        state = os.stat(path)
        os.chmod(temporary, state.st_mode & 0o777)
    os.replace(temporary, path)
    _sync_folder(os.path.dirname(path))


def _write(path: str, data: bytes, is_private: bool) -> None:
    """Write a whole file, with an fsync."""
    if is_private:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    mode = 0o600 if is_private else 0o666
    with open(
        path, "wb", opener=lambda name, flags: os.open(name, flags, mode)
    ) as file:
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
