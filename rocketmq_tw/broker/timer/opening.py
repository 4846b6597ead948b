"""
Opens the timer's files at the start, whoever wrote them last.

See :mod:`rocketmq_tw.store.timer.recovery` for what is done in which case.

Source: ``TimerMessageStore.recover`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec
from twisted.logger import Logger

from rocketmq_tw.broker.timer.deliveries import Deliveries
from rocketmq_tw.model.topic import TIMER_TOPIC
from rocketmq_tw.remoting.pacing import Steps, result_of
from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.timer.checkpoint import OwnCheck
from rocketmq_tw.store.timer.files import TimerFiles
from rocketmq_tw.store.timer.layout import Link
from rocketmq_tw.store.timer.placement import Placement
from rocketmq_tw.store.timer.recovery import (
    check_precision,
    cut,
    other_precision,
    relink,
)
from rocketmq_tw.store.timer.timers import Timers
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint
from rocketmq_tw.wire.record import Checked, check

_log = Logger()

#: Slots that are kept free between what is to be emptied and what is linked.
_SPARE = 60


class Opened(msgspec.Struct):
    """
    What was found.

    :ivar timers: the messages that wait.
    :ivar queue_offset: where the timer's queue is to be read on.
    :ivar version: of the check point.
    :ivar read_again_until: up to this offset of the queue, what was due before
        ``due_from_ms`` was delivered already.
    """

    timers: Timers
    queue_offset: int
    version: DataVersion = DataVersion()
    read_again_until: int = 0
    due_from_ms: int = 0


class Opening:
    """
    Opens the files of one broker.

    :param log_file_size: of the commit log's files.
    :param deliveries: gets what was delivered since the check point.
    """

    def __init__(
        self,
        *,
        files: TimerFiles,
        store: IMessageStore,
        placement: Placement,
        deliveries: Deliveries,
        log_file_size: int,
    ) -> None:
        self._files = files
        self._store = store
        self._placement = placement
        self._deliveries = deliveries
        self._log_file_size = log_file_size

    def is_needed(self) -> bool:
        """
        Return whether there is anything to open: files, or messages in the queue.

        :raises StoreUnreadable: a file is not what it should be.
        """
        files = self._files
        files.load()
        in_queue = self._store.max_offset(TIMER_TOPIC, 0) > 0
        return files.has_log or files.has_wheel or in_queue

    def run(self, now_ms: int, is_start: bool) -> Steps[Opened]:
        """
        Open the files.

        :param is_start: what is in the timer's queue is from before.
        :raises StoreUnreadable: they contradict each other, or are of another kind.
        """
        files = self._files
        found = files.check.load()
        had_wheel = files.has_wheel
        if files.has_log and found is None:
            raise StoreUnreadable(
                files.check.path,
                "it is missing, but there is a timerlog: what it says was delivered is"
                " not known; restore it, or remove timerlog and timerwheel as well to"
                " have all messages in the timer's queue delivered, again if they were",
            )
        numbers, own = found or (TimerCheckPoint(last_read_ms=0), None)
        is_other = own is not None and own.precision_ms != files.precision_ms
        if is_other and (files.has_log or had_wheel):
            raise other_precision(files.wheel_path, files.precision_ms)
        wheel = files.open_wheel()
        read_ms = self._read_time(numbers, now_ms)
        timers = Timers(
            wheel,
            files.log,
            self._placement,
            read_ms,
            () if own is None else own.passed,
        )
        opened = Opened(timers, numbers.queue_offset, numbers.version)
        if not files.has_log:
            self._from_queue(opened, found is not None, own)
            if is_start:
                self._warn(opened)
            if own is not None:
                yield from self._read_deliveries(own)
        elif own is not None and had_wheel:
            yield from self._own(opened, numbers, own)
        else:
            yield from self._of_another(opened, numbers, had_wheel)
            if own is not None:
                yield from self._read_deliveries(own)
        self._bound(opened)
        return opened

    def _read_time(self, numbers: TimerCheckPoint, now_ms: int) -> int:
        """Return the first slot to be emptied: no slot may have come round since."""
        placement = self._placement
        precision_ms = placement.precision_ms
        write_ms = placement.write_time(now_ms)
        if numbers.last_read_ms <= 0 and not self._files.has_log:
            return write_ms
        read_ms = placement.write_time(numbers.last_read_ms)
        # What waited was linked before the last stop, at most a window ahead of it.
        reach = placement.window_ms + _SPARE * precision_ms
        if write_ms - read_ms > 2 * reach and numbers.last_read_ms <= 0:
            return write_ms - 2 * reach
        return read_ms

    def _own(
        self, opened: Opened, numbers: TimerCheckPoint, own: OwnCheck
    ) -> Steps[None]:
        """Open what this broker wrote."""
        log, timers = self._files.log, opened.timers
        log.end = numbers.log_position
        opened.read_again_until = own.read_again_until
        opened.due_from_ms = own.due_from_ms
        if not own.is_clean:
            yield from cut(timers.wheel, log, numbers.log_position)
            yield from self._read_deliveries(own)

    def _read_deliveries(self, own: OwnCheck) -> Steps[None]:
        yield from self._deliveries.read(
            self._store, own.scan_from, self._log_file_size
        )

    def _of_another(
        self, opened: Opened, numbers: TimerCheckPoint, had_wheel: bool
    ) -> Steps[None]:
        """Open what a broker of Apache RocketMQ wrote, or rebuild the wheel."""
        files, timers = self._files, opened.timers
        log, wheel = files.log, timers.wheel
        first = log.files.bases[0]
        start = first
        if had_wheel:
            yield from check_precision(
                files.wheel_path, wheel, files.precision_ms, timers.read_ms
            )
            start = max(first, numbers.log_position - log.files.file_size)
        start = log.files.base_of(start)
        last = yield from relink(wheel, log, start, timers.read_ms)
        if last is not None and last.slot_ms % files.precision_ms:
            raise other_precision(files.wheel_path, files.precision_ms)
        if had_wheel:
            yield from cut(wheel, log, log.end)
        behind = yield from self._behind(last)
        if behind is not None:
            opened.queue_offset = behind
        opened.queue_offset = min(opened.queue_offset, numbers.master_queue_offset)

    def _behind(self, last: Link | None) -> Steps[int | None]:
        """Return the queue offset behind the message of a record; None if unknown."""
        if last is None:
            return None
        record = yield from result_of(self._store.record_at(last.offset))
        facts = None if record is None else check(record, 0, len(record), False)
        if not isinstance(facts, Checked) or facts.topic != TIMER_TOPIC.encode():
            return None
        return facts.queue_offset + 1

    def _from_queue(
        self, opened: Opened, has_check: bool, own: OwnCheck | None
    ) -> None:
        """Link everything that is in the queue and not known to be delivered."""
        end = self._store.max_offset(TIMER_TOPIC, 0)
        if not end:
            return
        if own is not None and opened.queue_offset < own.read_again_until:
            # The last start was to do that, and it is not complete.
            opened.read_again_until = own.read_again_until
            opened.due_from_ms = own.due_from_ms
        elif has_check and opened.timers.read_ms > 0:
            opened.read_again_until = min(opened.queue_offset, end)
            opened.due_from_ms = opened.timers.read_ms
        opened.queue_offset = self._store.min_offset(TIMER_TOPIC, 0)

    def _warn(self, opened: Opened) -> None:
        """Log that the whole queue is read."""
        end = self._store.max_offset(TIMER_TOPIC, 0)
        if end > opened.queue_offset:
            _log.warn(
                "there is no timerlog: the timer's queue is read from its first"
                " message, {first}, to {end}, and what is due is delivered",
                first=opened.queue_offset,
                end=end,
            )

    def _bound(self, opened: Opened) -> None:
        """Correct an offset that is outside the queue."""
        low = self._store.min_offset(TIMER_TOPIC, 0)
        high = self._store.max_offset(TIMER_TOPIC, 0)
        opened.queue_offset = max(low, min(opened.queue_offset, high))
