"""
A half message as it is stored, and what is made of it.

Source: ``EndTransactionProcessor.endMessageTransaction`` and
``TransactionalMessageBridge`` of RocketMQ 5.5.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import (
    PGROUP,
    REAL_QUEUE_ID,
    REAL_TOPIC,
    TAGS,
    TRAN_PREPARED_QUEUE_OFFSET,
    TRANSACTION_CHECK_TIMES,
    UNIQ_KEY,
    WAIT,
    StoredMessage,
)
from rocketmq_tw.model.msgid import host_from_text
from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.model.topic import TRANS_CHECK_MAX_TIME_TOPIC, TRANS_HALF_TOPIC
from rocketmq_tw.wire import properties as properties_text
from rocketmq_tw.wire.record import Draft, MalformedRecord, as_stored, decode, encode
from rocketmq_tw.wire.record_layout import PREFIX, SYS_FLAG
from rocketmq_tw.wire.record_parts import split

#: The property of a copy that says when the first half message was stored, in ms. Only
#: this package makes it.
STORED_MS = "__halfStoredMs"
#: What the committed message does not have, with the separators around the name.
_OF_HALF = tuple(
    f"\x02{name}\x01".encode() for name in (REAL_TOPIC, REAL_QUEUE_ID, STORED_MS)
)
_PAIR_END = b"\x02"
#: No queue offset, and no time, has more digits.
_DIGITS = 18


class HalfMessage(msgspec.Struct, frozen=True):
    """
    A stored half message.

    :ivar message: its record; a compressed body is still so.
    :ivar sys_flag: of the record.
    :ivar born_host: encoded.
    :ivar text: its properties, encoded.
    """

    message: StoredMessage
    sys_flag: int
    born_host: bytes
    text: bytes

    @property
    def properties(self) -> Mapping[str, str]:
        """Its properties, with those that the broker added."""
        return self.message.properties

    @property
    def group(self) -> str:
        """The group of its producer."""
        return self.properties.get(PGROUP, "")

    @property
    def topic(self) -> str:
        """The topic that it is meant for."""
        return self.properties[REAL_TOPIC]

    @property
    def queue_id(self) -> int:
        """The queue that it is meant for."""
        return int(self.properties[REAL_QUEUE_ID])

    @property
    def unique_key(self) -> str:
        """The key that its producer gave it; empty without one."""
        return self.properties.get(UNIQ_KEY, "")

    @property
    def first_offset(self) -> int:
        """The queue offset of the half message that this is a copy of, or its own."""
        text = self.properties.get(TRAN_PREPARED_QUEUE_OFFSET, "")
        first = properties_text.whole_number(text, _DIGITS)
        return self.message.queue_offset if first is None else first

    @property
    def since_ms(self) -> int:
        """From when on its age counts: when the first one was stored."""
        text = self.properties.get(STORED_MS, "")
        since_ms = properties_text.whole_number(text, _DIGITS)
        return self.message.store_time_ms if since_ms is None else since_ms

    def moved(self, times: int) -> Draft:
        """
        Return a copy that is pending in its place.

        :param times: how often its producers were asked.
        """
        kept = {
            **self.properties,
            TRAN_PREPARED_QUEUE_OFFSET: str(self.first_offset),
            TRANSACTION_CHECK_TIMES: str(times),
            STORED_MS: str(self.since_ms),
        }
        return self._changed(TRANS_HALF_TOPIC, 0, kept)

    def committed(self) -> Draft:
        """Return the message that consumers get."""
        text = without_half(self.text)
        draft = self._draft(self.topic, self.queue_id, text, self.properties.get(TAGS))
        draft.sys_flag = draft.sys_flag & ~sysflag.TRANSACTION_MASK | sysflag.COMMIT
        draft.prepared_offset = self.message.commit_log_offset
        return draft

    def as_sent(self) -> Draft:
        """Return the message as its producer sent it, for another broker."""
        own = (REAL_TOPIC, REAL_QUEUE_ID, STORED_MS, TRAN_PREPARED_QUEUE_OFFSET)
        kept = {n: v for n, v in self.properties.items() if n not in own}
        draft = self._changed(self.topic, self.queue_id, kept)
        draft.sys_flag |= sysflag.PREPARED
        return draft

    def given_up(self, times: int) -> Draft:
        """
        Return the copy for operators, in ``TRANS_CHECK_MAX_TIME_TOPIC``.

        :param times: how often its producers were asked.
        """
        kept = {**self.properties, TRANSACTION_CHECK_TIMES: str(times)}
        return self._changed(TRANS_CHECK_MAX_TIME_TOPIC, 0, kept)

    def resumed(self) -> Draft:
        """Return a new half message, about which nobody was asked, of one given up."""
        own = (STORED_MS, TRAN_PREPARED_QUEUE_OFFSET)
        kept = {n: v for n, v in self.properties.items() if n not in own}
        kept[TRANSACTION_CHECK_TIMES] = "0"
        return self._changed(TRANS_HALF_TOPIC, 0, kept)

    def question(self, times: int) -> bytes:
        """
        Return the record that a producer is sent, which is asked how it ended.

        :param times: how often its producers were asked, with this time.
        """
        message, count = self.message, str(times)
        kept = {**self.properties, TRANSACTION_CHECK_TIMES: count, WAIT: "false"}
        return encode(
            self._changed(self.topic, self.queue_id, kept),
            message.queue_offset,
            message.commit_log_offset,
            message.store_time_ms,
            host_from_text(message.store_host),
        )

    def _changed(self, topic: str, queue_id: int, kept: dict[str, str]) -> Draft:
        """Return a copy with other properties, for a topic and queue."""
        text = properties_text.encode(kept).encode()
        return self._draft(topic, queue_id, text, kept.get(TAGS))

    def _draft(self, topic: str, queue_id: int, text: bytes, tags: str | None) -> Draft:
        """Return a copy with another text of properties, for a topic and queue."""
        message = self.message
        return Draft(
            topic=topic.encode(),
            queue_id=queue_id,
            flag=message.flag,
            sys_flag=self.sys_flag,
            born_time_ms=message.born_time_ms,
            born_host=self.born_host,
            body=message.body,
            properties=text,
            tags_code=tags_code(tags),
            reconsume_times=message.reconsume_times,
        )


def without_half(text: bytes) -> bytes:
    """
    Return the encoded properties of a half message without those only it has.

    The others are left as they are written. 0.5 us for 300 bytes.
    """
    marked = _PAIR_END + text
    if not marked.endswith(_PAIR_END):
        marked += _PAIR_END
    for start in _OF_HALF:
        at = marked.find(start)
        while at >= 0:
            end = marked.index(_PAIR_END, at + 1)
            marked = marked[:at] + marked[end:]
            at = marked.find(start, at)
    return marked[1:]


def read_half(record: bytes) -> HalfMessage:
    """
    Read the record of a half message.

    :raises MalformedRecord: it is not one.
    """
    message = decode(record, inflate=as_stored)
    kept = message.properties
    topic, queue_id = kept.get(REAL_TOPIC, ""), kept.get(REAL_QUEUE_ID, "")
    if not topic or topic == TRANS_HALF_TOPIC or not queue_id.isdecimal():
        why = f'it is meant for the topic "{topic}", queue "{queue_id}"'
        raise MalformedRecord(0, why)
    size, magic = PREFIX.unpack_from(record)
    sys_flag = int.from_bytes(record[SYS_FLAG], "big")
    parts = split(record, 0, size, magic, sys_flag)
    return HalfMessage(message, sys_flag, parts.born_host, bytes(parts.properties))
