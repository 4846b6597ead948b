"""The lane of plain sends: what it takes, and that it does as the handler does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.remoting.lane import Lane, Taken
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.wire.command import ONE_WAY, RESPONSE, decode
from rocketmq_tw.wire.fields import Ext, to_ext
from rocketmq_tw.wire.frame import BINARY, JSON, Frame, FrameDecoder
from rocketmq_tw.wire.record import decode_all
from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, SUSPEND
from rocketmq_tw.wire.requests.send import SendMessageV2
from tests.broker.cases import TOPIC, BrokerCase, Peer, pulled, sent
from tests.broker.send import (
    test_batch,
    test_feature,
    test_processor,
    test_send_back,
    test_send_flush,
)
from tests.broker.send.ways import frame_of, in_binary, through_connections
from tests.remoting.ends import Wire

KEY = "UNIQ_KEY\x01ID\x02"

# Every test of sends, by a connection with a lane.
globals().update(
    through_connections(test_batch, test_feature, test_processor, test_send_back)
)


def frames_of(data: bytes) -> list[Frame]:
    """Split frames."""
    return FrameDecoder().feed(data)


def plain(
    body: bytes = b"Hello",
    ext: Ext | None = None,
    *,
    header_flag: int = 0,
    **fields: Any,
) -> bytes:
    """Write a plain send, unless a field makes it special."""
    request = sent(**{"body": body, "properties": KEY} | fields)
    values = to_ext(request) | (ext or {})
    return frame_of(
        SendMessageV2.code, values, request.body, opaque=9, flag=header_flag
    )


class LaneCase(BrokerCase):
    """Has a topic of four queues, each with one message."""

    def setUp(self) -> None:
        """Send to each queue by the handler."""
        super().setUp()
        self.topic()
        for queue_id in range(4):
            self.ask(sent(queue_id=queue_id, properties=KEY))

    @property
    def lane(self) -> Lane:
        """The lane, which must be there."""
        lane = self.router.lane
        assert lane is not None
        return lane

    def take(self, *frames: bytes) -> Taken:
        """Let the lane take what it wants."""
        found = frames_of(b"".join(frames))
        peer: Any = self.peer
        return self.lane.take(found, 0, len(found), peer, self.clock.seconds())

    def bodies(self, queue_id: int = 0) -> list[bytes]:
        """Read a queue."""
        return [message.body for message in self.messages(TOPIC, queue_id)]


class TakenTests(LaneCase):
    """Plain sends."""

    def test_all_of_a_read(self) -> None:
        """They are stored in order, each in its queue, and each has its response."""
        taken = self.take(plain(b"1"), plain(b"2", queue_id=1), plain(b"3"))
        self.assertEqual((taken.count, taken.left), (3, None))
        self.assertEqual(self.bodies(), [b"Hello", b"1", b"3"])
        self.assertEqual(self.bodies(1), [b"Hello", b"2"])
        responses = [decode(*frame) for frame in frames_of(taken.responses)]
        self.assertEqual([each.opaque for each in responses], [9, 9, 9])
        numbers = [
            (each.fields["queueId"], each.fields["queueOffset"]) for each in responses
        ]
        self.assertEqual(numbers, [("0", "1"), ("1", "1"), ("0", "2")])

    def test_binary_headers(self) -> None:
        """Those with binary headers, until one has the other form."""
        taken = self.take(in_binary(plain(b"1")), in_binary(plain(b"2")), plain())
        self.assertEqual((taken.count, taken.left), (2, None))
        self.assertEqual(self.bodies(), [b"Hello", b"1", b"2"])
        frames = frames_of(taken.responses)
        self.assertEqual([kind for kind, _, _ in frames], [BINARY, BINARY])
        offsets = [decode(*frame).fields["queueOffset"] for frame in frames]
        self.assertEqual(offsets, ["1", "2"])

    def test_like_the_handler(self) -> None:
        """The record and the response are those of the handler, byte for byte."""
        fields: dict[str, Any] = {
            "flag": -5,
            "sys_flag": 1,
            "reconsume_times": 3,
            "properties": f"TAGS\x01TagA\x02KEYS\x01a b\u00fc\x02{KEY}WAIT\x01true\x02",
        }
        before = self.store.commit_log_max
        expected = self.ask(sent(**fields))
        middle = self.store.commit_log_max
        taken = self.take(plain(**fields))
        by_handler, by_lane = (
            bytearray(self.store.record_at(offset)) for offset in (before, middle)
        )
        self.assertEqual(taken.count, 1)
        for record in (by_handler, by_lane):
            record[20:36] = bytes(16)  # the offsets
        self.assertEqual(by_lane, by_handler)
        expected.queue_offset += 1
        expected.msg_id = expected.msg_id[:16] + f"{middle:016X}"
        self.assertEqual(taken.responses, expected.to_json_frame(9))

    def test_one_way(self) -> None:
        """A one-way send is stored and has no response."""
        taken = self.take(plain(b"1", header_flag=ONE_WAY), plain(b"2"))
        self.assertEqual((taken.count, len(frames_of(taken.responses))), (2, 1))
        self.assertEqual(self.bodies(), [b"Hello", b"1", b"2"])

    def test_counted(self) -> None:
        """The statistics count messages and bytes as ever."""
        before = self.stats.counts
        end = self.store.commit_log_max
        self.take(plain(), plain(), plain())
        counts = self.stats.counts
        self.assertEqual(counts.messages_in - before.messages_in, 3)
        grown = self.store.commit_log_max - end
        self.assertEqual(counts.bytes_in - before.bytes_in, grown)

    def test_found_by_key(self) -> None:
        """The index and recovery see what was stored."""
        self.take(plain(b"1", properties="UNIQ_KEY\x01U1\x02TAGS\x01TagA\x02"))
        self.restart()
        self.assertEqual(self.bodies(), [b"Hello", b"1"])
        self.assertEqual(self.messages(TOPIC)[1].properties["UNIQ_KEY"], "U1")


class LeftTests(LaneCase):
    """Sends that are not plain: the lane leaves the first of them, and what follows."""

    def left(self, *specials: bytes) -> None:
        """Expect that each is left, alone and behind a plain one."""
        end = self.store.commit_log_max
        for special in specials:
            self.assertEqual(self.take(special, plain()).count, 0)
            self.assertEqual(self.store.commit_log_max, end)
        for special in specials:
            self.assertEqual(self.take(plain(), special, plain()).count, 1)

    def test_decoded_once(self) -> None:
        """The header that was decoded is passed on with its body."""
        left = self.take(plain(b"late", properties="DELAY\x011\x02")).left
        assert left is not None
        self.assertEqual((left.body, left.fields.body), (b"late", b"late"))
        self.assertEqual(left.fields.topic, TOPIC)

    def test_properties(self) -> None:
        """What asks for something, or takes a closer look."""
        names = ("DELAY", "TIMER_DELIVER_MS", "TRAN_MSG", "POP_CK")
        texts = [f"{KEY}{name}\x011\x02" for name in names]
        texts += [f"{name}\x011\x02{KEY}" for name in names]
        texts += ["", "UNIQ_KEY\x01\x02", "A\x01b\x02", "UNIQ_KEY\x01a"]
        texts += [f"{KEY}TAGS\x01\x02", f"{KEY}TAGS\x01{'x' * 65}\x02"]
        self.left(*(plain(properties=text) for text in texts))
        self.left(plain(properties=f"{KEY}A\x01{'x' * 32_700}\x02"))

    def test_targets(self) -> None:
        """Other topics, and queues that do not exist or have no message yet."""
        self.topic(queues=6)
        self.ask(sent(queue_id=0))
        self.left(plain(topic="Unknown"), plain(topic="%RETRY%g"))
        self.left(*(plain(queue_id=queue_id) for queue_id in (-1, 4, 6)))

    def test_queues_taken_away(self) -> None:
        """A queue that the topic has no longer, though it holds messages."""
        self.topic(queues=2)
        self.ask(sent(queue_id=0))
        self.left(plain(queue_id=3))

    def test_sizes_and_flags(self) -> None:
        """What is refused, and what the record does not keep."""
        self.left(plain(bytes(4097)))
        self.left(*(plain(sys_flag=flag) for flag in (4, 8, 0x10, 0x20, 0x40, 0x80)))
        self.left(plain(header_flag=RESPONSE), plain(batch=True))

    def test_headers(self) -> None:
        """Other codes, other forms, and numbers out of range."""
        ext = to_ext(sent(properties=KEY))
        self.left(frame_of(10, ext), frame_of(320, ext), frame_of(34, {}))
        self.left(plain(ext={"e": "one"}), plain(ext={"h": str(1 << 31)}))
        odd = plain().replace(b'{"code":310,', b'{ "code":310,', 1)
        self.left(
            odd[:3]
            + bytes([odd[3] + 1])
            + odd[4:7]
            + b""
            + bytes([odd[7] + 1])
            + odd[8:]
        )

    def test_false_form(self) -> None:
        """A header that is said to be binary, and is not; likewise with JSON."""
        for frame, kind in ((plain(), BINARY), (in_binary(plain()), JSON)):
            data = bytearray(frame)
            data[4] = kind
            self.left(bytes(data))

    def test_broken_binary(self) -> None:
        """A binary header that is cut short, or has a number that is none."""
        for old, new in (
            (b"\x00\x01e\x00\x00\x00\x010", b"\x00\x01e\x00\x00\x00\x01x"),
            (b"\x00\x01b\x00", b"\x00\x01b\x7f"),
            (b"\x00\x01b\x00", b"\xff\xffb\x00"),
        ):
            frame = in_binary(plain())
            self.assertEqual(frame.count(old), 1)
            self.left(frame.replace(old, new))

    def test_other_addresses(self) -> None:
        """A peer with an IPv6 address."""
        self.peer = Peer(host=host_to_bytes("fe80::1", 7))
        self.assertEqual(self.take(plain()).count, 0)

    def test_closed_store(self) -> None:
        """A store that takes nothing; the handler says why."""
        self.successResultOf(self.store.close())
        self.assertEqual(self.take(plain()).count, 0)


class LimitTests(LaneCase):
    """Where the log's files end."""

    def test_border_of_a_file(self) -> None:
        """What does not fit goes through the handler, which begins the next file."""
        protocol, wire = self.connect()
        bodies = [b"%d" % number + bytes(2000) for number in range(100)]
        for at in range(0, 100, 10):
            read = bodies[at : at + 10]
            protocol.dataReceived(b"".join(plain(body) for body in read))
        self.assertEqual(self.bodies()[1:], bodies)
        self.assertEqual({each.code for each in wire.commands()}, {0})

    def connect(self) -> tuple[RemotingProtocol, Wire]:
        """Make a connection to the broker."""
        protocol, wire = RemotingProtocol(self.router, self.clock), Wire()
        protocol.makeConnection(wire)
        return protocol, wire


class ArrivalTests(LaneCase):
    """Those who are notified of new messages."""

    def arrivals(self, *frames: bytes) -> Sequence[tuple[int, int]]:
        """Take sends; give the queues and queue offsets that listeners saw."""
        seen: list[tuple[int, int]] = []
        self.store.add_listener(
            lambda _t, queue, next_, _c, _m: seen.append((queue, next_))
        )
        self.take(*frames)
        return seen

    def test_each_in_order(self) -> None:
        """A listener hears of each message with its own offset."""
        seen = self.arrivals(plain(), plain(queue_id=1), plain())
        self.assertEqual(seen, [(0, 2), (1, 2), (0, 3)])

    def test_a_listener_that_fails(self) -> None:
        """The messages are stored, the others hear of them, and it is logged."""

        def fail(*_arrival: object) -> None:
            raise ValueError("no")

        self.store.add_listener(fail)
        self.assertEqual(self.arrivals(plain(), plain()), [(0, 2), (0, 3)])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)

    def test_held_pull(self) -> None:
        """A pull that waits is answered with all of a run."""
        waiting = self.ask(pulled(queue_offset=1, sys_flag=SUBSCRIPTION | SUSPEND))
        assert isinstance(waiting, Deferred)
        self.take(plain(b"1"), plain(b"2"))
        self.clock.advance(0)
        found = decode_all(self.successResultOf(waiting).body)
        self.assertEqual([message.body for message in found], [b"1", b"2"])


class SyncFlushTests(test_send_flush.SyncFlushCase):
    """A broker that flushes before it responds."""

    def setUp(self) -> None:
        """Make a topic whose queue has a message, and connect."""
        super().setUp()
        self.topic()
        self.ask(sent(properties=KEY))
        self.flush()
        self.protocol, self.wire = RemotingProtocol(self.router, self.clock), Wire()
        self.protocol.makeConnection(self.wire)

    def test_waits(self) -> None:
        """All responses of a read come after the fsync, and the messages too."""
        self.protocol.dataReceived(plain(b"1") + plain(b"2") + plain(b"3"))
        self.assertEqual(self.wire.value(), b"")
        self.assertEqual(self.store.max_offset(TOPIC, 0), 1)
        self.flush()
        found = [each.fields["queueOffset"] for each in self.wire.commands()]
        self.assertEqual(found, ["1", "2", "3"])
        bodies = [message.body for message in self.messages(TOPIC)]
        self.assertEqual(bodies, [b"Hello", b"1", b"2", b"3"])

    def test_nobody_waits(self) -> None:
        """A send with WAIT=false is left; it gets its response at once."""
        text = f"{KEY}WAIT\x01false\x02"
        self.protocol.dataReceived(plain() + plain(properties=text))
        self.assertEqual(len(self.wire.commands()), 1)
        self.flush()
        self.assertEqual(len(self.wire.commands()), 1)

    def test_one_way(self) -> None:
        """One-way sends are flushed, and nobody waits for them."""
        self.protocol.dataReceived(plain(header_flag=ONE_WAY) * 2)
        self.flush()
        self.assertEqual(self.wire.value(), b"")
        self.assertEqual(self.store.max_offset(TOPIC, 0), 3)

    def test_too_slow(self) -> None:
        """After syncFlushTimeout the code is 10."""
        self.protocol.dataReceived(plain() + plain())
        self.clock.pump([0, 5.0])
        self.assertEqual([each.code for each in self.wire.commands()], [10, 10])

    def test_failed(self) -> None:
        """A disk that fails: code 14, and the next send is refused by the handler."""
        self.protocol.dataReceived(plain() + plain())
        self.disk.fail_next("sync")
        self.flush()
        self.protocol.dataReceived(plain())
        self.clock.advance(0)
        self.assertEqual([each.code for each in self.wire.commands()], [14] * 3)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_taken(self) -> None:
        """They were taken by the lane."""
        lane, peer = self.router.lane, self.peer
        assert lane is not None
        found = frames_of(plain() + plain())
        taken = lane.take(found, 0, 2, peer, self.clock.seconds())  # type: ignore[arg-type]
        self.assertEqual((taken.count, taken.response_count), (2, 2))
        self.assertEqual(taken.end, self.store.commit_log_max)


class MemoryTests(BrokerCase):
    """A broker without files."""

    settings = {"memory_store_size": 1 << 20}

    def test_no_lane(self) -> None:
        """It has no lane."""
        self.assertIsNone(self.router.lane)
