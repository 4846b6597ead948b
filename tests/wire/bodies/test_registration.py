"""Tests of rocketmq_tw.wire.bodies.registration."""

from __future__ import annotations

import zlib

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.topic import TopicConfig, TopicFilterType
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.registration import (
    LARGEST,
    LONGEST_NAME,
    LONGEST_TOPIC,
    MAX_INFLATED,
    MAX_MAPPINGS,
    SMALL,
    RegisterBrokerBody,
    _Pieces,
    crc,
    decode_in_steps,
    decode_registration,
    decode_topic,
    encode_topic,
)
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable
from rocketmq_tw.wire.compression import BadCompression, BodyTooLarge, ZlibReader
from rocketmq_tw.wire.errors import BadField, MalformedJson
from tests.fuzz.cost import measure

FIFO = TopicConfig("Ordered", 4, 4, attributes={"message.type": "FIFO"})
INFO = {"bname": "b", "currIdMap": {"0": 0}, "epoch": 1, "topic": "S"}
BODY = RegisterBrokerBody(
    TopicConfigAndMappingTable(
        {"Ordered": FIFO, "T": TopicConfig("T", 8, 8)},
        DataVersion(5, 1, 0),
        topic_queue_mapping_info_map={"S": INFO},
    ),
    ("10.0.0.1:30000",),
)
#: The compressed form, decompressed, as a 4.9 broker writes it.
GOLDEN_4_9 = (
    b"\0\0\0\x1b"
    b'{"counter":1,"timestamp":5}'
    b"\0\0\0\x01"
    b"\0\0\0\x12"
    b"T 8 8 6 SINGLE_TAG"
    b"\0\0\0\x02"
    b"[]"
)


class TopicTextTests(SynchronousTestCase):
    """A topic is a line of items in the compressed form."""

    def test_golden(self) -> None:
        """The texts are those of Apache RocketMQ."""
        self.assertEqual(
            encode_topic(TopicConfig("TopicTest", 8, 8)),
            "TopicTest 8 8 6 SINGLE_TAG {}",
        )
        self.assertEqual(
            encode_topic(FIFO), 'Ordered 4 4 6 SINGLE_TAG {"message.type":"FIFO"}'
        )
        self.assertEqual(encode_topic(FIFO, False), "Ordered 4 4 6 SINGLE_TAG")

    def test_decode(self) -> None:
        """Five items or six are read, attributes that are no JSON dropped."""
        self.assertEqual(decode_topic(encode_topic(FIFO)), FIFO)
        plain = TopicConfig("T", 1, 2, 4, TopicFilterType.MULTI_TAG)
        self.assertEqual(decode_topic("T 1 2 4 MULTI_TAG"), plain)
        self.assertEqual(decode_topic("T 1 2 4 MULTI_TAG {a b"), plain)

    def test_bad_texts(self) -> None:
        """Too few items, and items that are no numbers, are refused."""
        for text in ("", "T 1 2 6", "T x 2 6 SINGLE_TAG"):
            self.assertRaises(BadField, decode_topic, text)


def without_attributes(body: RegisterBrokerBody) -> RegisterBrokerBody:
    """Return a registration as name servers use it."""
    table = body.topic_table
    topics = {
        name: msgspec.structs.replace(config, attributes={})
        for name, config in table.topic_config_table.items()
    }
    table = msgspec.structs.replace(table, topic_config_table=topics)
    return msgspec.structs.replace(body, topic_table=table)


class RegistrationTests(SynchronousTestCase):
    """Registrations are read in either form."""

    def test_json(self) -> None:
        """JSON loses nothing."""
        self.assertEqual(decode_registration(BODY.encode()), BODY)

    def test_compressed_for_5(self) -> None:
        """From 5.0.0 on, attributes and mappings are sent too; mappings are kept."""
        data = BODY.encode_compressed(413)
        self.assertEqual(data[:1], b"\x78")
        self.assertIn(b'{"message.type":"FIFO"}', zlib.decompress(data))
        self.assertEqual(decode_registration(data), without_attributes(BODY))

    def test_compressed_for_4_9(self) -> None:
        """Older versions get neither attributes nor mappings."""
        read = decode_registration(BODY.encode_compressed(401))
        self.assertEqual(read.topic_table.topic_queue_mapping_info_map, {})
        topics = read.topic_table.topic_config_table
        self.assertEqual(topics["Ordered"], TopicConfig("Ordered", 4, 4))
        self.assertEqual(read.filter_server_list, BODY.filter_server_list)

    def test_golden_compressed_form(self) -> None:
        """What a 4.9 broker packs is read, field by field."""
        read = decode_registration(zlib.compress(GOLDEN_4_9))
        self.assertEqual(read.topic_table.data_version, DataVersion(5, 1))
        self.assertEqual(
            read.topic_table.topic_config_table, {"T": TopicConfig("T", 8, 8)}
        )

    def test_every_cut_is_refused(self) -> None:
        """A form that ends early is an error, wherever it ends."""
        for size in range(len(GOLDEN_4_9)):
            data = zlib.compress(GOLDEN_4_9[:size])
            self.assertRaises(BadField, decode_registration, data)
        cut = BODY.encode_compressed(413)[:-1]
        self.assertRaises(BadCompression, decode_registration, cut)

    def test_announced_counts(self) -> None:
        """Counts that cannot be true are refused before anything is read for them."""
        version = GOLDEN_4_9[:31]
        for count in (3_000_000, 60_000_000, (1 << 31) - 1):
            data = zlib.compress(version + count.to_bytes(4, "big") + bytes(1 << 20))
            error = self.assertRaises(BadField, decode_registration, data)
            self.assertIn(f"{count} pieces", str(error))

    def test_long_pieces(self) -> None:
        """A piece longer than any is refused before it is inflated."""
        topic = GOLDEN_4_9[:31] + b"\0\0\0\x01"
        for before, longest in ((b"", LARGEST), (topic, LONGEST_TOPIC)):
            plain = before + (longest + 1).to_bytes(4, "big") + bytes(longest + 1)
            stream = ZlibReader(zlib.compress(plain), 1 << 26)
            steps = _Pieces(stream, 9).steps()
            error = self.assertRaises(BadField, lambda steps=steps: list(steps))
            self.assertIn(f"a piece of {longest + 1} bytes", str(error))
            self.assertIn(f"expected {longest} at most", str(error))
            self.assertGreater(stream.left, (1 << 26) - (1 << 16))

    def test_first_broken_topic_ends_it(self) -> None:
        """A million empty topics cost one: nothing behind the first is inflated."""
        count = 1_000_000
        plain = GOLDEN_4_9[:31] + count.to_bytes(4, "big") + bytes(4 * count)
        inflated: list[int] = []

        class Counting(ZlibReader):
            """Counts what is inflated."""

            def _fill(self) -> bool:
                more = super()._fill()
                inflated.append(len(self._held))
                return more

        pieces = _Pieces(Counting(zlib.compress(plain), MAX_INFLATED), count)
        self.assertRaises(BadField, lambda: list(pieces.steps()))
        self.assertLessEqual(sum(inflated), 1 << 16)

    def many(self, count: int) -> RegisterBrokerBody:
        """Make a registration of many topics."""
        names = [f"topic-{number}" for number in range(count)]
        configs = {
            name: TopicConfig(name, 4, 4, attributes={"message.type": "FIFO"})
            for name in names
        }
        info = {name: {"topic": name, "bname": "b"} for name in names[:3]}
        table = TopicConfigAndMappingTable(
            configs, DataVersion(5, 1), topic_queue_mapping_info_map=info
        )
        return RegisterBrokerBody(table, ("f:1",))

    def test_steps(self) -> None:
        """Large registrations of both forms are decoded in steps, to the same."""
        body = self.many(2500)
        for data in (body.encode(), body.encode_compressed(413)):
            steps = decode_in_steps(data)
            self.assertGreaterEqual(len(list(steps)), 2)
            self.assertEqual(decode_registration(data), without_attributes(body))

    def test_step_of_the_least_favourable_text(self) -> None:
        """No step reads much, whatever is written in it that Java reads."""
        odd = {f"k{number}": str(number) for number in range(900)}
        names = [f"topic-{number}" for number in range(20)]
        topics = {name: TopicConfig(name, 4, 4, attributes=odd) for name in names}
        info = {name: {"topic": name, "map": odd} for name in names}
        body = RegisterBrokerBody(
            TopicConfigAndMappingTable(
                topics, DataVersion(5, 1), topic_queue_mapping_info_map=info
            )
        )
        plain = zlib.decompress(body.encode_compressed(413))
        for data in (body.encode(), zlib.compress(plain)):
            size = len(data if data[:1] == b"{" else plain)
            steps = list(decode_in_steps(data))
            self.assertLess(size / len(steps), SMALL + LONGEST_TOPIC)
            self.assertEqual(decode_registration(data), without_attributes(body))

    def test_memory(self) -> None:
        """Attributes, which nobody needs here, are not kept, and mappings are few."""
        many = {f"k{number}": "" for number in range(1000)}
        names = [f"topic-{number}" for number in range(200)]
        topics = {name: TopicConfig(name, 4, 4, attributes=many) for name in names}
        body = RegisterBrokerBody(TopicConfigAndMappingTable(topics))
        for data in (body.encode(), body.encode_compressed(413)):
            cost, _ = measure(lambda data=data: decode_registration(data))
            self.assertLess(cost.memory, 3 << 20)
        info = {name: {"topic": name, "map": many} for name in names}
        table = TopicConfigAndMappingTable(topic_queue_mapping_info_map=info)
        body = RegisterBrokerBody(table)
        for data in (body.encode(), body.encode_compressed(413)):
            error = self.assertRaises(BadField, decode_registration, data)
            self.assertIn(f"expected {MAX_MAPPINGS} at most", str(error))

    def test_text_too_long_for_one_step(self) -> None:
        """It is refused before it is read, in all its places and in both forms."""
        long = b"{%b}" % b",".join(b"%d:1" % number for number in range(200_000))
        piece = len(long).to_bytes(4, "big") + long
        none = b"\0\0\0\0"
        forms = (
            b'{"topicConfigSerializeWrapper":{"topicConfigTable":{"T":'
            b'{"attributes":%b,"topicName":"T"}}}}' % long,
            b'{"topicConfigSerializeWrapper":{"topicConfigTable":{}},"x":%b}' % long,
            zlib.compress(piece),
            zlib.compress(GOLDEN_4_9[:31] + none + piece),
            zlib.compress(
                GOLDEN_4_9[:31] + none + GOLDEN_4_9[-6:] + b"\0\0\0\1" + piece
            ),
        )
        for data in forms:
            cost, _ = measure(lambda data=data: self.refusal(data))
            self.assertLess(cost.work, 2 * len(data) // 256 + 20_000)

    def refusal(self, data: bytes) -> Exception:
        """Return why a registration is refused."""
        try:
            decode_registration(data)
        except (BadField, MalformedJson) as error:
            return error
        return self.fail("it was read")

    def test_long_names(self) -> None:
        """No topic has a name that is longer than any broker's."""
        for length, is_read in ((LONGEST_NAME, True), (LONGEST_NAME + 1, False)):
            for count in (1, 1000):
                names = [f"{number:x>{length}}" for number in range(count)]
                topics = {name: TopicConfig(name) for name in names}
                body = RegisterBrokerBody(TopicConfigAndMappingTable(topics))
                for data in (body.encode(), body.encode_compressed(413)):
                    if is_read:
                        self.assertEqual(decode_registration(data), body)
                    else:
                        self.assertIn("expected 255 at most", str(self.refusal(data)))

    def test_too_many_topics(self) -> None:
        """More topics than the limit are refused, before most of them are decoded."""
        body = self.many(2500)
        for data in (body.encode(), body.encode_compressed(413)):
            steps = decode_in_steps(data, max_topics=1500)
            error = self.assertRaises(BadField, lambda steps=steps: list(steps))
            self.assertIn("1500", str(error))

    def test_text_that_cannot_be_cut(self) -> None:
        """Spaces between the entries, or braces in names, are read at once."""
        body = self.many(1000)
        for change in ((b"},", b"}, "), (b'"topic-1"', b'"topic-{"')):
            data = body.encode().replace(*change)
            self.assertGreater(len(data), SMALL)
            expected = without_attributes(RegisterBrokerBody.decode(data))
            self.assertEqual(without_attributes(decode_registration(data)), expected)

    def test_size_is_limited(self) -> None:
        """A registration of more bytes than the limit is refused."""
        data = BODY.encode_compressed(413)
        size = len(zlib.decompress(data))
        self.assertEqual(decode_registration(data, size), without_attributes(BODY))
        self.assertRaises((BodyTooLarge, BadField), decode_registration, data, size - 1)
        bomb = zlib.compress(GOLDEN_4_9[:31] + b"\0\0\0\x01" + b"\x01" * (1 << 26))
        self.assertRaises((BodyTooLarge, BadField), decode_registration, bomb)

    def test_crc(self) -> None:
        """The checksum has no sign bit."""
        self.assertEqual(crc(b"hi"), 0x58932AAC)
        self.assertEqual(crc(b""), 0)
        self.assertLess(max(crc(bytes([n])) for n in range(256)), 1 << 31)
