"""Pulls in one pass, with the general codec as the oracle."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.command import NOT_USUAL, encode_request, encode_response
from rocketmq_tw.wire.errors import LocalProtocolError
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.prepared_pull import decode_found, encode_pull, pull_format
from rocketmq_tw.wire.requests.offset import OffsetResponse
from rocketmq_tw.wire.requests.pull import (
    LitePullMessage,
    PullMessage,
    PullResponse,
    response_head,
)

INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
#: Texts that a careless format would take for its own.
ODD = st.sampled_from(["%d%b%%", '"sysFlag":"-1"', "-1", '","opaque":-1}', "\\"])


def request(kind: type[PullMessage], **fields: object) -> PullMessage:
    """Make a request as the consumer does."""
    usual = {
        "consumer_group": "g",
        "topic": "T",
        "queue_id": 2,
        "queue_offset": 0,
        "max_msg_nums": 32,
        "sys_flag": 0,
        "commit_offset": 0,
        "suspend_timeout_millis": 15_000,
    }
    return kind(**{**usual, **fields})  # type: ignore[arg-type]


class RequestTests(SynchronousTestCase):
    """Frames from a prepared header are those of the general codec."""

    @settings(max_examples=200, deadline=None)
    @given(
        kind=st.sampled_from([PullMessage, LitePullMessage]),
        names=st.tuples(TEXT | ODD, TEXT | ODD, TEXT | ODD | st.none()),
        offsets=st.tuples(INT64, INT64),
        flag=INT32,
        version=INT64,
        opaque=INT32,
    )
    def test_any(
        self,
        kind: type[PullMessage],
        names: tuple[str, str, str | None],
        offsets: tuple[int, int],
        flag: int,
        version: int,
        opaque: int,
    ) -> None:
        """Whatever the names and numbers are."""
        fixed = {
            "consumer_group": names[0],
            "topic": names[1],
            "subscription": names[2],
            "sub_version": version,
        }
        form = pull_format(request(kind, **fixed))
        expected = request(
            kind,
            commit_offset=offsets[0],
            queue_offset=offsets[1],
            sys_flag=flag,
            **fixed,
        )
        found = encode_pull(form, offsets[0], offsets[1], flag, opaque)
        self.assertEqual(found, encode_request(expected, opaque))


class ResponseTests(SynchronousTestCase):
    """Decoding the header of a response."""

    def test_found(self) -> None:
        """The fields are there, and the remark that Apache RocketMQ sends."""
        response = PullResponse(
            suggest_which_broker_id=1,
            next_begin_offset=2,
            min_offset=3,
            max_offset=4,
            remark="FOUND",
        )
        found = decode_found(encode_response(response, 9)[8:])
        response.remark = None
        self.assertEqual((found.fields, found.opaque), (response, 9))
        self.assertEqual((found.code, found.flag, found.remark), (0, 1, "FOUND"))

    def test_not_usual(self) -> None:
        """Other headers are left to the general codec."""
        for header in (encode_response(Response(), 9)[8:], b"{}", b"\xff"):
            with self.assertRaises(NOT_USUAL):
                decode_found(header)

    def test_response_head(self) -> None:
        """A prepared text only takes fields that the response has."""
        head = response_head(OffsetResponse, ("offset",), 'say "hi"') % (0, 12, 5)
        self.assertEqual(json.loads(head)["remark"], 'say "hi"')
        self.assertEqual(json.loads(head)["extFields"], {"offset": "12"})
        self.assertRaises(
            LocalProtocolError, response_head, OffsetResponse, ("no",), None
        )
