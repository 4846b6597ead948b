"""
The files of ACL 1.0: ``plain_acl.yml``, and those in ``acl`` beside it.

All methods of :class:`PlainFiles` block but one, which only asks for the state of the
files.

Source: ``PlainPermissionManager`` of RocketMQ 4.9.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import msgspec

from rocketmq_tw.auth.acl import AccountText, Acl, AclText, make_acl
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.plain_document import Document, Version, advance, version_of
from rocketmq_tw.auth.yaml_text import read_yaml, write_yaml
from rocketmq_tw.jsonfile import read_bytes, replace_private

#: Bytes of all files together. They are read in a thread, at some 5 MB/s.
MAX_SIZE = 1 << 20
#: Files in the folder.
MAX_FILES = 100

#: What shows that a file has changed: its time, size and number.
Stamp = tuple[int, int, int]
#: Those of all files, by path.
Stamps = dict[str, Stamp]


class PlainText(msgspec.Struct, frozen=True):
    """
    A file.

    :ivar version: how often requests have changed it.
    """

    text: AclText
    version: Version


class Loaded(msgspec.Struct, frozen=True):
    """
    What was read.

    :ivar texts: by path, in the order in which they count.
    """

    acl: Acl
    stamps: Stamps
    texts: dict[str, PlainText]

    def accounts(self) -> Iterator[AccountText]:
        """Return the accounts that count, each once."""
        found: dict[str, AccountText] = {}
        for each in self.texts.values():
            for account in each.text.accounts or ():
                found.setdefault(str(account.access_key), account)
        return iter(found.values())

    def white(self) -> list[str]:
        """Return the patterns of addresses that need no signature."""
        return [
            pattern
            for each in self.texts.values()
            for pattern in each.text.global_white_remote_addresses or ()
        ]

    def file_of(self, access_key: str) -> str | None:
        """Return the file of an account; None if there is no such account."""
        for path, each in self.texts.items():
            for account in each.text.accounts or ():
                if str(account.access_key) == access_key:
                    return path
        return None


class PlainFiles:
    """
    The files of ACL 1.0.

    :param path: ``plain_acl.yml``.
    :param max_users: how many accounts there may be.
    """

    def __init__(self, path: str, max_users: int) -> None:
        self.path = path
        self._folder = os.path.join(os.path.dirname(path), "acl")
        self._max_users = max_users

    def stamps(self) -> Stamps:
        """Return the state of all files that exist."""
        found: Stamps = {}
        for path in self._paths():
            with contextlib.suppress(OSError):
                found[path] = _stamp(path)
        return found

    def _paths(self) -> Iterator[str]:
        yield self.path
        try:
            names = sorted(os.listdir(self._folder))
        except OSError:
            return
        found = [name for name in names if name.endswith((".yml", ".yaml"))]
        for name in found[: MAX_FILES + 1]:
            yield os.path.join(self._folder, name)

    def read(self, stamps: Stamps) -> Loaded:
        """
        Read the files whose state was asked for.

        :raises BadPolicy: one of them cannot be used, or there is none.
        """
        self._check(stamps)
        texts = {path: make_text(_document(path), path) for path in stamps}
        return self._load(stamps, texts)

    def _check(self, stamps: Stamps) -> None:
        """:raises BadPolicy: there is no file, or there is too much of them."""
        if not stamps:
            raise BadPolicy(f"there is no {self.path}")
        if len(stamps) > MAX_FILES:
            raise BadPolicy(f"{self._folder} has over {MAX_FILES} files")
        if sum(size for _, size, _ in stamps.values()) > MAX_SIZE:
            raise BadPolicy(f"the files have over {MAX_SIZE} bytes together")

    def _load(self, stamps: Stamps, texts: dict[str, PlainText]) -> Loaded:
        """:raises BadPolicy: they cannot be used."""
        acl = make_acl([each.text for each in texts.values()], self._max_users)
        return Loaded(acl, stamps, texts)

    def change(
        self, path: str, edit: Callable[[Document], None], now_ms: int
    ) -> Loaded:
        """
        Change one of the files, and read all; the file has the next version then.

        Nothing is written that could not be used.

        :param path: of a file that exists, or of ``plain_acl.yml``.
        :raises BadPolicy: it cannot be done, or not be written.
        """
        stamps = self.stamps()
        self._check(stamps)
        documents = {each: _document(each) for each in stamps}
        document = documents.get(path, {})
        edit(document)
        advance(document, now_ms)
        data = write_yaml(document)
        rest = sum(size for other, (_, size, _) in stamps.items() if other != path)
        if rest + len(data) > MAX_SIZE:
            raise BadPolicy(f"the files would have over {MAX_SIZE} bytes together")
        # As others will read it.
        documents[path] = read_document(data, path)
        texts = {each: make_text(found, each) for each, found in documents.items()}
        loaded = self._load(stamps, texts)
        try:
            replace_private(path, data)
            return msgspec.structs.replace(
                loaded, stamps={**stamps, path: _stamp(path)}
            )
        except OSError as error:
            raise BadPolicy(f"{path} cannot be written: {error.strerror}") from None


def _stamp(path: str) -> Stamp:
    """:raises OSError: there is no such file."""
    state = os.stat(path)
    return state.st_mtime_ns, state.st_size, state.st_ino


def _document(path: str) -> Document:
    """Read a file; empty if there is none. :raises BadPolicy: it cannot be used."""
    try:
        data = read_bytes(path) or b""
    except OSError as error:
        raise BadPolicy(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_SIZE:
        raise BadPolicy(f"{path} has over {MAX_SIZE} bytes")
    return read_document(data, path)


def read_document(data: bytes, path: str) -> Document:
    """:raises BadPolicy: it is not YAML, or no mapping."""
    try:
        document = read_yaml(data)
    except BadPolicy as error:
        raise BadPolicy(f"{path} {error}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise BadPolicy(f"{path} has no names with values")
    return document


def make_text(document: Document, path: str) -> PlainText:
    """:raises BadPolicy: its accounts cannot be used."""
    try:
        text = msgspec.convert(document, AclText)
    except msgspec.ValidationError as error:
        # Its text has types and names, and no value.
        raise BadPolicy(f"{path}: {error}") from None
    return PlainText(text, version_of(document))
