"""
What a table of topics is kept in: ``topics.json``, and the journal of what changed
since that was written.

A large file takes long to write, and the journal does not: a killed broker loses no
topic.

Source: none; ``TopicConfigManager`` of RocketMQ 5 writes the file on every change.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.tables.document import Document, Schedule
from rocketmq_tw.broker.tables.topic_journal import (
    JournaledFile,
    TopicChange,
    TopicJournal,
)
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.pacing import Steps, all_at_once
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.topics import (
    TopicConfigTable,
    encode_entry,
    with_entries,
)

#: How many topics are encoded in one step: a millisecond.
SLICE = 2000


class StoredTopics(msgspec.Struct, frozen=True):
    """
    What was kept of a table.

    :ivar is_in_file: whether the file alone has it.
    """

    table: dict[str, TopicConfig]
    version: DataVersion
    is_in_file: bool


class TopicFile:
    """
    The file and the journal of one table.

    :param journal: keeps changes until the file has them; None if nothing does.
    :param current: returns the table as it is, and its version.
    :param schedule: see :class:`~rocketmq_tw.broker.tables.document.Document`.
    """

    def __init__(
        self,
        file: JsonFile,
        *,
        journal: TopicJournal | None,
        current: Callable[[], TopicConfigTable],
        schedule: Schedule | None,
    ) -> None:
        self._file = file
        self._journal = journal
        self._current = current
        # The version of the text that was encoded last, or is being encoded.
        self._encoding = DataVersion()
        if journal is not None:
            file = JournaledFile(file, journal, lambda: self._encoding)
        self._document = Document(
            file, self._encode, schedule, steps=self._encode_in_steps
        )

    @property
    def path(self) -> str:
        """The path of the file."""
        return self._file.path

    def load(self) -> StoredTopics:
        """
        Read the file, and then the journal. Blocks.

        :raises DamagedDocument: neither the file nor its backup is a table of topics.
        """
        stored = self._file.load_as(TopicConfigTable.decode) or TopicConfigTable()
        table, version = dict(stored.topic_config_table), stored.data_version
        for change in self._journal.load(version) if self._journal else ():
            version = change.data_version
            if change.topic is not None:
                table[change.topic.topic_name] = change.topic
            table.pop(change.deleted or "", None)
        is_in_file = table == stored.topic_config_table
        return StoredTopics(table, version, is_in_file)

    def changed(self, *names: str) -> None:
        """
        Keep a change of the table, which has a new version already.

        :param names: the topics that were changed or deleted.
        """
        if self._journal is not None:
            current = self._current()
            for name in names or (None,):
                topic = current.topic_config_table.get(name or "")
                gone = name if topic is None else None
                self._journal.add(TopicChange(current.data_version, topic, gone))
        self._document.changed()

    def replaced(self) -> None:
        """Keep a table that has replaced all of the one before."""
        if self._journal is not None:
            self._journal.clear()
        self._document.changed()

    def save(self) -> None:
        """Write the file now if it is outdated. :raises OSError: that failed."""
        self._document.save()

    def when_kept(self) -> Deferred[None] | None:
        """
        Return a Deferred that fires when a kill loses no change, or nothing can help.

        :returns: None if it loses none now.
        """
        return None if self._journal is None else self._journal.when_written()

    def _encode(self) -> bytes:
        """Encode the file."""
        return all_at_once(self._encode_in_steps())

    def _encode_in_steps(self) -> Steps[bytes]:
        """
        Encode the file, a part of the table in each step.

        What changes between two steps is in it or not; the version is that at first.
        """
        current = self._current()
        self._encoding = current.data_version
        empty = TopicConfigTable({}, current.data_version).encode()
        topics = list(current.topic_config_table.values())
        entries: list[bytes] = []
        for start in range(0, len(topics), SLICE):
            if start:
                yield None
            some = topics[start : start + SLICE]
            entries.append(b",".join(map(encode_entry, some)))
        return with_entries(empty, entries)
