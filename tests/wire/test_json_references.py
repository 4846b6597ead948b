"""Tests of rocketmq_tw.wire.json_references."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire import command, fastjson, lenient_json
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.errors import MalformedJson
from rocketmq_tw.wire.lenient_json import MAX_NODES


def doubling(count: int) -> str:
    """Write lists, each of which means the one before twice."""
    lists = ['"a0":["x"]']
    for n in range(count):
        lists.append(f'"a{n + 1}":[{{"$ref":"$.a{n}"}},{{"$ref":"$.a{n}"}}]')
    return "{" + ",".join(lists) + "}"


def nodes(value: object) -> int:
    """Count values wherever they are seen."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + sum(map(nodes, value)) if isinstance(value, list) else 1


class BudgetTests(SynchronousTestCase):
    """What references mean is limited, and counted before it is followed."""

    def test_shared_sets(self) -> None:
        """A heartbeat whose groups share a set of subscriptions is read, as Java's."""
        topics = ",".join(
            f'{{"topic":"T{n}","subString":"*","subVersion":1}}' for n in range(50)
        )
        shared = '{"$ref":"$.consumerDataSet[0].subscriptionDataSet"}'
        groups = [f'{{"groupName":"g0","subscriptionDataSet":[{topics}]}}'] + [
            f'{{"groupName":"g{n}","subscriptionDataSet":{shared}}}'
            for n in range(1, 200)
        ]
        text = f'{{"clientID":"c","consumerDataSet":[{",".join(groups)}]}}'
        beat = HeartbeatData.decode(text.encode())
        sets = [group.subscription_data_set for group in beat.consumer_data_set]
        self.assertEqual({len(each) for each in sets}, {50})
        self.assertEqual(len(sets), 200)

    def test_doubling_is_refused(self) -> None:
        """Under two kilobytes that mean 2^40 values are refused at once."""
        self.assertEqual(nodes(fastjson.loads(doubling(10))), 6131)
        for count in (16, 40, 60, 200):
            error = self.assertRaises(MalformedJson, fastjson.loads, doubling(count))
            self.assertRegex(str(error), "references make it more|nested deeper")

    def test_products_are_refused(self) -> None:
        """Many references to one large list are refused."""
        large = "[" + "1," * 1000 + "]"
        text = '{"a":' + large + ',"b":[' + '{"$ref":"$.a"},' * 1000 + "]}"
        self.assertRaises(MalformedJson, fastjson.loads, text)
        long = '{"a":["' + "x" * 100_000 + '"],"b":['
        text = long + '{"$ref":"$.a"},' * 1000 + "]}"
        self.assertRaises(MalformedJson, fastjson.loads, text)

    def test_circles_are_refused(self) -> None:
        """Nothing may contain itself, directly or by way of others."""
        for text in (
            '{"a":{"$ref":"$"}}',
            '{"a":{"$ref":"@"}}',
            '{"a":[{"$ref":".."}]}',
            '{"a":{"b":[{"$ref":"$.a"}]}}',
            '{"a":[{"$ref":"$.b"}],"b":[{"$ref":"$.a"}]}',
            '{{"a":{"$ref":"@"}}:1}',
        ):
            self.assertRaises(MalformedJson, fastjson.loads, text)

    def test_many_values_are_refused(self) -> None:
        """The tolerant reader has a limit without references, too."""
        for item, count in (("1,", MAX_NODES - 4), ("[],", MAX_NODES // 4 - 1)):
            text = "[" + item * count + "[]]"
            self.assertRaises(MalformedJson, lenient_json.read, text)
            text = "[" + item * (count - 1) + "]"
            self.assertEqual(len(lenient_json.read(text)), count - 1)

    @settings(deadline=None)
    @given(st.data())
    def test_never_more_than_the_limit(self, data: st.DataObject) -> None:
        """Whatever refers to whatever: it is refused, or within the limit."""
        paths = st.sampled_from(["$.a", "$.b", "$.c", "$.a[0]", "$.b[1]", "$.c[0][1]"])
        items = st.lists(
            paths.map(lambda path: f'{{"$ref":"{path}"}}') | st.just("[1]"),
            max_size=60,
        )
        lists = [f'"{name}":[{",".join(data.draw(items))}]' for name in "abcd"]
        try:
            value = fastjson.loads("{" + ",".join(lists) + "}")
        except MalformedJson:
            return
        self.assertLessEqual(nodes(value), MAX_NODES)


class HeaderTests(SynchronousTestCase):
    """Headers have no references."""

    def test_references_are_text(self) -> None:
        """They are read as they are written, and mean nothing."""
        for extra in (b"", b","):
            header = b'{"code":1,"extFields":{"a":{"$ref":"$"}%b}}' % extra
            read = command.decode(command.JSON, header)
            self.assertEqual(read.fields, {"a": '{"$ref":"$"}'})

    def test_doubling_costs_nothing(self) -> None:
        """No field grows: the header that stopped a broker stays as small as it is."""
        for code in (b"105", b"999"):
            header = b'{"code":%b,"extFields":%b}' % (code, doubling(40).encode())
            read = command.decode(command.JSON, header)
            self.assertLess(sum(map(len, read.fields.values())), len(header))

    def test_many_values_are_refused(self) -> None:
        """A header that is not written as Java's may be neither long nor manifold."""
        many = b'{"code":1,"extFields":{"a":[' + b"1,," * 5000 + b"]}}"
        self.assertRaises(command.MalformedHeader, command.decode, 0, many)
        long = b'{"code":1,"extFields":{"a":1,"b":"' + bytes([32]) * (1 << 18) + b'"}}'
        self.assertRaises(command.MalformedHeader, command.decode, 0, long)

    def test_many_binary_fields_are_refused(self) -> None:
        """A binary header may not have more fields than any request."""
        block = b"\0\0\0\0\0\0" * 5000
        fixed = bytes(2) + bytes([0, 0, 0]) + bytes(8)
        header = fixed + bytes(4) + len(block).to_bytes(4, "big") + block
        self.assertRaises(command.MalformedHeader, command.decode, 1, header)
