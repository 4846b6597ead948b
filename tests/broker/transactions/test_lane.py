"""The lane of transactions: what it takes, and that it does as the handlers do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.broker.transactions.lane import TransactionLane
from rocketmq_tw.broker.transactions.lane_batch import READ_AT_ONCE
from rocketmq_tw.model.message import WAIT
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.remoting.lane import Taken
from rocketmq_tw.wire.command import ONE_WAY, RESPONSE
from rocketmq_tw.wire.fields import to_ext
from rocketmq_tw.wire.frame import BINARY, JSON, join
from tests.broker.cases import sent
from tests.broker.send.test_lane_variants import HEADERS, PLAIN
from tests.broker.send.twins import Twins
from tests.broker.send.ways import frame_of, in_binary, through_connections
from tests.broker.transactions import (
    test_ending,
    test_feature,
    test_half,
    test_journal,
)
from tests.broker.transactions.test_lane_oracle import MORE, begin, end_of, half_of

# Every test of transactions, by a connection with a lane.
globals().update(
    through_connections(test_ending, test_feature, test_half, test_journal)
)


#: So many reads may come with SYNC_FLUSH.
CONNECTIONS = 20


class LaneCase(SynchronousTestCase):
    """
    Has two brokers, one with the lane, that have done the same.

    :ivar taken: how many frames the lane took of each read that it saw.
    """

    flush = FlushDiskType.ASYNC_FLUSH
    settings: dict[str, Any] = {}

    def setUp(self) -> None:
        """Prepare both, and watch the lane."""
        self.taken: list[int] = []
        self.twins = Twins(CONNECTIONS, self.flush, self.settings)
        self.unused = iter(range(CONNECTIONS))
        self.addCleanup(self.twins.stop)
        begin(self.twins)
        original: Callable[..., Taken] = TransactionLane.take

        def take(lane: TransactionLane, *arguments: Any) -> Taken:
            taken = original(lane, *arguments)
            self.taken.append(taken.count)
            return taken

        self.enterContext(patch.object(TransactionLane, "take", take))

    def receive(self, *frames: bytes) -> list[int]:
        """
        Let one read come; return how many frames the lane took, each time.

        It comes over a new connection, which has not learnt to do without the lane;
        with SYNC_FLUSH it stays open while its responses wait.
        """
        self.taken.clear()
        if self.flush is FlushDiskType.ASYNC_FLUSH:
            self.twins.receive_alone(b"".join(frames))
        else:
            self.twins.receive(next(self.unused), b"".join(frames))
        return list(self.taken)

    def forget(self) -> None:
        """Let the half messages so far have to be read."""
        for one in self.twins.both:
            lane: Any = one.router.lane
            if lane is not None:
                lane._other.lane._recent.__init__()

    def wait(self, seconds: float = 0.0) -> None:
        """Let time pass."""
        self.twins.do(lambda one: one.clock.advance(seconds))

    @property
    def halves(self) -> int:
        """How many half messages there are, readable."""
        return self.twins.both[1].broker.store.max_offset(TRANS_HALF_TOPIC, 0)

    def prepare(self, count: int = 1, **fields: Any) -> int:
        """Store half messages; return the queue offset of the first."""
        first = self.halves
        for _ in range(count):
            self.receive(half_of(**fields))
        self.wait()
        self.assertEqual(self.halves, first + count)
        return first


class TakenTests(LaneCase):
    """What most transactions are."""

    def test_half(self) -> None:
        """A half message, with a response or without."""
        self.assertEqual(self.receive(half_of()), [1])
        self.assertEqual(self.receive(half_of({WAIT: "true"}), half_of()), [2])

    def test_commit(self) -> None:
        """The end of one, and the next one."""
        for flag in (0, ONE_WAY):
            offset = self.prepare()
            self.assertEqual(
                self.receive(end_of(self.twins, offset, flag=flag), half_of()), [2]
            )

    def test_binary_headers(self) -> None:
        """Also of requests with binary headers, until one has the other form."""
        half = in_binary(half_of())
        for flag in (0, ONE_WAY):
            offset = self.prepare()
            end = end_of(self.twins, offset, flag=flag, is_binary=True)
            self.assertEqual(self.receive(end, half, half_of()), [2, 1])

    def test_rollback(self) -> None:
        """Nothing is stored."""
        for flag in (0, ONE_WAY):
            offset = self.prepare()
            self.assertEqual(
                self.receive(end_of(self.twins, offset, bits=12, flag=flag)), [1]
            )

    def test_many(self) -> None:
        """Of one read all that is usual."""
        first = self.prepare(5)
        ends = [end_of(self.twins, first + n, bits=(8, 12)[n % 2]) for n in range(5)]
        self.assertEqual(self.receive(ends[0], half_of(), *ends[1:], half_of()), [7])

    def test_not_recent(self) -> None:
        """Also half messages that have to be read."""
        first = self.prepare(3)
        self.forget()
        ends = [end_of(self.twins, first), end_of(self.twins, first + 1, bits=12)]
        self.assertEqual(self.receive(*ends), [2])
        self.wait(2)
        self.assertEqual(self.receive(end_of(self.twins, first + 2)), [1])

    def test_named_topic(self) -> None:
        """Whichever of its topics is named."""
        for topic in ("A", TRANS_HALF_TOPIC, ""):
            end = end_of(self.twins, self.prepare(), topic=topic)
            self.assertEqual(self.receive(end), [1], topic)

    def test_among_plain_sends(self) -> None:
        """Each lane takes its own, in order."""
        offset = self.prepare()
        plain = frame_of(310, to_ext(sent("A", properties=PLAIN)))
        read = (plain, half_of(), plain, end_of(self.twins, offset), half_of(), plain)
        self.assertEqual(self.receive(*read), [1, 2])


class LeftTests(LaneCase):
    """What is left to the handlers."""

    def test_properties(self) -> None:
        """All kinds of properties of half messages; each is ended."""
        for more in MORE:
            before = self.halves
            self.receive(half_of(more), half_of(more, queue_id=3))
            self.wait()
            for offset in range(before, self.halves):
                for group in ("Other", "PG"):
                    self.receive(end_of(self.twins, offset, group=group))

    def test_fields(self) -> None:
        """Other fields of the send."""
        changes: tuple[dict[str, Any], ...] = (
            *({"sys_flag": flag} for flag in (0, 1, 4, 5, 8, 12, 0x10, 0x20, 0x44)),
            *({"queue_id": queue_id} for queue_id in (-1, 3, 4)),
            {"topic": "B"},
            {"topic": "New"},
            {"topic": "%RETRY%G"},
            {"topic": TRANS_HALF_TOPIC},
            {"reconsume_times": 3},
            {"batch": True},
            {"properties": ""},
            {"body": b"x" * 4096},
            {"body": b"x" * 4097},
            {"more": {"x": "y" * 32_000}},
            {"more": {"x": "y" * 32_460}},
            {"more": {"x": "y" * 32_767}},
        )
        for change in changes:
            before = self.halves
            self.receive(half_of(**change))
            self.wait()
            for offset in range(before, self.halves):
                self.receive(end_of(self.twins, offset))

    def test_headers(self) -> None:
        """Headers that are written in another way."""
        for old, new in HEADERS:
            frame = half_of()
            header = frame[8 : 8 + int.from_bytes(frame[5:8], "big")]
            changed = header.replace(old.encode(), new.encode())
            self.twins.receive_alone(join(JSON, changed, b"half"))
            end = end_of(self.twins, self.prepare())
            old, new = old.replace("310", "37"), new.replace("310", "37")
            changed = end[8:].replace(old.encode(), new.encode())
            self.twins.receive_alone(join(JSON, changed, b""))
        self.flushLoggedErrors(TypeError)  # two codes in one header

    def test_forms(self) -> None:
        """Other forms of headers, and responses."""
        end = end_of(self.twins, self.prepare())[8:]
        self.twins.receive_alone(join(BINARY, end, b""))
        self.twins.receive_alone(
            join(JSON, end.replace(b'"flag":0', b'"flag":%d' % RESPONSE), b"")
        )
        self.assertEqual(self.receive(join(JSON, end, b"")), [1])

    def test_wrong_ends(self) -> None:
        """Ends that are wrong."""
        offset = self.prepare()
        wrong: tuple[dict[str, Any], ...] = (
            {"bits": 0},
            {"bits": 4},
            {"bits": -1},
            {"group": "Other"},
            {"group": ""},
            {"topic": "B"},
            {"shift": 1},
            {"shift": -(1 << 40)},
        )
        for each in wrong:
            self.assertEqual(self.receive(end_of(self.twins, offset, **each)), [0])
        for other in (-1, -(1 << 62), 1 << 40):
            self.assertEqual(self.receive(end_of(self.twins, other)), [0])

    def test_again(self) -> None:
        """The same end twice in a read, and another one."""
        for second in (8, 12):
            end = end_of(self.twins, self.prepare())
            again = end_of(self.twins, self.halves - 1, bits=second)
            self.receive(end, again, again)
            self.receive(again)

    def test_immune(self) -> None:
        """An end that comes when the producer is asked already."""
        offset = self.prepare(more={"CHECK_IMMUNITY_TIME_IN_SECONDS": "1"})
        self.wait(7)
        self.receive(end_of(self.twins, offset))

    def test_topic_without_queue(self) -> None:
        """The first message of a queue is stored by the handler."""
        self.twins.receive_alone(half_of(topic="New", queue_id=2))
        self.wait()
        end = end_of(self.twins, self.halves - 1)
        self.assertEqual(self.receive(end), [0])


class FewDecisionsTests(LaneCase):
    """Operation messages that are soon full."""

    settings: dict[str, Any] = {"transaction_op_msg_max_size": 30}

    def test_written_in_order(self) -> None:
        """One is stored behind the messages that it names, before the next ones."""
        first = self.prepare(40)
        ends = [end_of(self.twins, first + n) for n in range(40)]
        self.receive(*ends[:25])
        self.receive(*ends[25:], half_of())


class LargeTests(LaneCase):
    """Half messages that are large, and not kept."""

    settings: dict[str, Any] = {
        "max_message_size": 1 << 20,
        "mapped_file_size_commit_log": 16 << 20,
    }

    def test_read_in_parts(self) -> None:
        """The ends of one read may not hold the reactor as long as it takes."""
        first = self.prepare(8, body=b"x" * (READ_AT_ONCE // 5))
        self.forget()
        ends = [end_of(self.twins, first + n, bits=12) for n in range(8)]
        self.assertEqual(self.receive(*ends), [5, 3])


class SyncFlushTests(LaneCase):
    """What waits for the disk."""

    flush = FlushDiskType.SYNC_FLUSH

    def test_waiting(self) -> None:
        """Half messages and messages; decisions alone do not."""
        first = self.prepare(6)
        ends = [end_of(self.twins, first + n, bits=(8, 12)[n % 2]) for n in range(6)]
        one_way = ends[0].replace(b'"flag":0', b'"flag":2')
        self.assertEqual(self.receive(one_way, half_of()), [2])
        self.assertEqual(
            self.receive(ends[2], ends[1], half_of(), ends[3]), [1, 1, 1, 1]
        )
        self.wait(1)
        self.receive(ends[4].replace(b'"flag":0', b'"flag":2'), half_of())
        self.receive(ends[5])

    def test_responses_to_ends(self) -> None:
        """Those that wait are taken together, and those that do not."""
        first = self.prepare(8)
        bits = (8, 8, 8, 12, 12, 8, 8, 12)
        ends = [end_of(self.twins, first + n, bits=it) for n, it in enumerate(bits)]
        one_way = ends[5].replace(b'"flag":0', b'"flag":2')
        self.assertEqual(self.receive(*ends[:3]), [3])
        self.assertEqual(
            self.receive(half_of(), *ends[3:5], one_way, half_of()), [1, 3, 1]
        )
        self.assertEqual(self.receive(*ends[6:]), [1, 1])
        self.wait(1)
        self.assertEqual(self.receive(*ends[:5]), [0])

    def test_without_waiting(self) -> None:
        """Whose sender does not wait is responded to at once."""
        first = self.prepare(2, more={WAIT: "false"})
        self.receive(half_of(), half_of({WAIT: "false"}))
        self.receive(end_of(self.twins, first), half_of())
        self.receive(end_of(self.twins, first + 1, flag=ONE_WAY), half_of())

    def test_unflushed(self) -> None:
        """A half message that is not readable yet cannot be ended."""
        at = self.twins.both[0].broker.store.commit_log_max
        offset = self.halves
        self.receive(half_of())
        end = end_of(self.twins, offset, shift=at)
        self.receive(end)
        self.wait(1)


class LimitedTests(LaneCase):
    """Few half messages."""

    settings: dict[str, Any] = {"max_half_messages": 4}

    def test_in_one_read(self) -> None:
        """The one that is too many is refused; further ones are accepted again."""
        self.receive(*[half_of()] * 6)
        self.receive(end_of(self.twins, 0), half_of(), half_of())


class CountedTests(LaneCase):
    """What operators see."""

    def test_gauges(self) -> None:
        """Transactions are counted as by the handlers."""
        self.receive(half_of(), half_of(), end_of(self.twins, 0))
        with_lane, without = (one.broker.stats.gauges for one in self.twins.both)
        for name in (
            "transactionsPending",
            "halfMessages",
            "transactionsCommitted",
            "transactionsRolledBack",
            "transactionsEndedAgain",
        ):
            self.assertEqual(with_lane[name](), without[name](), name)
