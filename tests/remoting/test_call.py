"""What a handler learns about a request."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.call import Call
from rocketmq_tw.wire.command import decode_json, encode_request
from rocketmq_tw.wire.frame import FrameDecoder
from rocketmq_tw.wire.requests.offset import GetMaxOffset


class CallTests(SynchronousTestCase):
    """The header, decoded and as it came."""

    def test_all_fields(self) -> None:
        """A guard sees the fields that the declaration leaves out, as texts."""
        frame = encode_request(GetMaxOffset(topic="T", queue_id=3), 1)
        ((_, header, body),) = FrameDecoder().feed(frame)
        signed = header.replace(b'"queueId"', b'"Signature":"s","queueId"')
        peer: Any = object()
        call = Call(decode_json(signed, body), peer, 7.0, signed)
        fields = call.ext()
        self.assertEqual(fields["Signature"], "s")
        self.assertEqual((fields["topic"], fields["queueId"]), ("T", "3"))
        self.assertIsNone(call.principal)
