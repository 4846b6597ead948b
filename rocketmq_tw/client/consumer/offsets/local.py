"""
The offsets of a broadcasting consumer, in a file on its own host.

Every member of a broadcasting group reads all queues, so each has its own offsets. The
file is that of Apache RocketMQ: an object whose keys are objects::

    ~/.rocketmq_offsets/<client>/<group>/offsets.json         (and .bak)
    {"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:42}}

The client in the path is ``<ip>@<instance name>``, without the random part of the
client id, so that a restarted program finds its offsets.

Source: ``LocalFileOffsetStore`` of RocketMQ 5.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable
from string import ascii_letters, digits
from typing import Final

from twisted.internet.defer import Deferred, DeferredLock, fail, maybeDeferred, succeed
from twisted.logger import Logger

from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.threads import RunInThread
from rocketmq_tw.wire.bodies.offsets import LocalOffsetTable

#: The directory of all offsets, by default.
DEFAULT_DIRECTORY: Final = "~/.rocketmq_offsets"

_SAFE: Final = frozenset(ascii_letters + digits + "@#%|._-:[]")


def offsets_path(directory: str | None, client: str, group: str) -> str:
    """
    Return the path of the file.

    Characters that could lead to another directory are replaced by ``%`` and their
    number, so that a name never does.

    :param directory: None: :data:`DEFAULT_DIRECTORY`.
    """
    root = os.path.expanduser(directory or DEFAULT_DIRECTORY)
    return os.path.join(root, _as_folder(client), _as_folder(group), "offsets.json")


def _as_folder(name: str) -> str:
    """Return a name as the name of one folder."""
    if not name.strip("."):
        return "%2E" * len(name) or "%"
    return "".join(c if c in _SAFE else f"%{ord(c):02X}" for c in name)


class LocalOffsetStore:
    """
    The offsets of one member of a group.

    :param path: of the file.
    :param run_in_thread: writes the file; it is read at once, at the first fetch.
    """

    _log = Logger()

    def __init__(self, path: str, run_in_thread: RunInThread) -> None:
        self._file = JsonFile(path)
        self._run = run_in_thread
        self._offsets: dict[MessageQueue, int] = {}
        #: What the file contains; None until it is read.
        self._stored: dict[MessageQueue, int] | None = None
        self._frozen: set[MessageQueue] = set()
        self._lock = DeferredLock()

    def read(self, queue: MessageQueue) -> int | None:
        """Return the cached offset; None if the queue is unknown."""
        return self._offsets.get(queue)

    def for_pull(self, _queue: MessageQueue) -> int:
        """Return 0: brokers do not store these offsets."""
        return 0

    def note_sent(self, _queue: MessageQueue, _offset: int) -> bool:
        """Do nothing."""
        return False

    def note_lost(self, _queue: MessageQueue) -> None:
        """Do nothing."""

    def update(self, queue: MessageQueue, offset: int) -> None:
        """Move a queue's offset forward; a lower one changes nothing."""
        known = self._offsets.get(queue)
        if known is None or (offset > known and queue not in self._frozen):
            self._offsets[queue] = offset

    def freeze(self, queue: MessageQueue, offset: int) -> None:
        """Set an offset, even backwards, and keep it until the queue is forgotten."""
        self._offsets[queue] = offset
        self._frozen.add(queue)

    def begin(self, queue: MessageQueue, offset: int, stored: bool) -> None:
        """Start to track a queue."""
        self.forget(queue)
        self._offsets[queue] = offset

    def forget(self, queue: MessageQueue) -> None:
        """Stop tracking a queue; the file keeps its offset."""
        self._offsets.pop(queue, None)
        self._frozen.discard(queue)

    # -- the file

    def fetch(self, queue: MessageQueue) -> Deferred[int | None]:
        """
        Return the stored offset; None if there is none.

        :returns: fails with :class:`~rocketmq_tw.jsonfile.DamagedDocument` or
            :class:`~rocketmq_tw.jsonfile.UnreadableDocument`.
        """
        try:
            return succeed(self._load().get(queue))
        except RocketMQError as error:
            return fail(error)

    def commit_changed(self) -> None:
        """Write the file if an offset has changed; errors are logged."""
        self._lock.run(self._save).addErrback(self._not_saved)

    def commit(
        self, queues: Iterable[MessageQueue]
    ) -> Deferred[dict[MessageQueue, BaseException]]:
        """
        Write the file if an offset has changed, and wait for it.

        :returns: all of the queues with the error, if the file could not be written.
        """
        return Deferred.fromCoroutine(self._commit(list(queues)))

    async def _commit(
        self, queues: list[MessageQueue]
    ) -> dict[MessageQueue, BaseException]:
        """Write the file, after another write that is in progress."""
        try:
            await self._lock.run(self._save)
        except Exception as error:
            self._log.warn(
                "{path} was not written: {why}", path=self._file.path, why=error
            )
            return dict.fromkeys(queues, error)
        return {}

    def _load(self) -> dict[MessageQueue, int]:
        """Return what the file contains; it is read once."""
        if self._stored is None:
            table = self._file.load_as(LocalOffsetTable.decode)
            self._stored = {} if table is None else dict(table.offset_table)
        return self._stored

    def _save(self) -> Deferred[None]:
        """Write the offsets of all queues, also of those that are not tracked now."""
        stored = self._load()
        table = {**stored, **self._offsets}
        if table == stored:
            return succeed(None)
        text = LocalOffsetTable(offset_table=table).encode()
        written = maybeDeferred(self._run, lambda: self._file.save(text))

        def saved(_: None) -> None:
            self._stored = table

        return written.addCallback(saved)

    def _not_saved(self, failure: object) -> None:
        """Log that the file was not written."""
        self._log.warn(
            "{path} was not written: {why}", path=self._file.path, why=failure
        )
