"""
Tests of signed sends as clients write them: which of them take the lane.

Those of Java are the recorded ones with a signature; those of Go are written as its
client does.
"""

from __future__ import annotations

import json

from rocketmq_tw.auth.signature import signer
from rocketmq_tw.remoting.lane import Taken
from rocketmq_tw.wire.binary_header import binary_header
from rocketmq_tw.wire.command import decode_ext, encode_request
from rocketmq_tw.wire.fields import Ext
from rocketmq_tw.wire.frame import BINARY, JSON, Frame, FrameDecoder, join
from rocketmq_tw.wire.prepared_send import encode_signed_send, signed_form
from rocketmq_tw.wire.requests.send import SendMessageV2
from tests.broker.access.cases import ADMIN, AccessCase
from tests.broker.cases import sent
from tests.remoting.ends import connected
from tests.wire.captures import captures

PROPERTIES = "UNIQ_KEY\x01AC11000100002A9F00000000000001\x02WAIT\x01true\x02"


def signed(ext: Ext, body: bytes) -> Ext:
    """Return the fields with the name and the signature of a user."""
    ext = dict(ext)
    signer(ADMIN)(ext, body)
    return ext


def java(*files: str) -> list[bytes]:
    """Return the sends of Java clients in some recordings, signed."""
    frames = []
    for name, what, command in captures():
        if command.code != SendMessageV2.code or "response" in what:
            continue
        if name.removesuffix(".json") not in files:
            continue
        fields = command.fields
        ext = signed(fields if isinstance(fields, dict) else to_texts(fields), b"Hello")
        kind = BINARY if "rocketmq" in name else JSON
        if kind == BINARY:
            header = binary_header(310, command.opaque or 0, 0, None, ext)
        else:
            document = {
                "code": 310,
                "extFields": ext,
                "flag": 0,
                "language": "JAVA",
                "opaque": command.opaque,
                "serializeTypeCurrentRPC": "JSON",
                "version": 407,
            }
            text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
            header = text.encode()
        frames.append(join(kind, header, b"Hello"))
    return frames


def to_texts(request: SendMessageV2) -> Ext:
    """Return the texts of the fields of a send."""
    frame = encode_request(request, 1)
    return decode_ext(frame[8 : 8 + int.from_bytes(frame[5:8], "big")])


def go() -> bytes:
    """Return a send as the Go client writes it: with the full names of fields."""
    ext = {
        "producerGroup": "PG",
        "topic": "TopicTest",
        "queueId": "0",
        "sysFlag": "0",
        "bornTimestamp": "1795370362522",
        "flag": "0",
        "reconsumeTimes": "0",
        "unitMode": "false",
        "maxReconsumeTimes": "0",
        "defaultTopic": "TBW102",
        "defaultTopicQueueNums": "4",
        "batch": "false",
        "properties": PROPERTIES,
    }
    document = {
        "code": 10,
        "language": "GO",
        "version": 317,
        "opaque": 7,
        "flag": 0,
        "remark": "",
        "extFields": signed(ext, b"Hello"),
    }
    return join(JSON, json.dumps(document, separators=(",", ":")).encode(), b"Hello")


def ours() -> bytes:
    """Return a send as our producer writes it, from a prepared header."""
    form = signed_form(sent(broker_name="broker-a"), signer(ADMIN))
    return encode_signed_send(form, 0, 1795370362522, 0, PROPERTIES, 7, b"Hello")


def split(data: bytes) -> list[Frame]:
    """Split frames as a connection does."""
    return FrameDecoder().feed(data)


class SignedClientTests(AccessCase):
    """What the lane takes of the clients' sends, once the guard has seen one."""

    def setUp(self) -> None:
        """Let the guard judge a send to the topic; each queue has a message."""
        super().setUp()
        for queue_id in range(4):
            self.assertEqual(self.status_as(ADMIN, sent(queue_id=queue_id)), 0)

    def take(self, frames: list[Frame]) -> int:
        """Give frames to the lane; return how many it took."""
        lane = self.router.lane
        assert lane is not None
        taken: Taken = lane.take(
            frames, 0, len(frames), self.peer, self.clock.seconds()
        )
        return taken.count

    def check_answered(self, data: bytes, count: int) -> None:
        """Every send is stored, whichever way it takes."""
        before = self.store.commit_log_max
        protocol, wire = connected(self.clock, self.router)
        protocol.dataReceived(data)
        self.assertEqual([each.code for each in wire.commands()], [0] * count)
        self.assertGreater(self.store.commit_log_max, before)
        protocol.connectionLost()

    def test_ours(self) -> None:
        """Our producer's sends take it."""
        self.assertEqual(self.take(split(ours() * 3)), 3)
        self.check_answered(ours() * 3, 3)

    def test_java(self) -> None:
        """The sends of Java's clients 5.3 and 5.5 take it."""
        frames = java("v53-json", "v55-json")
        self.assertEqual(len(frames), 6)
        for frame in frames:
            self.assertEqual(self.take(split(frame)), 1, frame)
        self.check_answered(b"".join(frames), len(frames))

    def test_java_in_binary(self) -> None:
        """With binary headers they are taken, too."""
        frames = java("v53-rocketmq", "v55-rocketmq")
        self.assertEqual(len(frames), 6)
        for frame in frames:
            self.assertEqual(self.take(split(frame)), 1, frame)
        self.check_answered(b"".join(frames), len(frames))

    def test_java_otherwise(self) -> None:
        """Those of 4.9, whose properties have no separator at the end, are not."""
        frames = java("v49-json")
        self.assertEqual(len(frames), 3)
        for frame in frames:
            self.assertEqual(self.take(split(frame)), 0, frame)
        self.check_answered(b"".join(frames), len(frames))

    def test_go(self) -> None:
        """The Go client uses another code, whose sends are handled one by one."""
        self.assertEqual(self.take(split(go())), 0)
        self.check_answered(go() * 2, 2)

    def test_changed(self) -> None:
        """Of none of them may a byte be changed on the way."""
        for data in (ours(), *java("v55-json")):
            self.assertEqual(self.take(split(data[:-1] + b"x")), 0)
            self.assertEqual(self.take(split(data.replace(b'"f":"0"', b'"f":"1"'))), 0)
