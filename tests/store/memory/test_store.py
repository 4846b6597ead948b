"""Tests of what is special about the store in memory: it forgets."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.errors import RecordTooLong
from rocketmq_tw.store.interfaces import KeyQuery
from rocketmq_tw.store.memory.store import MemoryMessageStore
from rocketmq_tw.store.queues.fetch import Fetched, FetchStatus
from rocketmq_tw.wire.record import decode_all
from tests.store.cases import NOW, SIZE, TOPIC, draft


class ForgettingTests(SynchronousTestCase):
    """A store that is full."""

    def filled(self, count: int) -> MemoryMessageStore:
        """Put messages into a store with room for 32, a second apart in two queues."""
        store = MemoryMessageStore(max_size=32 * SIZE)
        self.successResultOf(store.open())
        for number in range(count):
            text = b"KEYS\x01k%d\x02" % (number % 10)
            body = b"%05d" % number
            one = draft(body, queue_id=number % 2, properties=text)
            store.put(one, NOW + number)
        return store

    def get(self, store: MemoryMessageStore, offset: int) -> Fetched:
        """Read queue 0."""
        found = store.get(TOPIC, 0, offset, 32, 1 << 20, None)
        assert isinstance(found, Fetched)
        return found

    def test_the_oldest_make_room(self) -> None:
        """First offsets move on; what is left is whole."""
        store = self.filled(100)
        self.assertLessEqual(store.commit_log_max - store.commit_log_min, 32 * SIZE)
        first = store.min_offset(TOPIC, 0)
        self.assertGreater(first, 30)
        self.assertEqual(store.max_offset(TOPIC, 0), 50)
        fetched = self.get(store, first)
        bodies = [int(message.body) for message in decode_all(fetched.data)]
        self.assertEqual(bodies, list(range(2 * first, 100, 2)))
        self.assertEqual(store.store_time(TOPIC, 0, first), int(NOW + 2 * first) * 1000)

    def test_consumers_behind_learn_where_to_continue(self) -> None:
        """A consumer of what is gone goes to the first that is there."""
        store = self.filled(100)
        fetched = self.get(store, 3)
        self.assertEqual(fetched.status, FetchStatus.OFFSET_TOO_SMALL)
        self.assertEqual(fetched.next_offset, store.min_offset(TOPIC, 0))
        self.assertIsNone(store.record_at(0))

    def test_an_idle_queue_runs_empty(self) -> None:
        """It keeps its place, and goes on there."""
        store = self.filled(10)
        for _ in range(64):
            store.put(draft(topic=b"Other"), NOW)
        self.assertEqual(
            (store.min_offset(TOPIC, 0), store.max_offset(TOPIC, 0)), (5, 5)
        )
        self.assertEqual(self.get(store, 5).status, FetchStatus.OFFSET_OVERFLOW_ONE)
        self.assertEqual(store.put(draft(b"new"), NOW).queue_offset, 5)
        self.assertEqual(decode_all(self.get(store, 5).data)[0].body, b"new")

    def test_keys_go_with_their_messages(self) -> None:
        """A query finds what is still there."""
        store = self.filled(100)
        found = store.query(
            KeyQuery(topic=TOPIC, key="k4", max_count=64, begin_ms=0, end_ms=1 << 60)
        )
        bodies = [
            int(decode_all(r)[0].body) for r in self.successResultOf(found).records
        ]
        self.assertEqual(bodies, [number for number in (74, 84, 94)][-len(bodies) :])
        self.assertLessEqual(len(bodies), 4)

    def test_larger_than_the_store(self) -> None:
        """Such a message is refused, and nothing is forgotten for it."""
        store = self.filled(5)
        self.assertRaises(RecordTooLong, store.put, draft(bytes(33 * SIZE)), NOW)
        self.assertEqual(store.commit_log_min, 0)
