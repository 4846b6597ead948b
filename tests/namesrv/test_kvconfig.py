"""Tests of :mod:`rocketmq_tw.namesrv.kvconfig`."""

from __future__ import annotations

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.jsonfile import DamagedDocument, JsonFile
from rocketmq_tw.namesrv.kvconfig import KVConfig


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

    def test_damaged(self) -> None:
        """A damaged file is an error, not an empty table."""
        self.file.save(b"{")
        self.assertRaises(DamagedDocument, self.table)

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
        running[1].errback(OSError("full"))
        self.assertEqual(table.get("n", "k"), "1")
        self.successResultOf(first)
        self.failureResultOf(second, OSError)
