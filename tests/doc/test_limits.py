"""
Everything that peers can make grow has a limit, and a line in the documents.

A container that is new in the code fails :meth:`ContainersTests.test_every_one` until
it is declared: in ``doc/limits/tables.py`` with its limit, or in
``doc/limits/bounded.py`` with the reason why no peer can make it grow.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import rocketmq_tw
from doc.limits.bounded import BOUNDED
from doc.limits.declared import Limit
from doc.limits.found import containers, in_module
from doc.limits.page import PAGE, limits_page
from doc.limits.tables import (
    CACHES,
    CLIENT,
    GROWABLE,
    NAMED_OTHERWISE,
    OTHER_SETTINGS,
    REQUESTS,
)
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.consumer.config import ConsumerConfig
from rocketmq_tw.client.consumer.lite.config import PullConsumerConfig
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.bodies.kvtable import decode_properties
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.kvconfig import GetNamesrvConfig

ROOT = Path(__file__).parents[2]
PACKAGE = Path(rocketmq_tw.__file__).parent


def limits() -> Iterator[Limit]:
    """Give all limits that are declared."""
    for tables in GROWABLE.values():
        for each in tables:
            yield from each.limits
    yield from REQUESTS
    yield from CLIENT


class PageTests(SynchronousTestCase):
    """``doc/howto/limits.rst``."""

    maxDiff = None

    def test_is_up_to_date(self) -> None:
        """The page is the one that ``python -m doc.limits`` writes."""
        written = (ROOT / PAGE).read_text(encoding="utf-8")
        self.assertEqual(written, limits_page(), "run: python -m doc.limits")

    def test_every_setting(self) -> None:
        """A setting of a limit is declared as one, with its default in the page."""
        declared = {(each.config, each.setting) for each in limits()}
        settings = {
            (config, name)
            for config in (
                BrokerConfig,
                NamesrvConfig,
                ClientConfig,
                ConsumerConfig,
                PullConsumerConfig,
            )
            for name in config.__struct_fields__
            if name in NAMED_OTHERWISE
            or (name.startswith("max_") and name not in OTHER_SETTINGS)
        }
        self.assertEqual(declared ^ settings, set())

    def test_bytes(self) -> None:
        """The default of a limit is a number above 0, or chosen at the start."""
        for tables in GROWABLE.values():
            for each in tables:
                self.assertGreater(each.memory, 0, each.what)


class ContainersTests(SynchronousTestCase):
    """Each container of the code is declared."""

    def test_every_one(self) -> None:
        """A new container has a limit, or a reason why it needs none."""
        found = set(containers(PACKAGE))
        declared = Counter(name for each in BOUNDED for name in each.holds)
        declared.update(name for each in CACHES for name in each.holds)
        declared.update(
            {name for ts in GROWABLE.values() for each in ts for name in each.holds}
        )
        undeclared = sorted(found - declared.keys())
        gone = sorted(declared.keys() - found)
        twice = [name for name, count in declared.items() if count > 1]
        self.assertEqual((undeclared, gone, twice), ([], [], []))

    def test_what_is_found(self) -> None:
        """Attributes, fields of mutable structs, caches; but no constants or values."""
        code = """
NAMES = {"a": 1}
SEEN = set()
kept = lru_cache(maxsize=9)(hash)
@cache
def layout(): ...
class Value(Struct, frozen=True):
    parts: tuple[int, ...] = ()
class State(Struct):
    parts: tuple[int, ...] = ()
    pair: tuple[int, int] = (0, 0)
class Table:
    KINDS = ["a"]
    def __init__(self):
        self.rows = []
        self._texts: "dict[str, str] | None" = None
        self.count = 0
        local = []
    def grow(self):
        self.late = deque() if self.rows else None
"""
        found = sorted(in_module(ast.parse(code), "m"))
        tables = ["m.Table._texts", "m.Table.late", "m.Table.rows"]
        others = ["m.SEEN", "m.State.parts", "m.kept", "m.layout"]
        self.assertEqual(found, sorted(tables + others))


class ShownTests(SynchronousTestCase):
    """What operators and peers are told of limits."""

    def test_counters(self) -> None:
        """Every counter is in what the server shows, and is a number."""
        cluster = MemoryCluster().start()
        self.addCleanup(cluster.stop)
        (broker,) = cluster.brokers.values()
        info = cluster.call(broker, GetRuntimeInfo())
        config = cluster.call(cluster.name_servers[0], GetNamesrvConfig())
        shown = {
            BrokerConfig: json.loads(info.body)["table"],
            NamesrvConfig: decode_properties(config.body),
        }
        for limit in limits():
            for name in limit.shown:
                self.assertTrue(shown[limit.config][name].isdecimal(), name)

    def test_every_table_has_a_counter(self) -> None:
        """Of each table it is shown how much was refused."""
        for tables in GROWABLE.values():
            for each in tables:
                shown = " ".join(name for limit in each.limits for name in limit.shown)
                self.assertRegex(shown, "Refused|Closed|Forgotten", each.what)

    def test_sentences(self) -> None:
        """What is said past a limit is in the code, in these words."""
        texts = "\n".join(_texts())
        unsaid = [limit.setting for limit in limits() if limit.said not in texts]
        self.assertEqual(unsaid, [])


def _texts() -> Iterator[str]:
    """Give all texts of the code, the constant parts of formatted ones as well."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = (
                    part.value if isinstance(part, ast.Constant) else "{}"
                    for part in node.values
                )
                yield "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
