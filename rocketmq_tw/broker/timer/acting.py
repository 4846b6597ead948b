"""
Sends timed messages that are due to other masters while a slave acts for its own.

The slave has the timer's queue of its master, and the check point that the master
reported (:mod:`rocketmq_tw.broker.timer.followed`). When it begins to act, it links
what waits into a wheel of its own; what the master has delivered since that check point
is recognised in the commit log. Then it empties slots as a master does, but sends their
messages elsewhere (:mod:`rocketmq_tw.broker.timer.escapes`)::

    acts                  link all that waits, then send what is due, slot by slot
    the master connects   finish the slot, for two seconds at most; send no more
    it asks how far       all before the check point is sent: the master leaves it out
    the master is back    remove the wheel, follow the master

Source: ``TimerMessageStore`` and ``BrokerPreOnlineService`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.task import deferLater
from twisted.logger import Logger

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.slave.escape import make_escape
from rocketmq_tw.broker.timer.before import DeliveredBefore
from rocketmq_tw.broker.timer.deliveries import Deliveries
from rocketmq_tw.broker.timer.escapes import Escapes, Put
from rocketmq_tw.broker.timer.followed import FollowedTimer
from rocketmq_tw.broker.timer.late_slots import LateSlots
from rocketmq_tw.broker.timer.linking import Linking
from rocketmq_tw.broker.timer.lost import LostMessages
from rocketmq_tw.broker.timer.metrics import TimerMetrics
from rocketmq_tw.broker.timer.opening import Opening
from rocketmq_tw.broker.timer.parts import timer_files
from rocketmq_tw.broker.timer.progress import Progress
from rocketmq_tw.broker.timer.recent import RecentSends
from rocketmq_tw.broker.timer.service import TimerService
from rocketmq_tw.broker.timer.slots import SlotReader
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.topic import TIMER_TOPIC
from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.timer.files import TimerFiles
from rocketmq_tw.store.timer.placement import MAX_WINDOW, Placement
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint

#: Seconds that a master waits at most until the slot is sent that was begun; and
#: between two looks whether it is.
SLOT_WAIT, _LOOK = 2.0, 0.05
#: Seconds until what could not be sent is tried again.
BACKOFF = 1.0


class Acting(msgspec.Struct, frozen=True):
    """
    The parts of one time of acting.

    :ivar start: how far messages were delivered before.
    :ivar log_end: where the commit log ended then.
    """

    start: TimerCheckPoint
    log_end: int
    service: TimerService
    progress: Progress
    linking: Linking
    escapes: Escapes
    late: LateSlots
    files: TimerFiles


class ActingTimer:
    """
    Sends timed messages elsewhere while this slave acts for its master.

    :param put: sends one to another master.
    """

    _log = Logger()

    # _acting is set while the files of the wheel may be open. The lock holds changes
    # of that apart.

    def __init__(
        self, broker: Broker, followed: FollowedTimer, put: Put | None = None
    ) -> None:
        self._broker = broker
        self._followed = followed
        self._put = put or make_escape(broker).put
        self._now = wall_time(broker.clock)
        self._lost = LostMessages(broker.clock)
        self._lock = DeferredLock()
        self._acting: Acting | None = None
        self._is_wanted = self._is_stopped = self._is_halted = False
        self._sent = self._failed = 0

    def install(self) -> None:
        """Act, and stop that, as the broker says."""
        broker = self._broker
        broker.on_acting.append(self.act)
        broker.lifecycle.on_drain.append(self.stop)
        broker.lifecycle.on_stop.append(self.close)
        broker.periodic.every(broker.config.timer_flush_interval_ms, self.flush)
        broker.stats.gauges.update(
            timedMessageEscapesCompleted=lambda: self._sent + self._of_now("delivered"),
            timedMessageEscapesFailed=lambda: self._failed + self._of_now("failed"),
            timedMessageEscapesLost=lambda: self._lost.count,
        )

    def act(self, is_acting: bool) -> Deferred[None]:
        """Begin, or end that: another slave acts, or the master is back."""
        self._is_wanted = is_acting
        changed = self._lock.run(lambda: Deferred.fromCoroutine(self._change()))
        return changed.addErrback(
            lambda failure: self._log.failure("timed messages wait", failure)
        )

    async def _change(self) -> None:
        """Do what is wanted now."""
        is_wanted = self._is_wanted and not self._is_stopped
        if is_wanted and self._acting is None:
            self._begin()
        elif not is_wanted and not self._is_stopped and self._acting is not None:
            await self._end(self._acting)

    def stop(self) -> Deferred[None]:
        """Send no more: the broker stops, and goes on with its files later."""
        self._is_stopped = True
        return self._lock.run(lambda: Deferred.fromCoroutine(self._stop_service()))

    async def _stop_service(self) -> None:
        if self._acting is not None:
            await self._acting.service.stop()

    def close(self) -> Deferred[None] | None:
        """Write how far messages are sent, and close the files."""
        acting, self._acting = self._acting, None
        if acting is None:
            return None
        flushed = acting.progress.flush(is_last=True)
        return flushed.addCallback(lambda _: acting.files.close())

    def flush(self) -> Deferred[None] | None:
        """Write how far messages are sent."""
        return None if self._acting is None else self._acting.progress.flush()

    async def check_point(self) -> TimerCheckPoint:
        """
        Return how far messages are delivered or sent.

        A master that is connected takes that over: so no more are sent.
        """
        deadline = self._broker.clock.seconds() + SLOT_WAIT
        while self._is_in_slot() and self._is_master_there():
            if self._broker.clock.seconds() >= deadline:
                self._log.warn(
                    "the master is back while messages of one slot are being sent"
                    " elsewhere: it delivers them once more"
                )
                break
            await deferLater(self._broker.clock, _LOOK)
        self._is_halted = self._is_master_there()
        return self._point()

    def _begin(self) -> None:
        """Begin to act."""
        broker, files = self._broker, timer_files(self._broker)
        if not broker.store.max_offset(TIMER_TOPIC, 0):
            return
        try:
            files.load()
            start = self._followed.prepare(files)
        except (StoreUnreadable, OSError) as error:
            self._log.error(
                "timed messages wait for their master, as {why}", why=str(error)
            )
            return
        self._is_halted = False
        self._acting = self._make(files, start)
        self._acting.service.start()

    async def _end(self, acting: Acting) -> None:
        """Follow the master from where messages were sent."""
        await acting.service.stop()
        point, is_open = self._point(), acting.files.is_open
        await acting.progress.flush()
        acting.files.close()
        self._acting = None
        if is_open:
            acting.files.remove_all()
            self._followed.adopt(point, acting.log_end)
        sent, failed = acting.escapes.delivered, acting.escapes.failed
        self._sent, self._failed = self._sent + sent, self._failed + failed
        self._lost.report()
        if sent:
            self._log.info(
                "{count} timed messages were sent to other masters", count=sent
            )

    def _point(self) -> TimerCheckPoint:
        """Return how far messages are sent; as before, if that is no more."""
        acting = self._acting
        if acting is None:
            return self._followed.point
        read_ms = acting.late.read_ms()
        if acting.linking.has_more() or read_ms <= acting.start.last_read_ms:
            return self._followed.point
        return msgspec.structs.replace(
            acting.progress.check_point(), last_read_ms=read_ms, log_position=0
        )

    def _is_in_slot(self) -> bool:
        return self._acting is not None and self._acting.service.is_in_slot

    def _is_master_there(self) -> bool:
        """Whether this slave is connected to its master, which may not be known yet."""
        return self._broker.replication.is_following

    def _may_empty(self) -> bool:
        """Return whether messages may be sent now."""
        if not self._is_master_there():
            self._is_halted = False
            return True
        return self._is_in_slot() and not self._is_halted

    def _of_now(self, name: str) -> int:
        """Return a number of what is sent in this time of acting."""
        return 0 if self._acting is None else int(getattr(self._acting.escapes, name))

    def _make(self, files: TimerFiles, start: TimerCheckPoint) -> Acting:
        """Make the parts."""
        broker, config, now = self._broker, self._broker.config, self._now
        deliveries, late, store = Deliveries(), LateSlots(), broker.store
        escapes = Escapes(
            slots=SlotReader(store, files.log),
            deliveries=deliveries,
            put=self._put,
            lost=self._lost,
            wall_time=now,
        )
        shared: dict[str, Any] = {"store": store, "deliveries": deliveries}
        linking = Linking(
            emptying=escapes,
            before=DeliveredBefore(),
            metrics=TimerMetrics(broker.tables.file("timermetrics"), config.max_topics),
            recent=RecentSends(),
            wall_time=now,
            late=late,
            **shared,
        )
        progress = Progress(files=files, linking=linking, wall_time=now, **shared)
        service = TimerService(
            opening=Opening(
                files=files,
                placement=Placement(config.timer_precision_ms, MAX_WINDOW),
                log_file_size=config.mapped_file_size_commit_log,
                **shared,
            ),
            linking=linking,
            emptying=escapes,
            progress=progress,
            pacer=broker.pacer,
            clock=broker.clock,
            may_empty=self._may_empty,
            backoff=BACKOFF,
        )
        end = store.commit_log_max
        return Acting(start, end, service, progress, linking, escapes, late, files)
