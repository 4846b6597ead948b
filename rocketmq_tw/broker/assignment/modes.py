"""
Whether groups pull the messages of a topic, or pop them: ``messageRequestMode.json``.

Source: ``MessageRequestModeManager`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.errors import TooManyRequestModes
from rocketmq_tw.broker.slave.replicated import Ask
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.wire.bodies.pop import (
    MessageRequestModeTable,
    SetMessageRequestModeRequestBody,
)
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.requests.replication import GetAllRequestModes

#: Bytes that the table of a master may have.
MAX_SIZE = 16 << 20

Mode = SetMessageRequestModeRequestBody


class RequestModes:
    """
    The modes that were set.

    :param limit: how many there may be (``maxRequestModes``).
    :ivar refused: how many were not kept because of the limit.
    """

    def __init__(self, file: JsonFile, limit: int = 2_000) -> None:
        self._file = file
        self._limit = limit
        self.refused = 0
        self._modes: dict[tuple[str, str], Mode] = {}

    def __len__(self) -> int:
        """Return how many modes were set."""
        return len(self._modes)

    def load(self) -> None:
        """
        Read the file. Blocks.

        :raises DamagedDocument: neither the file nor its backup is such a table.
        """
        stored = self._file.load_as(MessageRequestModeTable.decode)
        if stored is not None:
            self._replace(stored)

    def get(self, topic: str, group: str) -> Mode | None:
        """Return the mode of a group for a topic; None if none was set."""
        return self._modes.get((topic, group))

    def set(self, mode: Mode) -> None:
        """
        Set a mode, and write the file.

        :raises TooManyRequestModes: it would be one more, and there are enough.
        """
        key = mode.topic, mode.consumer_group
        if key not in self._modes and len(self._modes) >= self._limit:
            self.refused += 1
            raise TooManyRequestModes(self._limit)
        self._modes[key] = mode
        self._file.save(self.encode())

    def encode(self) -> bytes:
        """Encode the table as in the file and in the response to slaves."""
        table: dict[str, dict[str, Mode]] = {}
        for (topic, group), mode in self._modes.items():
            table.setdefault(topic, {})[group] = mode
        return MessageRequestModeTable(table).encode()

    async def copy(self, ask: Ask) -> None:
        """Have the modes of a slave's master. :raises BadField: they are too many."""
        body = (await ask(GetAllRequestModes())).body
        if len(body) > MAX_SIZE:
            raise BadField("body", f"{len(body)} bytes", f"{MAX_SIZE} at most")
        before = self.encode()
        self._replace(MessageRequestModeTable.decode(body))
        if self.encode() != before:
            self._file.save(self.encode())

    def _replace(self, table: MessageRequestModeTable) -> None:
        """Have the modes of a table, as many as may be kept."""
        modes = {
            (topic, group): mode
            for topic, of_topic in table.message_request_mode_map.items()
            for group, mode in of_topic.items()
        }
        self._modes = dict(list(modes.items())[: self._limit])
