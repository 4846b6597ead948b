"""Tests of decoding long lists in steps."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.consumers import Connection, ProducerConnection
from rocketmq_tw.wire.bodies.cut import STEP
from rocketmq_tw.wire.bodies.cut_lists import cut_list_in_steps, cut_lists_in_steps
from rocketmq_tw.wire.errors import BadField, MalformedJson
from tests.wire.bodies.test_cut import taken


def cut(data: bytes, items: type[Any] = Any) -> tuple[int, Any]:  # type: ignore[assignment]
    """Cut the list of the members of a group."""
    return taken(cut_list_in_steps(data, "connectionSet", items))


def cut_all(data: bytes) -> tuple[int, Any]:
    """Cut a table of lists."""
    return taken(cut_lists_in_steps(data, "data", Any))  # type: ignore[arg-type]


class ListTests(SynchronousTestCase):
    """A list is cut between its items."""

    def test_large(self) -> None:
        """A step decodes some 64 KiB, whatever the size of the whole."""
        many = tuple(Connection(f"c{n}", "a:1", "GO", n) for n in range(9000))
        data = ProducerConnection(many).encode()
        count, (found, rest) = cut(data, Connection)
        self.assertEqual(count, len(data) // STEP + 1)
        self.assertEqual((tuple(found), rest), (many, b'{"connectionSet":[]}'))

    def test_left(self) -> None:
        """What is written in another way is left in the text, from there on."""
        for items, found, left in (
            (b"1,2 ,3", [1, 2, 3], b""),
            (b'"a",["b",{"c":[1]}]', ["a", ["b", {"c": [1]}]], b""),
            (b"[1], [2],[3]", [[1]], b" [2],[3]"),
            (b"[1] ,[2]", [], b"[1] ,[2]"),
            (b"", [], b""),
            (b'{"$ref":"$.a"},1', [], b'{"$ref":"$.a"},1'),
        ):
            _, (cut_out, rest) = cut(b'{"connectionSet":[%b],"x":1}' % items)
            self.assertEqual(cut_out, found, items)
            self.assertEqual(rest, b'{"connectionSet":[%b],"x":1}' % left)

    def test_malformed(self) -> None:
        """Items that are none are refused."""
        for items in (b"x,1", b"[1,2", b'"x', b"{},{1}"):
            with self.assertRaises((BadField, MalformedJson), msg=items):
                _, (_, rest) = cut(b'{"connectionSet":[%b]}' % items)
                fastjson.loads(rest)
        data = b'{"connectionSet":[{"version":"x"}]}'
        self.assertRaises(BadField, cut, data, Connection)

    def test_not_there(self) -> None:
        """Without the list all of the text is left."""
        self.assertEqual(cut(b'{"other":[1]}'), (1, ([], b'{"other":[1]}')))


class TableTests(SynchronousTestCase):
    """A table of lists is cut between them and within them."""

    def test_many_short(self) -> None:
        """Short lists take steps together."""
        lists = b",".join(b'"g%d":[%d,%d]' % (n, n, n) for n in range(20_000))
        count, (found, rest) = cut_all(b'{"data":{%b},"b":2}' % lists)
        self.assertEqual(rest, b'{"data":{},"b":2}')
        self.assertEqual((len(found), found["g7"]), (20_000, [7, 7]))
        self.assertEqual(count, len(lists) // STEP + 1)

    def test_left(self) -> None:
        """The first list that cannot be cut is left whole, and those behind it."""
        data = b'{"data":{"a":[1],"b":[[1] ,2],"c":[3]}}'
        _, (found, rest) = cut_all(data)
        self.assertEqual(found, {"a": [1]})
        self.assertEqual(rest, b'{"data":{"b":[[1] ,2],"c":[3]}}')

    @settings(max_examples=40, deadline=None)
    @given(
        some.dictionaries(
            some.text(),
            some.lists(
                some.recursive(
                    some.none() | some.booleans() | some.integers(-9, 9) | some.text(),
                    lambda inner: (
                        some.lists(inner) | some.dictionaries(some.text(), inner)
                    ),
                    max_leaves=5,
                )
            ),
        )
    )
    def test_any(self, table: dict[str, Any]) -> None:
        """Whatever is in them, what is cut and what is left are the whole."""
        data = fastjson.dumps({"data": table, "other": 1})
        _, (found, rest) = cut_all(data)
        left = fastjson.loads(rest)
        self.assertEqual({**found, **left["data"]}, fastjson.loads(data)["data"])
        self.assertEqual(left["other"], 1)
