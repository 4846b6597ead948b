"""
Namespaced keys and values, kept in a file::

    {"configTable":{"ORDER_TOPIC_CONFIG":{"TopicTest":"broker-a:4;broker-b:4"}}}

Source: ``KVConfigManager`` and ``KVConfigSerializeWrapper`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredLock

from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.threads import RunInThread
from rocketmq_tw.wire.bodies.body import Body

#: Maps a topic to ``broker:queues;broker:queues``, if its order is global.
ORDER_TOPIC_CONFIG = "ORDER_TOPIC_CONFIG"

#: Maps namespace to key to value.
Table = dict[str, dict[str, str]]


class KVConfigDocument(Body, frozen=True):
    """The file ``kvConfig.json``."""

    config_table: Table = {}


class KVConfig:
    """
    The table of keys. A new value can be read only after it is on disk.

    :param file: the file of the table.
    :param run_in_thread: runs a blocking function.
    :param on_change: called with the namespace and key of each change.
    """

    def __init__(
        self,
        *,
        file: JsonFile,
        run_in_thread: RunInThread,
        on_change: Callable[[str, str], None],
    ) -> None:
        self._file = file
        self._run_in_thread = run_in_thread
        self._on_change = on_change
        self._table: Table = {}
        # Changes are written one after the other, each a whole document.
        self._lock = DeferredLock()

    def load(self) -> None:
        """
        Read the file, if there is one; blocks.

        :raises DamagedDocument: neither it nor its backup is JSON.
        :raises UnreadableDocument: it cannot be opened.
        """
        data = self._file.load_bytes()
        if data is not None:
            self._table = KVConfigDocument.decode(data).config_table

    def get(self, namespace: str, key: str) -> str | None:
        """Return the value of a key; None if there is none."""
        return self._table.get(namespace, {}).get(key)

    def list(self, namespace: str) -> dict[str, str] | None:
        """Return all keys of a namespace; None if it was never used."""
        return self._table.get(namespace)

    def put(self, namespace: str, key: str, value: str) -> Deferred[None]:
        """Set a key; fires after the value is on disk, or fails with OSError."""
        return self._lock.run(self._change, namespace, key, value)

    def delete(self, namespace: str, key: str) -> Deferred[None]:
        """Remove a key; fires and fails like :meth:`put`. The namespace is kept."""
        return self._lock.run(self._change, namespace, key, None)

    def _change(self, namespace: str, key: str, value: str | None) -> Deferred[None]:
        """Write the changed document, then replace the table."""
        changed = {**self._table, namespace: dict(self._table.get(namespace, {}))}
        if value is None:
            changed[namespace].pop(key, None)
        else:
            changed[namespace][key] = value

        def written(_: object) -> None:
            self._table = changed
            self._on_change(namespace, key)

        document = KVConfigDocument(changed).encode()
        saved = self._run_in_thread(lambda: self._file.save(document))
        return saved.addCallback(written)
