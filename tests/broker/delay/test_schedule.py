"""Delayed messages: delivered when due, once."""

from __future__ import annotations

import os
import shutil

from twisted.internet.defer import Deferred, fail

from rocketmq_tw.broker.delay.levels import DelayLevels, parse_levels
from rocketmq_tw.broker.delay.schedule import BACKOFF
from rocketmq_tw.jsonfile import DamagedDocument
from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.store.errors import DiskFull, StoreNotWriteable
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.record import Draft
from tests.broker.cases import TOPIC, BrokerCase, sent
from tests.store.cases import DRAFT, NOW

SCHEDULE = "SCHEDULE_TOPIC_XXXX"


class ScheduleCase(BrokerCase):
    """Delivers what is due."""

    def delayed(self, level: int, body: bytes = b"Hello", **fields: object) -> None:
        """Send a message with a delay."""
        text = f"TAGS\x01TagA\x02DELAY\x01{level}\x02"
        response = self.ask(sent(body=body, properties=text, **fields))
        self.assertEqual((response.status, response.remark), (0, None))

    def wait(self, seconds: float) -> None:
        """Let time go by, a tenth of a second at a time."""
        self.clock.pump([0.1] * round(seconds * 10))

    def bodies(self, topic: str = TOPIC) -> list[bytes]:
        """Return the bodies that were delivered."""
        return [message.body for message in self.messages(topic)]


class DeliveryTests(ScheduleCase):
    """From one topic to the other."""

    def test_when_due(self) -> None:
        """Not before its time, and not two milliseconds after."""
        for pause in (0.0, 0.05, 0.5, 0.95):
            self.wait(2)
            self.clock.advance(pause)
            seen = len(self.bodies())
            self.delayed(1)
            self.clock.pump([0.099] * 10 + [0.009])
            self.assertEqual(len(self.bodies()), seen)
            self.clock.pump([0.002])
            self.assertEqual(len(self.bodies()), seen + 1)

    def test_looks_seldom(self) -> None:
        """While messages wait for hours, their levels are read once a second."""
        for level in (5, 18, 18):
            self.delayed(level)
        self.wait(2)
        asked, real = 0, self.store.get

        def get(*what: object) -> object:
            nonlocal asked
            asked += 1
            return real(*what)

        self.patch(self.store, "get", get)
        self.wait(20)
        self.assertLessEqual(asked, 2 * 21)

    def test_many_at_once(self) -> None:
        """Those of one moment are delivered in a second, some at a time."""
        for number in range(1000):
            self.delayed(1, b"%d" % number)
        self.clock.advance(1)
        self.assertLess(len(self.bodies()), 100)
        self.clock.pump([0.01] * 100)
        self.assertEqual(self.bodies(), [b"%d" % number for number in range(1000)])

    def test_each_level_by_itself(self) -> None:
        """A reactor iteration delivers the messages of one level."""
        self.schedule.stop()
        for level in (1, 2, 1):
            self.delayed(level, b"%d" % level)
        self.clock.advance(6)
        steps = self.schedule._deliver_levels()
        next(steps)
        self.assertEqual(self.bodies(), [b"1", b"1"])
        next(steps)
        self.assertEqual(self.bodies(), [b"1", b"1", b"2"])
        self.assertRaises(StopIteration, next, steps)

    def test_stopped_between_two_levels(self) -> None:
        """It is no error; the next start delivers the rest."""
        for level in (1, 2):
            self.delayed(level, b"%d" % level)
        self.clock.rightNow += 6
        self.schedule._deliver_all()
        self.schedule.stop()
        self.clock.advance(0)
        self.assertEqual(self.bodies(), [b"1"])
        self.assertEqual(self.flushLoggedErrors(), [])
        self.restart()
        self.wait(0.2)
        self.assertEqual(self.bodies(), [b"1", b"2"])

    def test_record(self) -> None:
        """It is what was sent, in its queue; it still says that it was delayed."""
        self.delayed(1, queue_id=2, flag=9)
        self.wait(1.2)
        (message,) = self.messages(TOPIC, 2)
        self.assertEqual((message.flag, message.born_time_ms), (9, 1))
        self.assertEqual(message.born_host, "10.0.0.9:4000")
        self.assertEqual(message.store_time_ms // 1000, int(NOW) + 1)
        expected = {"DELAY": "1", "REAL_TOPIC": TOPIC, "REAL_QID": "2", "TAGS": "TagA"}
        self.assertLessEqual(expected.items(), message.properties.items())

    def test_tags_code(self) -> None:
        """Its entry carries the code of its tags, no time."""
        self.delayed(1)
        self.wait(1.2)
        codes: list[int] = []
        self.store.get(TOPIC, 0, 0, 1, 1000, lambda code: codes.append(code) or True)
        self.assertEqual(codes, [java_hash("TagA")])

    def test_compressed_body(self) -> None:
        """A compressed body stays compressed."""
        self.delayed(1, b"no zlib at all", sys_flag=1)
        self.wait(1.2)
        fetched = self.store.get(TOPIC, 0, 0, 1, 1000, None)
        self.assertIn(b"no zlib at all", fetched.data)

    def test_order(self) -> None:
        """Levels overtake each other; within one the order is kept."""
        self.delayed(2, b"slow")
        for number in range(50):
            self.delayed(1, b"%d" % number)
        self.wait(1.5)
        self.assertEqual(self.bodies(), [b"%d" % n for n in range(50)])
        self.wait(4)
        self.assertEqual(self.bodies()[50:], [b"slow"])

    def test_waiting_holds_up_nobody(self) -> None:
        """One that is sent later waits its own time."""
        self.delayed(1, b"1")
        self.wait(0.5)
        self.delayed(1, b"2")
        self.wait(0.7)
        self.assertEqual(self.bodies(), [b"1"])
        self.wait(0.5)
        self.assertEqual(self.bodies(), [b"1", b"2"])

    def test_clock_set_while_waiting(self) -> None:
        """Each waits for its whole delay, stored before the clock is set or after."""
        for shift in (600.0, -600.0):
            self.delayed(2, b"before")
            self.wait(1)
            self.clock.shift_wall_time(shift)
            self.wait(1)
            self.delayed(2, b"after")
            seen = len(self.bodies())
            self.wait(2.8)
            self.assertEqual(self.bodies()[seen:], [])
            self.wait(0.4)
            self.assertEqual(self.bodies()[seen:], [b"before"])
            self.wait(2.0)
            self.assertEqual(self.bodies()[seen:], [b"before", b"after"])

    def test_clock_set_between_two_looks(self) -> None:
        """The delay is whole if the clock is set right after or before the send."""
        for shift in (600.0, -600.0):
            self.wait(2)
            seen = len(self.bodies())
            self.delayed(2, b"before")
            self.clock.shift_wall_time(shift)
            self.delayed(2, b"after")
            self.delayed(1, b"first")
            self.wait(1.2)
            self.assertEqual(self.bodies()[seen:], [b"first"])
            self.wait(3.6)
            self.assertEqual(self.bodies()[seen:], [b"first"])
            self.wait(0.4)
            self.assertEqual(self.bodies()[seen:], [b"first", b"before", b"after"])

    def test_clock_set_before_a_restart(self) -> None:
        """After a restart the time of day counts, but no delay begins again."""
        self.delayed(2, b"1")
        self.delayed(3, b"2")
        self.clock.shift_wall_time(8.0)
        self.wait(0.5)
        self.restart()
        self.wait(0.2)
        self.assertEqual(self.bodies(), [b"1"])
        self.wait(2.0)
        self.assertEqual(self.bodies(), [b"1", b"2"])

    def test_dead_clock(self) -> None:
        """One due further ahead than its delay met a clock set back: it is due."""
        self.store.put(self.scheduled(), NOW + 10**6)
        self.wait(0.2)
        self.assertEqual(self.bodies(), [b"Hello"])

    def scheduled(self) -> Draft:
        """Draft a message that is due since a minute."""
        levels = DelayLevels(parse_levels(self.broker.config.message_delay_level))
        return levels.schedule(DRAFT, 1)

    def test_undeliverable(self) -> None:
        """What names no legal topic and queue is skipped, with a line in the log."""
        for text in (
            "A\x01b\x02",
            "REAL_TOPIC\x01T\x02",
            "REAL_TOPIC\x01T\x02REAL_QID\x01x\x02",
            "REAL_TOPIC\x01../../x\x02REAL_QID\x010\x02",
            "REAL_TOPIC\x01T\x02REAL_QID\x01-1\x02",
            f"REAL_TOPIC\x01{SCHEDULE}\x02REAL_QID\x010\x02",
        ):
            draft = self.scheduled()
            draft.properties = text.encode()
            self.store.put(draft, NOW)
        self.store.put(self.scheduled(), NOW - 60)
        self.wait(0.3)
        self.assertEqual(self.bodies(), [b"Hello"])
        self.assertEqual(self.flushLoggedErrors(), [])


class FailureTests(ScheduleCase):
    """A store that does not take what is due."""

    def test_disk_full(self) -> None:
        """The level backs off, and goes on after the one that was delivered last."""
        for number in range(3):
            self.delayed(1, b"%d" % number)
        put = self.store.put

        def full(draft: Draft, now: float) -> object:
            if draft.body == b"1":
                raise DiskFull("commitlog")
            return put(draft, now)

        self.store.put = full  # type: ignore[method-assign, assignment]
        self.wait(2)
        self.assertEqual(self.bodies(), [b"0"])
        self.store.put = put  # type: ignore[method-assign]
        self.wait(1)
        self.assertEqual(self.bodies(), [b"0"])
        self.wait(BACKOFF)
        self.assertEqual(self.bodies(), [b"0", b"1", b"2"])


class ColdTests(ScheduleCase):
    """Messages that are not in memory when they are due."""

    def setUp(self) -> None:
        """Send two messages, and let the store read them later."""
        super().setUp()
        self.delayed(1, b"1")
        self.delayed(1, b"2")
        self.wait(0.9)
        self.reading: list[Deferred[object]] = []
        self.real = self.store.get
        self.clock.advance(0.09)
        self.patch(self.store, "get", self.get)
        self.wait(0.5)

    def get(self, *what: object) -> Deferred[object]:
        """Wait for the disk."""
        self.reading.append(Deferred())
        return self.reading[-1].addCallback(lambda _: self.real(*what))

    def delivered(self) -> int:
        """Count what was delivered."""
        return self.store.max_offset(TOPIC, 0)

    def test_delivered_when_read(self) -> None:
        """All of them, once; meanwhile nobody asks again."""
        self.assertEqual((len(self.reading), self.delivered()), (1, 0))
        self.reading[0].callback(None)
        self.wait(1)
        self.assertEqual((len(self.reading), self.delivered()), (1, 2))

    def test_not_after_the_end(self) -> None:
        """What is read when delivery has stopped is left for the next start."""
        self.schedule.stop()
        self.reading[0].callback(None)
        self.assertEqual(self.delivered(), 0)

    def test_a_disk_that_fails(self) -> None:
        """The level backs off, and is tried again."""
        self.reading[0].errback(OSError(5, "broken"))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.wait(9)
        self.assertEqual(len(self.reading), 1)
        self.wait(2)
        self.reading[1].callback(None)
        self.assertEqual(self.delivered(), 2)


class PersistenceTests(ScheduleCase):
    """``delayOffset.json``."""

    def document(self) -> dict[str, object]:
        """Read the file."""
        text = self.bytes_of("config", "delayOffset.json")
        return fastjson.loads(text)  # type: ignore[no-any-return]

    def test_restart(self) -> None:
        """What was delivered is not delivered again, what was not, is."""
        self.delayed(1, b"1")
        self.wait(1.2)
        self.delayed(1, b"2")
        self.restart()
        self.wait(2)
        self.assertEqual(self.bodies(), [b"1", b"2"])

    def test_file(self) -> None:
        """The file holds the next offset of every level."""
        self.delayed(1)
        self.wait(1.2)
        self.schedule.save()
        table = self.document()["offsetTable"]
        assert isinstance(table, dict)
        self.assertEqual((table["1"], table["2"], len(table)), (1, 0, 18))

    def test_unchanged(self) -> None:
        """Nothing is written while nothing was delivered."""
        self.schedule.save()
        path = self.path("config", "delayOffset.json")
        os.unlink(path)
        self.schedule.save()
        self.assertFalse(os.path.exists(path))

    def test_after_the_messages(self) -> None:
        """What was delivered is on disk before it is written that it was."""
        self.delayed(1)
        self.wait(1.2)
        on_disk: Deferred[None] = Deferred()
        self.store.flush = lambda: on_disk  # type: ignore[method-assign]
        path = self.path("config", "delayOffset.json")
        saved = self.schedule.save()
        self.assertFalse(os.path.exists(path))
        on_disk.callback(None)
        self.successResultOf(saved)
        self.assertTrue(os.path.exists(path))

    def test_not_after_lost_messages(self) -> None:
        """Where the disk fails it is not written that anything was delivered."""
        self.delayed(1)
        self.wait(1.2)
        why = StoreNotWriteable("the disk failed")
        self.store.flush = lambda: fail(why)  # type: ignore[method-assign]
        self.successResultOf(self.schedule.save())
        self.assertFalse(os.path.exists(self.path("config", "delayOffset.json")))

    def loaded(self, text: bytes) -> None:
        """Start on a file."""
        self.delayed(1, b"1")
        self.delayed(1, b"2")
        self.stop()
        with open(self.path("config", "delayOffset.json"), "wb") as file:
            file.write(text)
        self.start()
        self.wait(2)

    def test_apaches_file(self) -> None:
        """Bare numbers as keys are read; levels that the file lacks start over."""
        self.loaded(b'{"offsetTable":{1:1,2:12\n}}')
        self.assertEqual(self.bodies(), [b"2"])

    def test_data_version(self) -> None:
        """The version that 5.x writes is counted on."""
        version = b'{"counter":5,"stateVersion":0,"timestamp":1}'
        self.loaded(b'{"dataVersion":%b,"offsetTable":{1:0}}' % version)
        self.schedule.save()
        found = self.document()["dataVersion"]
        assert isinstance(found, dict)
        self.assertEqual(found["counter"], 6)

    def test_offsets_outside(self) -> None:
        """Offsets that the queues do not have are brought back to them."""
        self.loaded(b'{"offsetTable":{"1":99,"77":3}}')
        self.assertEqual(self.bodies(), [])
        self.delayed(1, b"3")
        self.wait(1.2)
        self.assertEqual(self.bodies(), [b"3"])

    def test_no_table(self) -> None:
        """Another JSON is refused with the name of the file."""
        self.stop()
        with open(self.path("config", "delayOffset.json"), "wb") as file:
            file.write(b'{"offsetTable":{"one":1}}')
        error = self.assertRaises(DamagedDocument, self.start)
        self.assertIn("delayOffset.json", str(error))

    def test_level_lost(self) -> None:
        """A level whose queue is gone starts over with its next message."""
        self.delayed(1, b"1")
        self.wait(1.2)
        self.stop()
        shutil.rmtree(self.path("consumequeue", SCHEDULE))
        self.start()
        self.delayed(1, b"2")
        self.wait(1.2)
        self.assertIn(b"2", self.bodies())
