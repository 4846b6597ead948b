"""
The changes of topics that ``topics.json`` does not contain yet.

The whole table is written seconds after a change if it is large, but what was confirmed
to a client must stay even if the process is killed. So each change is appended to
``topics.journal``, a line for each, before the request that made it is confirmed::

    {"dataVersion":{...},"topic":{"topicName":"T",...}}
    {"dataVersion":{...},"deleted":"T"}

The version is that of the table after the change. Once ``topics.json`` has it, the line
is removed. A start applies the lines behind the version of ``topics.json``; if that
version is neither in the journal nor just before it, another program has written the
table since, and the journal is ignored.

Appending does not flush to disk: like messages of ``ASYNC_FLUSH``, a power cut may lose
the last changes. A topic with messages is created again in any case.

Source: none; Apache RocketMQ writes the whole table at every change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.tables.background import BackgroundFile
from rocketmq_tw.jsonfile import JsonFile, append_bytes, read_bytes, replace_bytes
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.waiters import Waiters
from rocketmq_tw.threads import RunInThread
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.errors import BadField, MalformedJson

#: How many changes are kept while ``topics.json`` cannot be written.
MAX_LINES = 200_000


class TopicChange(Body, frozen=True):
    """A topic as it was changed, or the name of one that was deleted."""

    data_version: DataVersion
    topic: TopicConfig | None = None
    deleted: str | None = None


class TopicJournal:
    """
    The file of the changes.

    :param path: of the file.
    :param run_in_thread: runs what writes it.
    """

    # One write is in flight; what comes meanwhile is in the next. _is_stale: the file
    # has lines that were removed, so it is replaced instead of appended to.

    _log = Logger()

    def __init__(self, path: str, run_in_thread: RunInThread) -> None:
        self._path = path
        self._run_in_thread = run_in_thread
        self._lines: deque[tuple[DataVersion, bytes]] = deque()
        self._unwritten: list[bytes] = []
        self._is_stale = False
        self._is_busy = False
        self._is_failing = False
        self._waiting, self._current = Waiters(), Waiters()

    def load(self, version: DataVersion) -> list[TopicChange]:
        """
        Read the changes that follow a version of the table. Blocks.

        :raises OSError: the file is there, and cannot be read.
        """
        changes = list(_read(read_bytes(self._path) or b""))
        versions = [change.data_version for change in changes]
        if version in versions:
            return changes[versions.index(version) + 1 :]
        if changes and versions[0].counter != version.counter + 1:
            self._log.warn(
                "{count} changes in {path} are ignored: topics.json was written by"
                " another program since",
                count=len(changes),
                path=self._path,
            )
            return []
        return changes

    def add(self, change: TopicChange) -> None:
        """Append a change."""
        if len(self._lines) >= MAX_LINES:
            return
        line = fastjson.dumps(change) + b"\n"
        self._lines.append((change.data_version, line))
        self._unwritten.append(line)
        if not self._is_busy:
            self._write()

    def trim(self, version: DataVersion) -> None:
        """Remove the changes up to a version, which ``topics.json`` has now."""
        count = next(
            (n for n, (each, _) in enumerate(self._lines, 1) if each == version), 0
        )
        for _ in range(count):
            self._lines.popleft()
        if count:
            self._is_stale = True
            if not self._is_busy:
                self._write()

    def clear(self) -> None:
        """Remove all changes: the table is replaced by another one."""
        self._lines.clear()
        self._unwritten.clear()
        self._is_stale = True
        if not self._is_busy:
            self._write()

    def when_written(self) -> Deferred[None] | None:
        """
        Return a Deferred that fires when all changes so far are written, or cannot be.

        :returns: None if they are.
        """
        if not self._is_busy:
            return None
        return (self._waiting if self._unwritten else self._current).add()

    def _write(self) -> None:
        """Write what is not in the file."""
        self._is_busy = True
        self._current, self._waiting = self._waiting, Waiters()
        self._unwritten, lines = [], self._unwritten
        if self._is_stale:
            self._is_stale = False
            text = b"".join(line for _, line in self._lines)
            written = self._run_in_thread(lambda: replace_bytes(self._path, text))
        else:
            text = b"".join(lines)
            written = self._run_in_thread(lambda: append_bytes(self._path, text))
        written.addCallbacks(self._written, self._failed)

    def _written(self, _result: object) -> None:
        """Release those who wait, and write what came meanwhile."""
        self._is_failing = False
        self._end()

    def _failed(self, failure: Failure) -> None:
        """Log a failure once; the next write replaces the whole file."""
        if not self._is_failing:
            why = failure.getErrorMessage()
            self._log.error("could not write {path}: {why}", path=self._path, why=why)
        self._is_failing = self._is_stale = True
        self._end()

    def _end(self) -> None:
        """Release those who waited for a write."""
        self._is_busy = False
        over, self._current = self._current, Waiters()
        if self._unwritten or (self._is_stale and not self._is_failing):
            self._write()
        over.fire()


class JournaledFile(JsonFile):
    """
    The file ``topics.json``, which removes from the journal what it contains.

    :param file: writes it.
    :param version: returns the version of the table in the text that is written.
    """

    def __init__(
        self, file: JsonFile, journal: TopicJournal, version: Callable[[], DataVersion]
    ) -> None:
        super().__init__(file.path)
        self._file = file
        self._journal = journal
        self._version = version

    def save(self, document: bytes) -> None:
        """Write the file, or let it be written in a thread."""
        version = self._version()
        self._file.save(document)
        if isinstance(self._file, BackgroundFile):
            self._file.drain().addCallback(self._drained, self._file, version)
        else:
            self._journal.trim(version)

    def _drained(self, _: None, file: BackgroundFile, version: DataVersion) -> None:
        """Trim the journal, unless the file could not be written."""
        if file.is_written:
            self._journal.trim(version)


def _read(text: bytes) -> Iterator[TopicChange]:
    """Decode lines up to the first that is not whole."""
    for line in text.split(b"\n"):
        try:
            yield TopicChange.decode(line)
        except (MalformedJson, BadField):
            return
