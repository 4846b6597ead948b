"""Prepared binary headers of responses: what the general way would write."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.wire.binary_header import encode_field
from rocketmq_tw.wire.binary_stored import StoredForm, ended_header
from rocketmq_tw.wire.command import encode_response
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.frame import BINARY, join
from rocketmq_tw.wire.requests.send import SendResponse

HOST = host_to_bytes("37.37.37.37", 10911)  # its bytes are percent signs
_INT64 = st.integers(0, (1 << 63) - 1)
_OPAQUE = st.integers(-(1 << 31), (1 << 31) - 1)


class StoredFormTests(SynchronousTestCase):
    """What is written is what the general way writes."""

    @given(
        at=_INT64,
        queue_id=st.integers(0, (1 << 31) - 1),
        queue_offset=_INT64,
        opaque=_OPAQUE,
        key=st.none() | st.text("0123456789ABCDEF", min_size=1, max_size=300),
        region=st.sampled_from(["DefaultRegion", "", "100%d", "\u00fc"]),
    )
    def test_stored(
        self,
        at: int,
        queue_id: int,
        queue_offset: int,
        opaque: int,
        key: str | None,
        region: str,
    ) -> None:
        """Whatever the numbers, with a further field and without."""
        response = SendResponse(
            msg_id=HOST.hex().upper() + f"{at:016X}",
            queue_id=queue_id,
            queue_offset=queue_offset,
            region=region,
            trace_on="true",
            transaction_id=key,
        )
        more = b"" if key is None else encode_field("transactionId", key)
        form = StoredForm(HOST, region, "true")
        header = form.header(at, queue_id, queue_offset, opaque, more)
        self.assertEqual(
            join(BINARY, header), encode_response(response, opaque, BINARY)
        )

    @given(opaque=_OPAQUE)
    def test_ended(self, opaque: int) -> None:
        """A response without fields."""
        self.assertEqual(
            join(BINARY, ended_header(opaque)),
            encode_response(Response(), opaque, BINARY),
        )
