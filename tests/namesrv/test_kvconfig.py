"""Tests of :mod:`rocketmq_tw.namesrv.kvconfig`."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.jsonfile import DamagedDocument, JsonFile
from rocketmq_tw.namesrv.kvconfig import KVConfig, KVConfigDocument, KVTooLarge
from rocketmq_tw.wire import fastjson
from tests.fuzz.cost import measure


class KVConfigTests(SynchronousTestCase):
    """Keys and values outlive the process."""

    def setUp(self) -> None:
        """Choose a file."""
        self.file = JsonFile(self.mktemp())

    def table(self) -> KVConfig:
        """Load what is there."""
        table = KVConfig(
            file=self.file,
            run_in_thread=maybeDeferred,
            on_change=lambda namespace, key: None,
        )
        table.load()
        return table

    def test_kept(self) -> None:
        """What was set is there after a restart."""
        first = self.table()
        self.successResultOf(first.put("n", "k", "v"))
        self.successResultOf(first.put("n", "gone", "v"))
        self.successResultOf(first.delete("n", "gone"))
        self.assertEqual(self.table().list("n"), {"k": "v"})

    def test_apache_file(self) -> None:
        """Apache's file is read."""
        text = b'{"configTable":{"ORDER_TOPIC_CONFIG":{"T":"broker-a:4"}}}'
        self.file.save(text)
        self.assertEqual(self.table().get("ORDER_TOPIC_CONFIG", "T"), "broker-a:4")

    def test_document(self) -> None:
        """It is written as every body is, and an entry costs next to nothing."""
        keys = {f"topic-{number}": "broker-a:8" for number in range(10_000)}
        document = KVConfigDocument({"N": keys, "M": {}})
        self.assertEqual(document.encode(), fastjson.dumps(document))
        cost, _ = measure(document.encode)
        self.assertLess(cost.work, len(keys) // 4)

    def test_damaged(self) -> None:
        """A damaged file is an error, not an empty table; its backup helps."""
        for text in (b"{", b"[]", b"\0" * 9, b'{"configTable":{"n":7}}'):
            self.file.save(text)
            self.file.save(text)
            self.assertRaises(DamagedDocument, self.table)
        file = JsonFile(self.file.path)
        file.save(b'{"configTable":{"n":{"k":"v"}}}')
        file.save(text)
        self.assertEqual(self.table().get("n", "k"), "v")

    def test_visible_once_kept(self) -> None:
        """A key is seen when it is on the disk; one that is not never is."""
        running: list[Deferred[None]] = []

        def run(*_: object) -> Deferred[None]:
            running.append(Deferred())
            return running[-1]

        changed: list[tuple[str, str]] = []
        table = KVConfig(
            file=self.file,
            run_in_thread=run,
            on_change=lambda namespace, key: changed.append((namespace, key)),
        )
        first, second = table.put("n", "k", "1"), table.put("n", "k", "2")
        self.assertIsNone(table.get("n", "k"))
        self.assertEqual((len(running), changed), (1, []))
        running[0].callback(None)
        self.assertEqual((table.get("n", "k"), changed), ("1", [("n", "k")]))
        self.assertEqual(len(running), 2)
        running[1].errback(OSError("full"))
        self.assertEqual(table.get("n", "k"), "1")
        self.successResultOf(first)
        self.failureResultOf(second, OSError)

    def test_shared_document(self) -> None:
        """Changes that come while one is written share the next document."""
        running: list[Deferred[None]] = []

        def run(function: Callable[[], None]) -> Deferred[None]:
            function()
            running.append(Deferred())
            return running[-1]

        table = KVConfig(
            file=self.file, run_in_thread=run, on_change=lambda namespace, key: None
        )
        done = [table.put("n", f"k{number}", "v") for number in range(1000)]
        running[0].callback(None)
        running[1].callback(None)
        for each in done:
            self.successResultOf(each)
        self.assertEqual(len(running), 2)
        self.assertEqual(len(self.table().list("n") or {}), 1000)

    def test_too_long(self) -> None:
        """Names and values have limits; what is refused changes nothing."""
        table = self.table()
        for namespace, key, value, what in (
            ("n" * 256, "k", "v", "namespace has 256 characters; at most 255"),
            ("n", "k" * 256, "v", "key has 256 characters; at most 255"),
            ("n", "k", "v" * 65537, "value has 65537 characters; at most 65536"),
        ):
            error = self.assertRaises(KVTooLarge, table.put, namespace, key, value)
            self.assertIn(what, str(error))
        self.successResultOf(table.put("n" * 255, "k" * 255, "v" * 65536))
        self.assertEqual((table.refused, table.size), (3, 510 + 65536 + 2 * 32))

    def test_too_large_in_all(self) -> None:
        """The table has a limit; pending changes count, failed ones do not."""
        running: list[Deferred[None]] = []

        def run(*_: object) -> Deferred[None]:
            running.append(Deferred())
            return running[-1]

        table = KVConfig(
            file=self.file,
            run_in_thread=run,
            on_change=lambda namespace, key: None,
            max_size=100,
        )
        first = table.put("n", "k", "v" * 20)
        error = self.assertRaises(KVTooLarge, table.put, "n", "l", "v" * 20)
        self.assertIn("has 86 characters; with 86 more", str(error))
        self.assertIn("over 100 (maxKvConfigSize)", str(error))
        running[0].errback(OSError("full"))
        self.failureResultOf(first, OSError)
        second = table.put("n", "l", "v" * 20)
        running[1].callback(None)
        self.successResultOf(second)
        self.assertEqual((table.size, table.refused), (86, 1))

    def test_file_that_is_too_large(self) -> None:
        """It is read, and shrinks by deleting."""
        self.file.save(b'{"configTable":{"n":{"k":"%s"}}}' % (b"v" * 100))
        table = KVConfig(
            file=self.file,
            run_in_thread=maybeDeferred,
            on_change=lambda namespace, key: None,
            max_size=100,
        )
        table.load()
        self.assertTrue(table.is_too_large)
        self.successResultOf(table.delete("n", "k"))
        self.assertFalse(table.is_too_large)

    def test_deleting_makes_nothing(self) -> None:
        """Neither a namespace that was never used, nor a wait for names none has."""
        table = self.table()
        self.successResultOf(table.delete("n", "k"))
        self.assertIsNone(table.list("n"))
        self.successResultOf(table.delete("n" * 256, "k"))
        self.successResultOf(table.delete("n", "k" * 256))
        self.assertEqual((table.size, table._waiting), (0, []))
        set_first = table.put("m", "k", "v"), table.delete("m", "k")
        for each in set_first:
            self.successResultOf(each)
        self.assertEqual(table.list("m"), {})
