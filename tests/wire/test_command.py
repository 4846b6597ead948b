"""Headers: both forms, read tolerantly, refused precisely, written exactly."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.binary_header import binary_header
from rocketmq_tw.wire.command import (
    Command,
    decode,
    encode_request,
    encode_response,
)
from rocketmq_tw.wire.errors import LocalProtocolError, MalformedHeader
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.frame import BINARY, JSON, Frame, FrameDecoder
from rocketmq_tw.wire.requests.offset import GetMaxOffset, OffsetResponse
from rocketmq_tw.wire.requests.route import GetRoute
from tests.wire.test_frame import GOLDEN


def whole(frame: bytes) -> Frame:
    """Take one frame apart."""
    (found,) = FrameDecoder().feed(frame)
    return found


def read(frame: bytes) -> Command:
    """Decode one frame."""
    return decode(*whole(frame))


class Anything(Request[Response]):
    """A request with one text; its code means nothing in the protocol."""

    code: ClassVar[int] = 31999
    text: str = ""


class JSONHeaderTests(SynchronousTestCase):
    """JSON headers of other clients."""

    def test_java(self) -> None:
        """A declared request's fields come as its struct."""
        command = decode(
            JSON,
            b'{"code":105,"extFields":{"topic":"TopicTest"},"flag":0,"language":"JAVA",'
            b'"opaque":3,"serializeTypeCurrentRPC":"JSON","version":401}',
            b"body",
        )
        self.assertEqual(command.fields, GetRoute(topic="TopicTest", body=b"body"))
        self.assertEqual((command.code, command.opaque, command.flag), (105, 3, 0))
        self.assertEqual((command.language, command.version), ("JAVA", 401))
        self.assertFalse(command.is_response or command.is_one_way)

    def test_go(self) -> None:
        """An empty remark, and no form of writing, are fine."""
        command = decode(
            JSON,
            b'{"code":105,"language":"GO","version":317,"opaque":9,"flag":0,"remark":"",'
            b'"extFields":{"topic":"T","unknown":"x"}}',
        )
        self.assertEqual(command.fields.topic, "T")
        self.assertEqual(command.language, "GO")

    def test_node_raw_numbers(self) -> None:
        """Raw numbers and booleans are taken for the texts they should be."""
        command = decode(
            JSON,
            b'{"code":30,"opaque":1,"extFields":{"topic":7,"queueId":3,"committed":true}}',
        )
        fields = command.fields
        if isinstance(fields, dict):
            self.assertEqual(
                fields, {"topic": "7", "queueId": "3", "committed": "true"}
            )
        else:
            self.assertEqual(
                fields, GetMaxOffset(topic="7", queue_id=3, committed=True)
            )

    def test_odd_case_and_bare_keys(self) -> None:
        """Keys in any case, without quotes, are read as Java reads them."""
        command = decode(JSON, b'{CODE:105,"Opaque":"7",extFields:{topic:1}}')
        self.assertEqual((command.code, command.opaque), (105, 7))
        self.assertEqual(command.fields, {"topic": "1"})

    def test_unknown_code(self) -> None:
        """The fields of an undeclared request stay texts."""
        command = decode(JSON, b'{"code":31998,"opaque":1,"extFields":{"a":"1"}}')
        self.assertEqual(command.fields, {"a": "1"})

    def test_response_with_a_requests_code(self) -> None:
        """A response 11 is not mistaken for a pull request."""
        command = decode(JSON, b'{"code":11,"opaque":1,"flag":1,"extFields":{"a":"1"}}')
        self.assertTrue(command.is_response)
        self.assertEqual(command.fields, {"a": "1"})

    def test_bad_field_is_no_bad_header(self) -> None:
        """What the declaration does not allow is left to the router to refuse."""
        command = decode(JSON, b'{"code":30,"opaque":1,"extFields":{"queueId":"x"}}')
        self.assertEqual(command.fields, {"queueId": "x"})

    def test_no_code(self) -> None:
        """Without a code it is request 0, without ext fields none are there."""
        command = decode(JSON, b"{}")
        self.assertEqual((command.code, command.opaque, command.fields), (0, None, {}))

    def test_language(self) -> None:
        """An unknown language, a number or null does not matter."""
        for text in (b'"KLINGON"', b"13", b"null", b'""', b"[1]"):
            decode(JSON, b'{"code":1,"opaque":1,"language":%b}' % text)

    def test_no_header(self) -> None:
        """What is no JSON object with numbers in range closes the connection."""
        for text in (
            b"",
            b"null",
            b"[]",
            b'"text"',
            b"{",
            b'{"code":105}garbage',
            b"\xff\xfe{}",
            b'{"code":"x"}',
            b'{"code":99999999999}',
            b'{"code":1,"opaque":2147483648}',
            b'{"code":1,"flag":-2147483649}',
            b'{"code":1,"version":1e400}',
            b'{"code":1,"extFields":[1]}',
            b'{"code":1,"extFields":"x"}',
        ):
            self.assertRaises(MalformedHeader, decode, JSON, text)

    def test_hostile(self) -> None:
        """Endless numbers, deep nesting and circles are refused like the rest."""
        for text in (
            b'{"code":' + b"9" * 5000 + b"}",
            b'{"code":' + b"9" * 5000 + b',"opaque":1}',
            b'{"code":1,"x":' + b"[" * 100_000,
            b'{"a":' * 100_000,
        ):
            self.assertRaises(MalformedHeader, decode, JSON, text)

    def test_unknown_form(self) -> None:
        """A header is JSON or binary; another form closes the connection."""
        self.assertRaises(MalformedHeader, decode, 2, b"{}")


class BinaryHeaderTests(SynchronousTestCase):
    """Binary headers."""

    def test_golden(self) -> None:
        """Apache RocketMQ's bytes: an empty value counts as absent."""
        command = read(GOLDEN)
        self.assertEqual(
            (command.code, command.version, command.opaque), (105, 401, 258)
        )
        self.assertEqual((command.language, command.remark), ("PYTHON", "hi"))
        self.assertEqual((command.fields, command.body), ({"topic": "T"}, b"\1\2\3"))
        self.assertTrue(command.is_one_way)
        self.assertEqual(command.kind, BINARY)

    def test_unknown_language(self) -> None:
        """A language byte that nobody knows does not matter."""
        header = bytearray(GOLDEN[8:54])
        header[2] = 0x80
        self.assertIsNone(decode(BINARY, bytes(header)).language)

    def test_cut_anywhere(self) -> None:
        """A header that ends too early closes the connection, wherever it ends."""
        header = GOLDEN[8:54]
        for size in range(len(header)):
            self.assertRaises(MalformedHeader, decode, BINARY, header[:size])

    def test_lengths_past_the_end(self) -> None:
        """So does each of its lengths when it runs past the end, or is negative."""
        for at in (13, 19, 25):
            for wrong in (b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff"):
                header = bytearray(GOLDEN[8:54])
                header[at : at + 4] = wrong
                self.assertRaises(MalformedHeader, decode, BINARY, bytes(header))

    def test_long_keys(self) -> None:
        """A key is found whatever its length; nothing else is lost."""
        ext = {"k" * size: "v" * (size % 3 + 1) for size in range(1, 70)}
        ext["\u00fc" * 15] = "\u20ac"
        header = binary_header(105, 7, 0, None, ext)
        self.assertEqual(decode(BINARY, header).fields, ext)

    def test_value_past_the_block(self) -> None:
        """A value ends with the block of fields, whatever follows it."""
        header = binary_header(105, 7, 0, None, {"a": "12345"})
        size = len(header) - 21
        cut = header[:17] + (size - 2).to_bytes(4, "big") + header[21:]
        self.assertRaises(MalformedHeader, decode, BINARY, cut)

    def test_code_too_large(self) -> None:
        """Codes beyond 16 bits are our mistake, not the peer's."""
        response = Response(status=200050)
        self.assertRaises(LocalProtocolError, encode_response, response, 1, BINARY)


class EncodeTests(SynchronousTestCase):
    """What we write."""

    def test_request(self) -> None:
        """Keys are in Apache RocketMQ's order, values are texts, no spaces."""
        kind, header, body = whole(
            encode_request(GetMaxOffset(topic="T", queue_id=3, committed=True), 7)
        )
        self.assertEqual(kind, JSON)
        self.assertEqual(
            header,
            b'{"code":30,"extFields":{"committed":"true","queueId":"3","topic":"T"},'
            b'"flag":0,"language":"PYTHON","opaque":7,'
            b'"serializeTypeCurrentRPC":"JSON","version":479}',
        )
        self.assertEqual(body, b"")

    def test_one_way(self) -> None:
        """One-way requests say so."""
        frame = encode_request(Anything(body=b"x"), 7, one_way=True)
        command = read(frame)
        self.assertTrue(command.is_one_way)
        self.assertEqual(command.fields.body, b"x")

    def test_no_fields(self) -> None:
        """Without fields there is no ``extFields``, with no remark no ``remark``."""
        _, header, _ = whole(encode_response(Response(), 7))
        self.assertEqual(
            header,
            b'{"code":0,"flag":1,"language":"PYTHON","opaque":7,'
            b'"serializeTypeCurrentRPC":"JSON","version":479}',
        )
        for response in (Response(status=22, body=b"b"), Response(remark="why")):
            command = read(encode_response(response, -1))
            self.assertEqual(
                (command.code, command.opaque, command.remark, command.body),
                (response.status, -1, response.remark, response.body),
            )

    def test_response_in_both_forms(self) -> None:
        """A response says the same in either form."""
        for kind in (JSON, BINARY):
            response = OffsetResponse(offset=12, status=22, remark="none", body=b"b")
            command = read(encode_response(response, 5, kind))
            self.assertEqual(
                (command.code, command.opaque, command.kind), (22, 5, kind)
            )
            self.assertEqual((command.remark, command.body), ("none", b"b"))
            self.assertEqual(command.fields, {"offset": "12"})
            self.assertTrue(command.is_response)

    def test_every_opaque_is_kept(self) -> None:
        """Peers count beyond 2**31 and on from below zero; -1 is a number, too."""
        for kind in (JSON, BINARY):
            for opaque in (-(1 << 31), -1, 0, (1 << 31) - 1):
                response = encode_response(OffsetResponse(offset=1), opaque, kind)
                self.assertEqual(read(response).opaque, opaque)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(text=TEXT, opaque=st.integers(-(1 << 31), (1 << 31) - 1), body=st.binary())
def test_requests_come_back(text: str, opaque: int, body: bytes) -> None:
    """Whatever text, number and body is written in either form is read again."""
    for kind in (JSON, BINARY):
        command = read(
            encode_request(Anything(text=text, body=body), opaque, kind=kind)
        )
        assert command.opaque == opaque
        assert command.body == body
        fields = command.fields
        found = fields.get("text", "") if isinstance(fields, dict) else fields.text
        assert found == text


@settings(deadline=None)
@given(header=st.binary(max_size=200), kind=st.sampled_from([JSON, BINARY]))
def test_no_header_raises_anything_else(header: bytes, kind: int) -> None:
    """Random bytes are read or refused, nothing else happens."""
    try:
        decode(kind, header)
    except MalformedHeader:
        pass


@settings(deadline=None)
@given(
    middle=st.text(
        alphabet="{}[]\",:\\'0123456789aextFields codeopaque$ref.nulltrue\u20ac"
    )
)
def test_nearly_json_raises_nothing_else(middle: str) -> None:
    """Nor with texts that are nearly JSON."""
    for text in (f'{{"code":105,"extFields":{middle}}}', f'{{"code":{middle}}}'):
        try:
            decode(JSON, text.encode())
        except MalformedHeader:
            pass
