"""Tests of rocketmq_tw.broker.pop.revival: copies, and what stops them."""

from __future__ import annotations

from rocketmq_tw.store.errors import PropertiesTooLong, StoreNotWriteable
from tests.broker.pop.cases import PopCase, acknowledged


class RevivalTests(PopCase):
    """What is due gets copies, sooner or later."""

    def refuse(self, error: Exception) -> None:
        """Let the store take no copies, but the revive log."""
        put = self.put = self.store.put

        def refuse(draft: object, now: float) -> object:
            if draft.topic.startswith(b"%RETRY%"):  # type: ignore[attr-defined]
                raise error
            return put(draft, now)

        self.store.put = refuse

    def test_retried(self) -> None:
        """While the store takes nothing, the messages stay in flight."""
        self.fill(b"a", b"b")
        receipts = self.receipts(invisible_time=1000)
        self.refuse(StoreNotWriteable("not now"))
        self.pass_time(1.5)
        self.assertEqual(self.retries(), [])
        self.assertIsNone(self.now(acknowledged(receipts[b"a"])).remark)
        self.store.put = self.put
        self.pass_time(10.3)
        self.assertEqual([each.body for each in self.retries()], [b"b"])
        self.flushLoggedErrors()

    def test_never(self) -> None:
        """A message that can never be stored as a copy holds up nothing."""
        self.fill(b"a")
        self.receipts(invisible_time=1000)
        self.refuse(PropertiesTooLong(40_000, 32_767))
        self.pass_time(1.5)
        self.assertEqual(len(self.pop.journal.in_flight), 0)
        self.assertEqual(self.retries(), [])

    def test_too_many_topics(self) -> None:
        """Where no retry topic may be created, the messages stay in flight."""
        self.fill(b"a")
        self.receipts(invisible_time=1000)
        limit, self.tables.topics.limit = self.tables.topics.limit, 1
        self.pass_time(1.5)
        self.assertEqual(len(self.pop.journal.in_flight), 1)
        self.tables.topics.limit = limit
        self.pass_time(10.3)
        self.assertEqual(len(self.retries()), 1)

    def test_many(self) -> None:
        """All that is due at once is copied, in the reactor's iterations."""
        for _ in range(100):
            self.fill(*(b"%d" % n for n in range(8)))
            self.receipts(invisible_time=1000)
        self.pass_time(1.2)
        for _ in range(200):
            self.clock.advance(0)
        self.assertEqual(len(self.retries()), 800)
        self.assertEqual(self.pop.revival.revived, 800)
