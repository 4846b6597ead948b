"""Sends in one pass, with the general codec as the oracle."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.signature import signer
from rocketmq_tw.wire.command import (
    NOT_USUAL,
    RESPONSE,
    decode_json,
    encode_request,
    encode_response,
)
from rocketmq_tw.wire.fields import Response, from_ext
from rocketmq_tw.wire.prepared_send import (
    decode_stored,
    encode_send,
    encode_signed_send,
    header_format,
    signed_form,
)
from rocketmq_tw.wire.requests.send import (
    SendBatchMessage,
    SendMessageV2,
    SendResponse,
)

INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
#: Texts that a careless format would take for its own.
ODD = st.sampled_from(["%d%b%%", '"f":"-1"', "-1", '","opaque":-1}', "\\", "\x01\x02"])


def request(kind: type[SendMessageV2] = SendMessageV2, **other: str) -> SendMessageV2:
    """Make a request as the producer does."""
    fields = {"producer_group": "g", "topic": "T", "broker_name": "b", **other}
    return kind(
        default_topic="TBW102",
        default_topic_queue_nums=4,
        queue_id=2,
        sys_flag=0,
        born_timestamp=0,
        flag=0,
        properties="",
        reconsume_times=0,
        unit_mode=False,
        batch=kind is SendBatchMessage,
        **fields,
    )


class RequestTests(SynchronousTestCase):
    """Frames from a prepared header are those of the general codec."""

    def check(self, first: SendMessageV2, opaque: int) -> None:
        """Encode both ways."""
        form = header_format(first)
        varying = (first.sys_flag, first.born_timestamp, first.flag)
        text, body = first.properties or "", first.body
        found = encode_send(form, *varying, text, opaque, body)
        self.assertEqual(found, encode_request(first, opaque))
        for token in (None, "token"):
            sign = signer(Credentials("user", "secret", token))
            signed = signed_form(first, sign)
            found = encode_signed_send(signed, *varying, text, opaque, body)
            self.assertEqual(found, encode_request(first, opaque, sign=sign))

    @settings(max_examples=200, deadline=None)
    @given(
        names=st.tuples(TEXT | ODD, TEXT | ODD, TEXT | ODD),
        properties=TEXT | ODD,
        numbers=st.tuples(INT32, st.integers(-(1 << 63), (1 << 63) - 1), INT32),
        opaque=INT32,
        body=st.binary(max_size=20),
    )
    def test_any(
        self,
        names: tuple[str, str, str],
        properties: str,
        numbers: tuple[int, int, int],
        opaque: int,
        body: bytes,
    ) -> None:
        """Whatever its texts and numbers are."""
        group, topic, broker = names
        made = request(producer_group=group, topic=topic, broker_name=broker)
        made.sys_flag, made.born_timestamp, made.flag = numbers
        made.properties, made.body = properties, body
        self.check(made, opaque)

    def test_batch(self) -> None:
        """A batch has its own code."""
        self.check(request(SendBatchMessage), 7)

    def test_lone_surrogate(self) -> None:
        """What cannot be encoded is refused, as by the general codec."""
        form = header_format(request())
        with self.assertRaises(UnicodeEncodeError):
            encode_send(form, 0, 0, 0, "\ud800", 1, b"")


class ResponseTests(SynchronousTestCase):
    """Headers of responses, as each broker writes them."""

    def check(self, header: bytes) -> None:
        """Decode both ways."""
        found, usual = decode_stored(header), decode_json(header, b"")
        self.assertEqual(found.fields, from_ext(SendResponse, usual.fields))
        self.assertEqual(
            (found.code, found.opaque, found.flag, found.remark),
            (usual.code, usual.opaque, usual.flag, usual.remark),
        )

    def test_ours(self) -> None:
        """Our broker's, with rare fields too."""
        response = SendResponse(msg_id="A0", queue_id=3, queue_offset=1 << 40)
        self.check(encode_response(response, 9)[8:])
        response.transaction_id, response.remark = "t", "why"
        self.check(encode_response(response, 9)[8:])

    def test_apache(self) -> None:
        """Apache's broker writes the fields in another order."""
        self.check(
            b'{"code":0,"extFields":{"queueId":"3","TRACE_ON":"true","MSG_REGION":'
            b'"DefaultRegion","msgId":"7F00000100002A9F0000000000000000",'
            b'"queueOffset":"11"},"flag":1,"language":"JAVA","opaque":5,'
            b'"serializeTypeCurrentRPC":"JSON","version":513}'
        )

    def test_others(self) -> None:
        """Errors, other responses and what is no JSON are left to the general codec."""
        refused = Response(status=1, remark="no")
        for header in (
            encode_response(refused, 1)[8:],
            b'{"code":0,"flag":1}',
            b"\xff",
        ):
            with self.assertRaises(NOT_USUAL):
                decode_stored(header)
        self.assertEqual(RESPONSE, 1)
