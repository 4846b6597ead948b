"""Signed sends: their content is that of the general way; oddities are left to it."""

from __future__ import annotations

from base64 import b64encode

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.signature import content, signer
from rocketmq_tw.wire.command import NOT_USUAL, decode_ext, encode_request
from rocketmq_tw.wire.requests.send import SendMessageV2
from rocketmq_tw.wire.requests.transaction import EndTransaction
from rocketmq_tw.wire.signed_send import (
    SignedSend,
    decode_signed,
    decode_signed_end,
    signed_content,
    signed_end_content,
)
from tests.broker.cases import sent

WHO = Credentials("user", "secret")

_texts = st.text(st.characters(codec="utf-8"), max_size=20)
_ints = st.integers(-(1 << 31), (1 << 31) - 1)
_bools = st.none() | st.booleans()
sends = st.builds(
    SendMessageV2,
    producer_group=_texts,
    topic=_texts,
    default_topic=_texts,
    default_topic_queue_nums=_ints,
    queue_id=_ints,
    sys_flag=_ints,
    born_timestamp=st.integers(-(1 << 63), (1 << 63) - 1),
    flag=_ints,
    properties=st.none() | _texts,
    reconsume_times=st.none() | _ints,
    unit_mode=_bools,
    max_reconsume_times=st.none() | _ints,
    batch=_bools,
    broker_name=st.none() | _texts,
)


def header_of(request: SendMessageV2) -> bytes:
    """Return the header of a signed send."""
    frame = encode_request(request, 7, sign=signer(WHO))
    return frame[8 : 8 + int.from_bytes(frame[5:8], "big")]


def decoded(header: bytes) -> SignedSend:
    """Decode a header that has fields."""
    send = decode_signed(header).fields
    assert send is not None
    return send


class SignedEndTests(SynchronousTestCase):
    """What is signed of the end of a transaction."""

    @given(
        st.builds(
            EndTransaction,
            producer_group=_texts,
            tran_state_table_offset=_ints,
            commit_log_offset=_ints,
            commit_or_rollback=_ints,
            from_transaction_check=st.booleans(),
            msg_id=st.none() | _texts,
            transaction_id=st.none() | _texts,
            topic=st.none() | _texts,
            broker_name=st.none() | _texts,
        )
    )
    def test_content(self, request: EndTransaction) -> None:
        """It is that of the texts in the header, whatever is absent."""
        header = encode_request(request, 7, sign=signer(WHO))[8:]
        end = decode_signed_end(header).fields
        self.assertEqual(signed_end_content(end), content(decode_ext(header)))


class SignedSendTests(SynchronousTestCase):
    """What is signed of a send."""

    @given(sends)
    def test_content(self, request: SendMessageV2) -> None:
        """It is that of the texts in the header, whatever is absent."""
        header = header_of(request)
        send = decoded(header)
        self.assertEqual(signed_content(send), content(decode_ext(header)))
        self.assertEqual(
            b64encode(send.signature).decode(), decode_ext(header)["Signature"]
        )

    def test_unsigned(self) -> None:
        """A send without a signature is decoded, too."""
        frame = encode_request(sent(), 7)
        send = decoded(frame[8 : 8 + int.from_bytes(frame[5:8], "big")])
        self.assertEqual((send.access_key, send.signature), (None, b""))

    def test_not_declared(self) -> None:
        """A field that it does not have is left to the general way: it is signed."""
        header = header_of(sent()).replace(b'"a":', b'"SecurityToken":"x","a":', 1)
        self.assertRaises(msgspec.ValidationError, decode_signed, header)

    def test_odd_texts(self) -> None:
        """A number or a boolean in other words has another content."""
        usual = header_of(sent(queue_id=7, batch=True))
        for text, odd in (
            (b'"e":"7"', b'"e":"07"'),
            (b'"e":"7"', b'"e":"+7"'),
            (b'"m":"true"', b'"m":"1"'),
            (b'"m":"true"', b'"m":"TRUE"'),
        ):
            header = usual.replace(text, odd)
            self.assertNotEqual(header, usual)
            try:
                send = decoded(header)
            except NOT_USUAL:
                continue
            texts = content(decode_ext(header))
            self.assertNotEqual(signed_content(send), texts, odd)
            # What it says is the same in the usual words.
            self.assertEqual(signed_content(send), signed_content(decoded(usual)))

    def test_half_of_a_character(self) -> None:
        """Half of a surrogate pair, which has no bytes, is not decoded."""
        header = header_of(sent()).replace(b'"b":"', b'"b":"\\ud800', 1)
        self.assertRaises(NOT_USUAL, decode_signed, header)
