"""
Bodies of requests for pop: assignments, request modes, and batch acknowledgements.

Source: ``QueryAssignmentRequestBody``, ``QueryAssignmentResponseBody``,
``SetMessageRequestModeRequestBody``, ``MessageRequestModeSerializeWrapper`` and
``BatchAckMessageRequestBody`` of RocketMQ 5.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from enum import StrEnum

from rocketmq_tw.model.group import MessageModel
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.errors import BadField


class MessageRequestMode(StrEnum):
    """How a group fetches a topic's messages."""

    PULL = "PULL"
    POP = "POP"


class QueryAssignmentRequestBody(Body, frozen=True):
    """The body of QUERY_ASSIGNMENT (400)."""

    topic: str
    consumer_group: str
    client_id: str
    strategy_name: str | None = None
    message_model: MessageModel | None = None


class MessageQueueAssignment(Body, frozen=True):
    """One queue assigned to a client; queue id -1 means all queues of the broker."""

    message_queue: MessageQueue
    mode: MessageRequestMode = MessageRequestMode.PULL
    attachments: dict[str, str] | None = None


class QueryAssignmentResponseBody(Body, frozen=True):
    """The response to QUERY_ASSIGNMENT (400)."""

    message_queue_assignments: tuple[MessageQueueAssignment, ...] = ()


class SetMessageRequestModeRequestBody(Body, frozen=True):
    """The body of SET_MESSAGE_REQUEST_MODE (401)."""

    topic: str
    consumer_group: str
    mode: MessageRequestMode = MessageRequestMode.PULL
    #: How many clients pop from one queue; 0 for all.
    pop_share_queue_num: int = 0


class MessageRequestModeTable(Body, frozen=True):
    """``messageRequestMode.json``, and the response to code 402: by topic and group."""

    message_request_mode_map: dict[
        str, dict[str, SetMessageRequestModeRequestBody]
    ] = {}


class BatchAck(
    Body,
    frozen=True,
    rename={
        "consumer_group": "c",
        "topic": "t",
        "retry": "r",
        "start_offset": "so",
        "queue_id": "q",
        "revive_queue_id": "rq",
        "pop_time": "pt",
        "invisible_time": "it",
        "bit_set": "b",
    },
):
    """Acknowledgements of messages that were popped together. Times in ms."""

    consumer_group: str
    topic: str
    start_offset: int
    queue_id: int
    revive_queue_id: int
    pop_time: int
    invisible_time: int
    #: "1" or "2" for the retry topic of that version, otherwise "0".
    retry: str = "0"
    #: A Java BitSet in base64: the acknowledged offsets, relative to ``start_offset``.
    bit_set: str = ""

    def offsets(self) -> list[int]:
        """Return the acknowledged queue offsets."""
        return [self.start_offset + bit for bit in decode_bit_set(self.bit_set)]

    def among(self, offsets: Sequence[int]) -> list[int]:
        """
        Return which of some queue offsets are acknowledged.

        :raises BadField: the set is not base64.
        """
        octets = _octets(self.bit_set)
        found = []
        for offset in offsets:
            bit = offset - self.start_offset
            if 0 <= bit < 8 * len(octets) and octets[bit // 8] >> bit % 8 & 1:
                found.append(offset)
        return found


class BatchAckMessageRequestBody(Body, frozen=True):
    """The body of BATCH_ACK_MESSAGE (200151)."""

    broker_name: str | None = None
    acks: tuple[BatchAck, ...] = ()


def encode_bit_set(bits: Iterable[int]) -> str:
    """
    Encode a set of small numbers like Java's ``BitSet.toByteArray``, in base64.

    :param bits: numbers of 0 or more; {0, 9} is ``AQI=``.
    """
    octets = bytearray()
    for bit in bits:
        at = bit // 8
        octets.extend(bytes(max(0, at + 1 - len(octets))))
        octets[at] |= 1 << bit % 8
    return base64.b64encode(octets).decode()


def decode_bit_set(text: str) -> list[int]:
    """
    Return the numbers in a set.

    :raises BadField: the text is not base64.
    """
    return [
        8 * at + bit
        for at, octet in enumerate(_octets(text))
        for bit in range(8)
        if octet >> bit & 1
    ]


def _octets(text: str) -> bytes:
    """Return the bytes of a set. :raises BadField: the text is not base64."""
    try:
        return base64.b64decode(text)
    except ValueError:
        raise BadField("b", repr(text[:80]), "a bit set in base64") from None
