"""
What every store must do: the tests of IMessageStore, whoever provides it.

``test_contract.py`` runs them on the store with files and on the one in memory.
"""

from typing import Any

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.store.errors import (
    PropertiesTooLong,
    RecordTooLong,
    StoreNotWriteable,
    TopicTooLong,
)
from rocketmq_tw.store.interfaces import IMessageStore, KeyQuery, QueueEntry
from rocketmq_tw.store.queues.fetch import Fetched, FetchStatus
from rocketmq_tw.wire.record import decode_all
from tests.store.cases import NOW, TAG_A, TOPIC, draft

NOW_MS = int(NOW * 1000)
EVERYTHING = (0, NOW_MS * 2)


class StoreContract:
    """
    The tests; a class that inherits them makes stores.

    A store under test takes bodies of 100 bytes at most.
    """

    #: Mixed into a test case, whose assertions it uses.
    case: Any

    def make(self) -> IMessageStore:
        """Make a store, not yet open."""
        raise NotImplementedError

    def opened(self) -> Any:
        """Make a store and open it."""
        store = self.make()
        self.finish(store.open())  # type: ignore[attr-defined]
        self.addCleanup(store.close)  # type: ignore[attr-defined]
        return store

    def now(self, value: Any) -> Any:
        """Give a result that is there, at once or by a Deferred."""
        if isinstance(value, Deferred):
            return self.successResultOf(value)  # type: ignore[attr-defined]
        return value

    def get(self, store: Any, offset: int, **more: Any) -> Fetched:
        """Read queue 0 with generous limits."""
        what = {"max_count": 32, "max_size": 1 << 20, "matches": None} | more
        return self.now(store.get(TOPIC, 0, offset, *what.values()))

    def bodies(self, fetched: Fetched) -> list[bytes]:
        """Read the bodies, as many as promised."""
        messages = decode_all(fetched.data)
        self.assertEqual(len(messages), fetched.count)
        return [message.body for message in messages]

    def test_provides_the_interface(self) -> None:
        """A broker may rely on IMessageStore."""
        verifyObject(IMessageStore, self.opened())

    def test_counts(self) -> None:
        """What was stored in each queue, since the start."""
        store = self.opened()
        stored = [store.put(draft(), NOW), store.put(draft(), NOW)]
        stored += store.put_batch([draft(), draft()], NOW)
        store.put(draft(queue_id=1), NOW)
        first, second = store.counted_queues(TOPIC)
        size = sum(each.size for each in stored)
        self.assertEqual((first.messages, first.size), (4, size))
        self.assertEqual((second.queue_id, second.messages), (1, 1))
        self.assertEqual(store.counted_queues(), [first, second])
        self.assertEqual(store.counted_queues("Unknown"), [])

    def test_takes_messages_while_open(self) -> None:
        """Not before, and not after."""
        store = self.make()
        self.assertIsNotNone(store.failure)
        self.assertRaises(StoreNotWriteable, store.put, draft(), NOW)
        self.finish(store.open())
        self.assertIsNone(store.failure)
        store.put(draft(), NOW)
        self.finish(store.close())
        self.assertIn("not open", store.failure)
        self.assertRaises(StoreNotWriteable, store.put_batch, [draft()], NOW)

    def test_offsets_follow_each_other(self) -> None:
        """In the log over all queues, in a queue one by one."""
        store = self.opened()
        first = store.put(draft(), NOW)
        second = store.put(draft(queue_id=1), NOW)
        third = store.put(draft(), NOW + 1)
        self.assertEqual(first.commit_log_offset + first.size, second.commit_log_offset)
        queue_offsets = [first.queue_offset, second.queue_offset, third.queue_offset]
        self.assertEqual(queue_offsets, [0, 0, 1])
        self.assertEqual(third.store_time_ms, NOW_MS + 1000)
        self.assertEqual(store.commit_log_max, third.commit_log_offset + third.size)
        self.assertEqual(store.commit_log_min, 0)
        self.assertEqual(store.queues(), {TOPIC: [0, 1]})

    def test_messages_are_readable_at_once(self) -> None:
        """By queue and by place; they say where they are."""
        store = self.opened()
        stored = [store.put(draft(b"%d" % number), NOW) for number in range(3)]
        self.assertEqual(self.bodies(self.get(store, 1)), [b"1", b"2"])
        record = self.now(store.record_at(stored[1].commit_log_offset))
        message = decode_all(record)[0]
        self.assertEqual(message.queue_offset, 1)
        self.assertEqual(message.commit_log_offset, stored[1].commit_log_offset)
        for wrong in (-1, stored[1].commit_log_offset + 1, store.commit_log_max):
            self.assertIsNone(self.now(store.record_at(wrong)))
        self.assertIn(store.when_flushed(stored[2].commit_log_offset), (None,))

    def test_one_record_now(self) -> None:
        """The record at a queue offset; None where there is none."""
        store = self.opened()
        stored = [store.put(draft(b"%d" % number), NOW) for number in range(3)]
        for number, each in enumerate(stored):
            record = self.now(store.record_at(each.commit_log_offset))
            self.assertEqual(store.get_now(TOPIC, 0, number), record)
        for topic, queue_id, offset in (
            (TOPIC, 0, 3),
            (TOPIC, 0, -1),
            (TOPIC, 1, 0),
            ("Unknown", 0, 0),
        ):
            self.assertIsNone(store.get_now(topic, queue_id, offset))

    def test_records_at_some_offsets(self) -> None:
        """In any order; None for each that is not there, or has another size."""
        store = self.opened()
        stored = [store.put(draft(b"%d" % number), NOW) for number in range(3)]
        offsets = [each.commit_log_offset for each in reversed(stored)]
        sizes = [each.size for each in reversed(stored)]
        found = self.now(store.records_at(offsets, sizes))
        self.assertEqual(
            [decode_all(each)[0].body for each in found], [b"2", b"1", b"0"]
        )
        self.assertEqual(self.now(store.records_at([], [])), [])
        size = sizes[0]
        end = store.commit_log_max
        wrong = [(-size, size), (offsets[0] + 1, size - 1), (offsets[1], size - 1)]
        wrong += [(end, size), (offsets[0], size + 1), (0, 3), (0, 1 << 30), (0, -5)]
        for offset, length in wrong:
            found = self.now(store.records_at([offset, 0], [length, size]))
            self.assertIsNone(found[0], (offset, length))
            self.assertIsNotNone(found[1])

    def test_batches(self) -> None:
        """All or none, side by side in one queue."""
        store = self.opened()
        stored = store.put_batch([draft(b"%d" % n) for n in range(3)], NOW)
        self.assertEqual([each.queue_offset for each in stored], [0, 1, 2])
        self.assertEqual(self.bodies(self.get(store, 0)), [b"0", b"1", b"2"])
        self.assertEqual(store.put_batch([], NOW), [])
        mixed = [draft(), draft(queue_id=1)]
        self.assertRaises(ValueError, store.put_batch, mixed, NOW)
        self.assertRaises(
            RecordTooLong, store.put_batch, [draft(), draft(bytes(101))], NOW
        )
        self.assertEqual(store.max_offset(TOPIC, 0), 3)

    def test_refuses_what_cannot_be_stored(self) -> None:
        """Each cause has its error; nothing is left behind."""
        store = self.opened()
        for wrong, error in (
            (draft(bytes(101)), RecordTooLong),
            (draft(properties=bytes(32768)), PropertiesTooLong),
            (draft(topic=b"t" * 128), TopicTooLong),
            (draft(topic=b"../x"), IllegalTopic),
            (draft(queue_id=-1), IllegalTopic),
        ):
            self.assertRaises(error, store.put, wrong, NOW)
        self.assertEqual((store.commit_log_max, store.queues()), (0, {}))

    def test_listeners(self) -> None:
        """Each is notified of each message that a queue got, until it is removed."""
        store, first, second = self.opened(), [], []

        def listen(*arrival: object) -> None:
            first.append(arrival)

        def also(*arrival: object) -> None:
            second.append(arrival)

        store.add_listener(listen)
        store.add_listener(listen)
        store.put(draft(), NOW)
        store.add_listener(also)
        store.put(draft(sys_flag=4), NOW)
        store.put_batch([draft(), draft()], NOW)
        topic = TOPIC.encode()
        expected = [(topic, 0, number, TAG_A, NOW_MS) for number in (1, 2, 3)]
        self.assertEqual(first, expected)
        self.assertEqual(second, expected[1:])
        store.remove_listener(listen)
        store.remove_listener(listen)
        store.put(draft(), NOW)
        self.assertEqual((len(first), len(second)), (3, 3))

    def test_delayed_messages(self) -> None:
        """Their entry says when they are due, whatever the draft has as tags code."""
        store, codes = self.opened(), []
        store.add_listener(lambda *arrival: codes.append(arrival[3]))
        delayed = draft(
            topic=b"SCHEDULE_TOPIC_XXXX", queue_id=2, properties=b"DELAY\x013\x02"
        )
        store.put(delayed, NOW)
        store.put_batch([delayed], NOW + 1)
        self.assertEqual(codes, [NOW_MS + 10_000, NOW_MS + 11_000])
        due = store.get(
            "SCHEDULE_TOPIC_XXXX", 2, 0, 32, 1 << 20, lambda code: code == codes[0]
        )
        self.assertEqual(self.now(due).count, 1)

    def test_open_transactions(self) -> None:
        """They are in the log, and in no queue."""
        store = self.opened()
        half = store.put(draft(sys_flag=4), NOW)
        self.assertEqual(store.max_offset(TOPIC, 0), 0)
        self.assertIsNotNone(self.now(store.record_at(half.commit_log_offset)))
        self.assertEqual(store.put(draft(sys_flag=8), NOW).queue_offset, 0)
        halves = store.put_batch([draft(sys_flag=4), draft(sys_flag=4)], NOW)
        self.assertEqual([each.queue_offset for each in halves], [0, 0])
        mixed = [draft(), draft(sys_flag=4)]
        self.assertRaises(ValueError, store.put_batch, mixed, NOW)
        self.assertEqual(store.max_offset(TOPIC, 0), 1)

    def test_every_offset_has_a_result(self) -> None:
        """Consumers learn where to go."""
        store = self.opened()
        expected = Fetched(FetchStatus.NO_MATCHED_LOGIC_QUEUE, 0, 0, 0)
        self.assertEqual(self.get(store, 5), expected)
        for _ in range(3):
            store.put(draft(), NOW)
        for offset, status, next_offset in (
            (-1, FetchStatus.OFFSET_TOO_SMALL, 0),
            (3, FetchStatus.OFFSET_OVERFLOW_ONE, 3),
            (4, FetchStatus.OFFSET_OVERFLOW_BADLY, 3),
        ):
            expected = Fetched(status, next_offset, 0, 3)
            self.assertEqual(self.get(store, offset), expected)

    def test_limits_and_filters(self) -> None:
        """A fetch gives one message at least, and goes on behind what it skipped."""
        store = self.opened()
        for number in range(6):
            store.put(draft(b"%d" % number, tags_code=number % 2), NOW)
        self.assertEqual(self.get(store, 0, max_count=2).count, 2)
        self.assertEqual(self.get(store, 0, max_size=1).count, 1)
        odd = self.get(store, 0, matches=lambda code: code == 1)
        self.assertEqual(self.bodies(odd), [b"1", b"3", b"5"])
        none = self.get(store, 0, matches=lambda code: code == 9)
        self.assertEqual(none.status, FetchStatus.NO_MATCHED_MESSAGE)
        self.assertEqual(none.next_offset, 6)

    def test_entries(self) -> None:
        """Those of a queue, from one of them on; none from outside the queue."""
        store = self.opened()
        stored = [store.put(draft(), NOW) for _ in range(3)]
        expected = [
            QueueEntry(each.commit_log_offset, each.size, draft().tags_code)
            for each in stored
        ]

        def entries(at: int, count: int, topic: str = TOPIC) -> list[QueueEntry]:
            found: list[QueueEntry] = self.now(store.entries(topic, 0, at, count))
            return found

        self.assertEqual(entries(0, 9), expected)
        self.assertEqual(entries(1, 1), expected[1:2])
        for outside in (entries(-1, 9), entries(3, 9), entries(0, 9, "Other")):
            self.assertEqual(outside, [])
        self.assertEqual(entries(0, 0), [])
        self.assertEqual(entries(0, -1), [])

    def test_times(self) -> None:
        """Both boundaries, single messages, and the oldest of all."""
        store = self.opened()
        self.assertEqual(self.now(store.earliest_store_time()), -1)
        for second in (0, 1, 1, 3):
            store.put(draft(), NOW + second)
        times = [self.now(store.store_time(TOPIC, 0, at)) for at in (-1, 0, 3, 4)]
        self.assertEqual(times, [-1, NOW_MS, NOW_MS + 3000, -1])
        for ms, low, high in ((-1, 0, 0), (1000, 1, 2), (1001, 3, 2), (9000, 4, 3)):
            at = (TOPIC, 0, NOW_MS + ms)
            self.assertEqual(self.now(store.offset_by_time(*at)), low)
            self.assertEqual(self.now(store.offset_by_time(*at, upper=True)), high)
        self.assertEqual(self.now(store.earliest_store_time()), NOW_MS)
        self.assertEqual(self.now(store.store_time("Other", 0, 0)), -1)
        self.assertEqual(self.now(store.offset_by_time("Other", 0, 0)), 0)

    def test_queries(self) -> None:
        """By key and unique key, the newest; bounded by time, topic and count."""
        store = self.opened()
        for number in range(4):
            text = b"KEYS\x01k%d all\x02UNIQ_KEY\x01u%d\x02" % (number, number)
            store.put(draft(b"%d" % number, properties=text), NOW + number)
        for key, count, times, unique, found in (
            ("k2", 9, EVERYTHING, False, [b"2"]),
            ("u1", 9, EVERYTHING, False, [b"1"]),
            ("u1", 9, EVERYTHING, True, [b"1"]),
            ("k1", 9, EVERYTHING, True, []),
            ("all", 2, EVERYTHING, False, [b"2", b"3"]),
            ("all", 9, (NOW_MS + 1000, NOW_MS + 2000), False, [b"1", b"2"]),
            ("none", 9, EVERYTHING, False, []),
        ):
            result = self.query(
                store,
                KeyQuery(
                    topic=TOPIC,
                    key=key,
                    max_count=count,
                    begin_ms=times[0],
                    end_ms=times[1],
                    is_unique=unique,
                ),
            )
            bodies = [decode_all(record)[0].body for record in result.records]
            self.assertEqual((key, bodies), (key, found))
        first = KeyQuery(
            topic=TOPIC,
            key="all",
            max_count=1,
            begin_ms=0,
            end_ms=1 << 60,
            matches=lambda record: decode_all(record)[0].body == b"0",
        )
        (record,) = self.query(store, first).records
        self.assertEqual(decode_all(record)[0].body, b"0")
        other = KeyQuery(topic="X", key="all", max_count=9, begin_ms=0, end_ms=1 << 60)
        self.assertEqual(self.query(store, other).records, [])

    def query(self, store: Any, query: KeyQuery) -> Any:
        """Ask, and turn the clock until the response is there."""
        answers: list[Any] = []
        store.query(query).addCallback(answers.append)
        for _ in range(20):
            self.clock.advance(0.1)  # type: ignore[attr-defined]
        return answers[0]

    def test_deleted_topics(self) -> None:
        """A topic made anew begins at 0; the log keeps what was."""
        store = self.opened()
        old = store.put(draft(b"old"), NOW)
        store.put(draft(topic=b"Other"), NOW)
        store.delete_topic(TOPIC)
        self.assertEqual(store.queues(), {"Other": [0]})
        self.assertIsNotNone(self.now(store.record_at(old.commit_log_offset)))
        self.assertEqual(store.put(draft(b"new"), NOW).queue_offset, 0)
        self.assertEqual(self.bodies(self.get(store, 0)), [b"new"])

    def test_closed_and_opened_again(self) -> None:
        """The same store goes on where it was."""
        store = self.opened()
        store.put(draft(b"0"), NOW)
        self.finish(store.close())
        self.finish(store.open())
        self.assertEqual(store.put(draft(b"1"), NOW).queue_offset, 1)
        # A fetch may give less than there is.
        first = self.get(store, 0)
        rest = self.get(store, 1)
        self.assertEqual(self.bodies(first)[0], b"0")
        self.assertEqual(self.bodies(rest), [b"1"])
