"""Frames whose code is replaced."""

from __future__ import annotations

from unittest import TestCase

from rocketmq_tw.wire.command import encode_response
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.frame import BINARY, JSON
from rocketmq_tw.wire.recode import with_code
from rocketmq_tw.wire.requests.send import SendResponse


class WithCodeTests(TestCase):
    """Both forms of a header."""

    def test_is_as_if_encoded_so(self) -> None:
        """With remark and body, and from the prepared text of a send."""
        for kind in (JSON, BINARY):
            for response in (
                SendResponse(msg_id="A", queue_id=1, queue_offset=2),
                Response(remark="a, b", body=b"body"),
            ):
                frame = encode_response(response, 7, kind)
                response.status = 12
                self.assertEqual(
                    with_code(frame, 12), encode_response(response, 7, kind)
                )
