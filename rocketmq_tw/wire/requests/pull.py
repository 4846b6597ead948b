"""
Pulling messages.

Source: ``PullMessageRequestHeader``, ``PullMessageResponseHeader``, ``PullSysFlag``.
"""

from __future__ import annotations

import struct
from typing import ClassVar

import msgspec

from rocketmq_tw.wire import codes
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.errors import LocalProtocolError
from rocketmq_tw.wire.fields import Int32, Int64, Request, Response, layout

#: Bits of ``sys_flag``.
COMMIT_OFFSET = 1
SUSPEND = 2
SUBSCRIPTION = 4
CLASS_FILTER = 8
LITE_PULL = 16

#: Found, not found, retry immediately, offset moved.
PULLED = frozenset({0, 19, 20, 21})

_pack_head = struct.Struct(">II").pack
_encode = msgspec.json.Encoder().encode


class PullResponse(Response):
    """
    The result of a pull; the body is a sequence of records.

    :ivar next_begin_offset: the queue offset of the next pull.
    :ivar suggest_which_broker_id: 0 for the master.
    """

    suggest_which_broker_id: int
    next_begin_offset: int
    min_offset: int
    max_offset: int
    forbidden_type: int | None = None

    def to_json_frame(self, opaque: int) -> bytes | None:
        """Encode the frame from a text prepared for its remark."""
        if self.forbidden_type is not None:
            return None
        head = _heads.get(self.remark)
        if head is None:
            if len(_heads) > 64:
                return None
            head = _heads[self.remark] = response_head(
                PullResponse, _NUMBERS, self.remark
            )
        header = head % (
            self.status,
            self.max_offset,
            self.min_offset,
            self.next_begin_offset,
            self.suggest_which_broker_id,
            opaque,
        )
        size = len(header)
        return b"".join(
            (_pack_head(4 + size + len(self.body), size), header, self.body)
        )


_NUMBERS = ("maxOffset", "minOffset", "nextBeginOffset", "suggestWhichBrokerId")
_heads: dict[str | None, bytes] = {}


class PullMessage(Request[PullResponse]):
    """
    Ask for the messages of a queue from an offset on.

    :ivar suspend_timeout_millis: how long the broker may hold the request, with
        SUSPEND.
    """

    code: ClassVar[int] = RequestCode.PULL_MESSAGE
    accepted: ClassVar[frozenset[int]] = PULLED
    consumer_group: str
    topic: str
    queue_id: Int32
    queue_offset: Int64
    max_msg_nums: Int32
    sys_flag: Int32
    commit_offset: Int64
    suspend_timeout_millis: Int64
    subscription: str | None = None
    sub_version: Int64 = 0
    expression_type: str | None = None
    max_msg_bytes: Int32 | None = None
    request_source: Int32 | None = None


class LitePullMessage(PullMessage, Request[PullResponse]):
    """The same request from lite pull consumers of 5.x."""

    code: ClassVar[int] = RequestCode.LITE_PULL_MESSAGE


def response_head(
    kind: type[Response], ints: tuple[str, ...], remark: str | None
) -> bytes:
    """
    Prepare the header of a response whose fields are all numbers or fixed.

    :param ints: the wire names of the fields that take a ``%d``, in alphabetical order.
    :returns: a bytes format, for the code, the numbers, and the opaque.
    """
    known = {wire_name for _, wire_name in layout(kind)}
    if not known.issuperset(ints):
        raise LocalProtocolError(f"{kind.__name__} lacks one of {ints}")
    ext = b",".join(b'"%b":"%%d"' % name.encode() for name in ints)
    words = _encode(remark).replace(b"%", b"%%")
    said = b'"remark":%b,' % words if remark is not None else b""
    return (
        b'{"code":%%d,"extFields":{%b},"flag":1,"language":"%b","opaque":%%d,%b'
        b'"serializeTypeCurrentRPC":"JSON","version":%d}'
        % (ext, codes.LANGUAGE.encode(), said, codes.VERSION)
    )
