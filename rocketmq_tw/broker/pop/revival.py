"""
Revival: messages whose invisible time is over get a copy in the group's retry topic.

Each copy is followed at once by an acknowledgement in the revive log. So a broker that
is killed and started again makes no second copy, which its group might get after it has
acknowledged the first.

Source: ``PopReviveService`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from rocketmq_tw.broker.errors import TooManyOffsets
from rocketmq_tw.broker.pop.in_flight import Popped
from rocketmq_tw.broker.pop.journal import ReviveLog
from rocketmq_tw.broker.pop.records import offsets_of
from rocketmq_tw.broker.redelivery import copy_for_redelivery
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.predefined import made
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.errors import IllegalName, RocketMQError
from rocketmq_tw.model.message import FIRST_POP_TIME, ORIGIN_GROUP, TAGS
from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.model.topic import is_retry, pop_retry_topic, pop_retry_topic_v2
from rocketmq_tw.remoting.pacing import Pacer, Steps, result_of
from rocketmq_tw.store.errors import PropertiesTooLong, RecordTooLong, TopicTooLong
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import Draft, MalformedRecord

if TYPE_CHECKING:
    from rocketmq_tw.broker.pop.meter import PopMeter

#: Seconds between two looks at what is due.
PERIOD = 0.2
#: Check points that are taken at a time.
_AT_ONCE = 16
#: Milliseconds until a copy is tried again that could not be stored.
_RETRY_MS = 10_000
#: Bytes of a read; one message may be larger.
_READ = 64 << 10
#: A message that can never be stored as a copy.
_NEVER = (IllegalName, PropertiesTooLong, RecordTooLong, TopicTooLong, MalformedRecord)


class Revival:
    """
    Copies what is due to retry topics.

    :param retry_v2: which name a new retry topic gets.
    :param now: returns the time of day, in seconds since the epoch.
    :ivar revived: how many copies were stored since the start.
    :ivar meter: counts them, and times the passes; None for nothing.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        journal: ReviveLog,
        store: IMessageStore,
        topics: TopicTable,
        groups: GroupTable,
        offsets: ConsumerOffsets,
        pacer: Pacer,
        clock: IReactorTime,
        store_host: bytes,
        retry_v2: bool,
        now: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._in_flight = journal.in_flight
        self._store = store
        self._topics = topics
        self._groups = groups
        self._offsets = offsets
        self._pacer = pacer
        self._store_host = store_host
        self._retry_name = pop_retry_topic_v2 if retry_v2 else pop_retry_topic
        self._now = now
        self.revived = 0
        self.meter: PopMeter | None = None
        self._seconds = clock.seconds
        self._tick = LoopingCall(self._pass)
        self._tick.clock = clock

    def start(self) -> None:
        """Begin to look what is due."""
        self._tick.start(PERIOD, now=False).addErrback(
            lambda f: self._log.failure("what was popped is no longer revived", f)
        )

    def stop(self) -> None:
        """Look no more."""
        if self._tick.running:
            self._tick.stop()

    def _pass(self) -> Any:
        """Copy all that is due, in steps; the next pass is after that."""
        due = self._in_flight.next_due_ms()
        if due is None or due > self._now() * 1000:
            return None
        done = self._pacer.run(self._revive_all(), None, key=self)
        if isinstance(done, Deferred):
            done.addErrback(lambda f: self._log.failure("a pass of revival failed", f))
        return done

    def _revive_all(self) -> Steps[None]:
        """Copy all that is due now; a step is a message."""
        now_ms, begin = int(self._now() * 1000), self._seconds()
        while self._tick.running:
            due = self._in_flight.take_due(now_ms, _AT_ONCE)
            if not due:
                if self.meter is not None:
                    self.meter.passed(self._seconds() - begin)
                return
            for popped in due:
                try:
                    yield from self._revive(popped)
                except (RocketMQError, OSError) as error:
                    self._in_flight.postpone(popped, now_ms + _RETRY_MS)
                    self._log.error(
                        "messages of {topic} for {group} are revived later: {why}",
                        topic=popped.topic,
                        group=popped.group,
                        why=str(error),
                    )
                yield None

    def _revive(self, popped: Popped) -> Steps[None]:
        """Copy the messages of one check point."""
        if not self._is_wanted(popped):
            offsets = popped.unacknowledged()
            if offsets:
                self._journal.acknowledge(popped, offsets)
            return
        for number, offset in enumerate(popped.unacknowledged()):
            if number:
                yield None
            fetched = yield from result_of(
                self._store.get(popped.topic, popped.queue_id, offset, 1, _READ, None)
            )
            if not self._in_flight.is_in_flight(popped.key, offset):
                continue
            if fetched.count and offsets_of(fetched.data) == [offset]:
                self._store_copy(popped, fetched.data)
            self._journal.acknowledge(popped, [offset])

    def _is_wanted(self, popped: Popped) -> bool:
        """Return whether topic and group still exist."""
        return popped.topic in self._topics.table and (
            popped.group in self._groups.table
        )

    def _store_copy(self, popped: Popped, record: bytes) -> None:
        """
        Store a copy of a message.

        A message that can never be stored is left out: it stays where it was read.
        """
        try:
            self._store.put(self._copy(popped, record), self._now())
        except _NEVER as error:
            self._log.error(
                "a message of {topic} for {group} cannot be revived: {why}",
                topic=popped.topic,
                group=popped.group,
                why=str(error),
            )
            is_stored = False
        else:
            self.revived += 1
            is_stored = True
        if self.meter is not None:
            self.meter.copied(popped, is_stored)

    def _copy(self, popped: Popped, record: bytes) -> Draft:
        """Return the draft of a copy."""
        copy = copy_for_redelivery(record)
        draft, kept = copy.draft, copy.properties
        if not draft.reconsume_times or FIRST_POP_TIME not in kept:
            kept[FIRST_POP_TIME] = str(popped.pop_time_ms)
        kept[ORIGIN_GROUP] = popped.group
        draft.topic = self._retry_topic(popped).encode()
        draft.queue_id = 0
        draft.born_host = self._store_host
        draft.tags_code = tags_code(kept.get(TAGS))
        if not popped.suspend:
            draft.reconsume_times += 1
        draft.properties = properties.encode(kept).encode()
        return draft

    def _retry_topic(self, popped: Popped) -> str:
        """
        Return the retry topic of a message; create it if needed.

        :raises TooManyTopics: no more may be created.
        """
        if is_retry(popped.topic):
            return popped.topic
        name = self._retry_name(popped.group, popped.topic)
        if name not in self._topics.table:
            self._topics.put(made(name, 1))
            try:
                self._offsets.commit(popped.group, name, 0, 0)
            except TooManyOffsets:
                pass  # it begins with the first message anyway
        return name
