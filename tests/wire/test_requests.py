"""Declared requests against the frames of Apache RocketMQ's clients."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from typing import Any
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire import requests
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.command import encode_request, encode_response
from rocketmq_tw.wire.fields import DECLARED, Response, from_ext, to_ext
from rocketmq_tw.wire.frame import JSON, join
from rocketmq_tw.wire.requests.pull import PullResponse
from rocketmq_tw.wire.requests.reply import PushReplyMessage
from rocketmq_tw.wire.requests.send import (
    SendMessage,
    SendMessageV2,
    SendResponse,
    send_response_format,
)
from tests.wire.captures import captures, files, read, responses

for _module in pkgutil.iter_modules(requests.__path__):
    importlib.import_module(f"{requests.__name__}.{_module.name}")


class CaptureTests(SynchronousTestCase):
    """Every recorded frame of Apache's clients and servers."""

    def test_there_are_some(self) -> None:
        """The folder of recordings is not empty."""
        self.assertGreater(len(captures()), 20)

    def test_requests(self) -> None:
        """Each declared request's header is read by its declaration."""
        for where, name, command in captures():
            declared = DECLARED.get(command.code)
            if command.is_response or declared is None:
                continue
            fields = command.fields
            if isinstance(fields, dict):
                fields = from_ext(declared, fields)
            self.assertIsInstance(fields, declared, f"{where} {name}")

    def test_strict_json_takes_the_quick_way(self) -> None:
        """The JSON headers of sends and pulls are decoded in one pass."""
        hot = {RequestCode.SEND_MESSAGE_V2, RequestCode.PULL_MESSAGE}
        seen = [
            command
            for where, _, command in captures()
            if where.endswith("-json.json")
            and not command.is_response
            and command.code in hot
        ]
        self.assertTrue(seen)
        for command in seen:
            self.assertNotIsInstance(command.fields, dict)

    def test_responses(self) -> None:
        """Each accepted response is read by what its request declares."""
        checked: Counter[str] = Counter()
        for where, request, command in responses():
            declared = DECLARED.get(request.code)
            if declared is not None and command.code in declared.accepted:
                from_ext(declared.response_type, command.fields)
                checked[where] += 1
        self.assertEqual(set(checked), files())

    def test_written_again(self) -> None:
        """What we read of a request, written by us, says the same."""
        for where, name, command in captures():
            declared = DECLARED.get(command.code)
            if command.is_response or declared is None:
                continue
            fields = command.fields
            if isinstance(fields, dict):
                fields = from_ext(declared, fields)
            frame = encode_request(fields, 5, kind=command.kind)
            command = read(frame)
            found = command.fields
            if isinstance(found, dict):
                found = from_ext(declared, found)
            self.assertEqual(to_ext(found), to_ext(fields), f"{where} {name}")


class DeclarationTests(SynchronousTestCase):
    """All declarations together."""

    def test_every_code_is_declared(self) -> None:
        """A code in the table has its request, and the other way round."""
        declared = {code for code in DECLARED if not 31000 <= code < 200_000}
        self.assertEqual(declared, {int(code) for code in RequestCode})

    def test_docstrings(self) -> None:
        """Every request says what it asks for."""
        for declared in DECLARED.values():
            self.assertTrue(declared.__doc__, declared)


class QuickResponseTests(SynchronousTestCase):
    """Responses that write themselves from a prepared text."""

    def test_send(self) -> None:
        """The quick frame of a send is the general one, byte by byte."""
        response = SendResponse(
            msg_id="0A" * 16, queue_id=3, queue_offset=1 << 40, status=10
        )
        self.assert_same(response, SendResponse)

    def test_send_prepared(self) -> None:
        """The format of one broker's responses makes the same header."""
        host = bytes((10, 0, 0, 1, 0, 0, 42, 159))
        response = SendResponse(
            msg_id=f"{host.hex().upper()}{77:016X}",
            queue_id=3,
            queue_offset=1 << 40,
            region="Region%d",
            trace_on="false",
        )
        prepared = send_response_format(host, "Region%d", "false")
        header = prepared % (77, 3, 1 << 40, 7)
        self.assertEqual(join(JSON, header), response.to_json_frame(7))

    def test_send_with_a_remark(self) -> None:
        """With a remark the general way is taken."""
        response = SendResponse(msg_id="", queue_id=3, queue_offset=0, remark="late")
        self.assertIsNone(response.to_json_frame(7))
        self.assertEqual(read(encode_response(response, 7)).remark, "late")

    def test_send_of_a_half_message(self) -> None:
        """The unique key of a half message is written in the quick way, too."""
        for key, is_quick in (("7F0000010A00", True), ('a"b', False), ("\xe9", False)):
            response = SendResponse(
                msg_id="M", queue_id=3, queue_offset=5, transaction_id=key
            )
            quick = response.to_json_frame(7)
            self.assertEqual(quick is not None, is_quick)
            frame = quick or encode_response(response, 7)
            self.assertEqual(from_ext(SendResponse, read(frame).fields), response)

    def test_send_with_rare_fields(self) -> None:
        """So it is with what few responses have, and nothing gets lost."""
        for name in ("transaction_id", "batch_uniq_id", "recall_handle"):
            response = SendResponse(
                msg_id="", queue_id=3, queue_offset=0, **{name: "some"}
            )
            frame = encode_response(response, 7)
            found = from_ext(SendResponse, read(frame).fields)
            self.assertEqual(getattr(found, name), "some")

    def test_pull(self) -> None:
        """So is that of a pull, with any remark and its body."""
        for remark in (None, "FOUND", 'with "quotes" and 100 %'):
            response = PullResponse(
                suggest_which_broker_id=0,
                next_begin_offset=5,
                min_offset=0,
                max_offset=9,
                remark=remark,
                body=b"records",
            )
            self.assert_same(response, PullResponse)

    def test_reply_that_is_pushed(self) -> None:
        """It is byte for byte what the general way writes, whatever the texts."""
        texts = ("", "100 %d", 'a\x01"b"\x02', "\xfc\u20ac\U0001f600\\/\x00\x7f")
        for text in texts:
            for mode in (False, True):
                push = pushed(producer_group=text, properties=text, unit_mode=mode)
                with mock.patch.object(PushReplyMessage, "to_json_frame", None):
                    general = encode_request(push, 7)
                self.assertEqual(push.to_json_frame(7), general)
                self.assertEqual(encode_request(push, 7), general)

    def test_reply_that_lacks_a_field(self) -> None:
        """What a reply lacks is not written; nor are one-way and signed ones so."""
        for name in ("properties", "reconsume_times", "unit_mode"):
            push = pushed(**{name: None})
            self.assertIsNone(push.to_json_frame(7))
            fields = from_ext(PushReplyMessage, read(encode_request(push, 7)).fields)
            self.assertIsNone(getattr(fields, name))
        one_way = read(encode_request(pushed(), 7, one_way=True))
        self.assertTrue(one_way.is_one_way)
        signed = encode_request(pushed(), 7, sign=lambda ext, _: ext.update(by="me"))
        self.assertIn(b'"by":"me"', signed)

    def test_confirmation_of_a_reply(self) -> None:
        """Its usual forms are decoded in one pass."""
        decode = PushReplyMessage.decode_response
        assert decode is not None
        for header in (
            encode_response(Response(), 7)[8:],
            b'{"code":0,"extFields":{"x":"1"},"flag":1,"language":"JAVA","opaque":7}',
        ):
            found = decode(header)
            self.assertEqual((found.code, found.flag, found.opaque), (0, 1, 7))
            self.assertEqual(found.fields, Response())

    def assert_same(self, response: Any, kind: type) -> None:
        """Compare what the quick and the general way say."""
        quick = response.to_json_frame(7)
        found = read(quick)
        self.assertEqual(from_ext(kind, found.fields), header_fields(response))
        self.assertEqual(found.remark, response.remark)
        self.assertEqual((found.code, found.opaque), (response.status, 7))
        self.assertEqual(found.body, response.body)
        self.assertTrue(re.search(rb'"flag":1,"language":"PYTHON"', quick))


def pushed(**fields: Any) -> PushReplyMessage:
    """Make a reply that is pushed, with all its fields."""
    values: dict[str, Any] = {
        "producer_group": "PG",
        "topic": "C_REPLY_TOPIC",
        "default_topic": "TBW102",
        "default_topic_queue_nums": 4,
        "queue_id": 3,
        "sys_flag": -1,
        "born_timestamp": 1 << 40,
        "flag": 5,
        "properties": "a\x01b\x02",
        "reconsume_times": 2,
        "unit_mode": False,
        "born_host": "10.0.0.9:4000",
        "store_host": "[::1]:10911",
        "store_timestamp": 2,
        "body": b"pong",
    }
    return PushReplyMessage(**values | fields)


def header_fields(response: Any) -> Any:
    """Return a response with its header fields alone."""
    return from_ext(type(response), to_ext(response))


class SendSpellingTests(SynchronousTestCase):
    """The two spellings of a send."""

    def test_letters(self) -> None:
        """Letters and words name the same fields."""
        values: dict[str, Any] = {
            "producer_group": "g",
            "topic": "T",
            "default_topic": "TBW102",
            "default_topic_queue_nums": 4,
            "queue_id": 1,
            "sys_flag": 0,
            "born_timestamp": 5,
            "flag": 0,
            "batch": False,
            "broker_name": "b",
        }
        self.assertEqual(
            to_ext(SendMessageV2(**values)),
            dict(
                zip("abcdefghmn", to_ext(SendMessage(**values)).values(), strict=True)
            ),
        )
