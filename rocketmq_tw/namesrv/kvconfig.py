"""
Namespaced keys and values, kept in a file::

    {"configTable":{"ORDER_TOPIC_CONFIG":{"TopicTest":"broker-a:4;broker-b:4"}}}

Source: ``KVConfigManager`` and ``KVConfigSerializeWrapper`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.threads import RunInThread
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.body import Body

#: Maps a topic to ``broker:queues;broker:queues``, if its order is global.
ORDER_TOPIC_CONFIG = "ORDER_TOPIC_CONFIG"

#: Characters of a namespace or a key; topic names, which are keys, have at most 255.
MAX_NAME = 255
#: Characters of a value; the order configuration of a topic has some 20 a broker.
MAX_VALUE = 64 << 10

#: Characters that an entry counts besides its own: names may be a few letters long.
_ENTRY = 32

#: Maps namespace to key to value.
Table = dict[str, dict[str, str]]


class KVConfigDocument(Body, frozen=True):
    """The file ``kvConfig.json``."""

    config_table: Table = {}

    def encode(self) -> bytes:
        """Encode as every body is; the table may have 100,000 entries."""
        return fastjson.dumps_plain(self)


class KVTooLarge(RocketMQError):
    """A namespace, key or value is too long, or the table would be too large."""


class _Change(msgspec.Struct):
    """A change that is not on disk; ``value`` is None to remove the key."""

    namespace: str
    key: str
    value: str | None
    done: Deferred[None]

    @property
    def size(self) -> int:
        """How many characters it adds at most."""
        return _cost(self.namespace) + _cost(self.key + (self.value or ""))


class KVConfig:
    """
    The table of keys. A new value can be read only after it is on disk.

    :param file: the file of the table.
    :param run_in_thread: runs a blocking function.
    :param on_change: called with the namespace and key of each change.
    :param max_size: characters that the table may have in all. It bounds the responses
        to registrations, which contain the order configuration of all topics.
    :ivar size: characters of all namespaces, keys and values, and 32 for each entry.
    :ivar refused: how many changes were too large since the start.
    """

    def __init__(
        self,
        *,
        file: JsonFile,
        run_in_thread: RunInThread,
        on_change: Callable[[str, str], None],
        max_size: int = 4 << 20,
    ) -> None:
        self._file = file
        self._run_in_thread = run_in_thread
        self._on_change = on_change
        self._max_size = max_size
        self._table: Table = {}
        self.size = 0
        self.refused = 0
        # One document is written at a time; changes that come meanwhile share the next.
        self._waiting: list[_Change] = []
        self._is_writing = False
        # Characters of the changes that are not on disk.
        self._pending = 0

    def load(self) -> None:
        """
        Read the file, if there is one; blocks.

        A table that is too large is used as it is, and takes no more.

        :raises DamagedDocument: neither it nor its backup is such a table.
        :raises UnreadableDocument: it cannot be opened.
        """
        stored = self._file.load_as(KVConfigDocument.decode)
        if stored is not None:
            self._table = stored.config_table
            self.size = _size(self._table)

    @property
    def is_too_large(self) -> bool:
        """Whether the table, read from a file, has more than it may have."""
        return self.size > self._max_size

    def get(self, namespace: str, key: str) -> str | None:
        """Return the value of a key; None if there is none."""
        return self._table.get(namespace, {}).get(key)

    def list(self, namespace: str) -> dict[str, str] | None:
        """Return all keys of a namespace; None if it was never used."""
        return self._table.get(namespace)

    def put(self, namespace: str, key: str, value: str) -> Deferred[None]:
        """
        Set a key; fires after the value is on disk, or fails with OSError.

        :raises KVTooLarge: nothing is changed.
        """
        self._check(namespace, key, value)
        return self._submit(namespace, key, value)

    def delete(self, namespace: str, key: str) -> Deferred[None]:
        """
        Remove a key; fires and fails like :meth:`put`. The namespace is kept.

        Nothing is written for a key that there can be none of.
        """
        if len(namespace) > MAX_NAME or len(key) > MAX_NAME:
            return succeed(None)
        return self._submit(namespace, key, None)

    def _check(self, namespace: str, key: str, value: str) -> None:
        """Check the sizes of a change; those that wait count as if all were new."""
        for what, text, longest in (
            ("namespace", namespace, MAX_NAME),
            ("key", key, MAX_NAME),
            ("value", value, MAX_VALUE),
        ):
            if len(text) > longest:
                self.refused += 1
                raise KVTooLarge(
                    f"the {what} has {len(text)} characters; at most {longest} are kept"
                )
        known = self.size + self._pending
        size = _cost(namespace) + _cost(key + value)
        if known + size > self._max_size:
            self.refused += 1
            raise KVTooLarge(
                f"the table has {known} characters; with {size} more"
                f" it would have over {self._max_size} (maxKvConfigSize)"
            )

    def _submit(self, namespace: str, key: str, value: str | None) -> Deferred[None]:
        """Let a change be written, with the others that wait."""
        change = _Change(namespace, key, value, Deferred())
        self._waiting.append(change)
        self._pending += change.size
        if not self._is_writing:
            self._write()
        return change.done

    def _write(self) -> None:
        """Write one document with all changes that wait, then replace the table."""
        changes, self._waiting = self._waiting, []
        self._is_writing = bool(changes)
        if not changes:
            return
        table = self._changed(changes)
        document = KVConfigDocument(table).encode()
        saved = self._run_in_thread(lambda: self._file.save(document))
        saved.addCallback(lambda _: self._written(table, changes))
        saved.addErrback(lambda failure: self._failed(changes, failure))
        saved.addCallback(lambda _: self._write())

    def _changed(self, changes: Sequence[_Change]) -> Table:
        """Return the table with some changes; namespaces without any are shared."""
        table = dict(self._table)
        set_in = {each.namespace for each in changes if each.value is not None}
        for namespace in {change.namespace for change in changes}:
            if namespace in table or namespace in set_in:
                table[namespace] = dict(table.get(namespace, {}))
        for change in changes:
            if change.value is not None:
                table[change.namespace][change.key] = change.value
            elif change.namespace in table:
                table[change.namespace].pop(change.key, None)
        return table

    def _written(self, table: Table, changes: Sequence[_Change]) -> None:
        """Use the table that is on disk now, and fire those that waited for it."""
        self._table = table
        self.size = _size(table)
        self._pending -= sum(change.size for change in changes)
        for change in changes:
            self._on_change(change.namespace, change.key)
        for change in changes:
            if not change.done.called:
                change.done.callback(None)

    def _failed(self, changes: Sequence[_Change], failure: Failure) -> None:
        """Fail all whose changes could not be written."""
        self._pending -= sum(change.size for change in changes)
        for change in changes:
            if not change.done.called:
                change.done.errback(failure.value)


def _size(table: Table) -> int:
    """Count the characters of a table."""
    return sum(
        _cost(namespace) + sum(_cost(key + value) for key, value in keys.items())
        for namespace, keys in table.items()
    )


def _cost(text: str) -> int:
    """Return what an entry counts."""
    return len(text) + _ENTRY
