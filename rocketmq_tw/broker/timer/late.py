"""
The timer of a broker, which is made when it is first needed.

That is at the start, if messages wait from before, or when the first timed message
comes. Until then it takes neither memory nor time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.errors import TooManyOffsets
from rocketmq_tw.broker.pop.journal import REVIVE_GROUP
from rocketmq_tw.broker.slave.replicated import Ask
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.topic import TIMER_TOPIC
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint, TimerMetricsTable

if TYPE_CHECKING:
    from rocketmq_tw.broker.timer.metrics import TimerMeter
    from rocketmq_tw.broker.timer.parts import TimerParts

#: Files from which messages may wait.
_FILES = ("timerwheel", "timerlog")


class LateTimer:
    """
    The stages of a timer's life.

    :ivar parts: None until it is needed.
    :ivar meter: counts what is linked and delivered; set before the start.
    """

    _log = Logger()

    # While it runs, _is_running is set, and the service is started once it is made.

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._wall_time = wall_time(broker.clock)
        self._file = broker.tables.file("timermetrics")
        self._is_running = False
        self.parts: TimerParts | None = None
        self.meter: TimerMeter | None = None

    def open(self) -> Deferred[Any] | None:
        """
        Open what is there from before.

        :raises StoreUnreadable: it cannot be used; so fails the Deferred.
        """
        root = self._broker.config.store_path_root_dir
        names = os.listdir(root) if os.path.isdir(root) else []
        is_there = any(name.startswith(_FILES) for name in names)
        if not is_there and not self._broker.store.max_offset(TIMER_TOPIC, 0):
            return None
        return self._made().service.open()

    def start(self) -> None:
        """Start to deliver."""
        self._is_running = True
        if self.parts is not None:
            self.parts.service.start()

    def wake(self) -> None:
        """A timed message is stored just now."""
        if self.parts is None:
            service = self._made().service
            if self._is_running:
                service.start()
        self._made().service.wake()

    def stop(self) -> Deferred[None] | None:
        """Deliver no more."""
        self._is_running = False
        return None if self.parts is None else self.parts.service.stop()

    def flush(self) -> Deferred[None] | None:
        """Write how far messages are delivered."""
        return None if self.parts is None else self.parts.progress.flush()

    def save(self) -> Deferred[Any] | None:
        """Write how many messages wait."""
        if self.parts is None:
            return None
        self._note_adopted(self.parts.linking.queue_offset)
        metrics = self.parts.metrics
        steps = metrics.saving(self._now_ms())
        saved = self._broker.pacer.run(steps, None, key=metrics)
        return saved if isinstance(saved, Deferred) else None

    def close(self) -> Deferred[None] | None:
        """Write everything and close the files."""
        parts = self.parts
        if parts is None:
            return None
        flushed = parts.progress.flush(is_last=True)
        return flushed.addCallback(lambda _: parts.files.close())

    def check_point(self) -> TimerCheckPoint:
        """Return how far messages are delivered."""
        if self.parts is None:
            # All that was due is delivered.
            return TimerCheckPoint(last_read_ms=self._now_ms() // 1000 * 1000)
        return self.parts.progress.check_point()

    async def take_over(self, ask: Ask) -> None:
        """
        Take over how far a slave that has acted for this master has sent messages.

        :raises BadField: what it says is not usable.
        """
        if self.parts is None:
            return
        from rocketmq_tw.broker.timer.followed import ask_check_point

        try:
            found = await ask_check_point(ask)
        except BrokerError as error:
            # Apache RocketMQ's without a timer says that it has no check point.
            self._log.warn(
                "a slave does not say up to when timed messages are sent, so some may"
                " come twice: {why}",
                why=log_safe(str(error)),
            )
            return
        if found is not None:
            await self.parts.progress.take_over(found)

    def table(self) -> Steps[bytes]:
        """Encode how many messages of each topic wait, in steps."""
        if self.parts is None:
            return TimerMetricsTable().encode()
        return (yield from self.parts.metrics.body())

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return what runtime information shows; the first are Apache RocketMQ's."""

        def gauge(read: Callable[[TimerParts], int]) -> Callable[[], int]:
            return lambda: 0 if self.parts is None else read(self.parts)

        sends = self._broker.timed_sends
        return {
            "timerReadBehind": gauge(lambda parts: parts.behind(self._now_ms())),
            "timerOffsetBehind": gauge(lambda parts: parts.linking.behind),
            "timerCongestNum": gauge(lambda parts: parts.metrics.waiting),
            "timerMessages": gauge(lambda parts: parts.metrics.waiting),
            "timerLinked": gauge(lambda parts: parts.linking.linked),
            "timerDelivered": gauge(lambda parts: parts.emptying.delivered),
            "timerRecalled": gauge(lambda parts: parts.emptying.cancelled),
            "timerLost": gauge(lambda parts: parts.lost.count),
            "timerSentBySlave": gauge(lambda parts: parts.before.passed),
            "timerSlotRefused": lambda: sends.refused,
        }

    def _made(self) -> TimerParts:
        """Return the parts; make them if needed."""
        if self.parts is None:
            from rocketmq_tw.broker.timer.parts import make_parts

            self.parts = make_parts(self._broker, self._file)
            self.parts.metrics.load()
            self.parts.linking.meter = self.parts.emptying.meter = self.meter
            # Each timed message calls these.
            sends, service = self._broker.timed_sends, self.parts.service
            sends.wake, sends.is_full = service.wake, service.is_full
        return self.parts

    def _note_adopted(self, queue_offset: int) -> None:
        """
        Record that nothing in the timer's queue is to be taken over any more.

        What another broker writes there about pops was taken over at the start
        (:mod:`rocketmq_tw.broker.pop.adoption`).
        """
        if not queue_offset:
            return
        try:
            self._broker.tables.offsets.commit(
                REVIVE_GROUP, TIMER_TOPIC, 0, queue_offset - 1
            )
        except TooManyOffsets:
            pass  # The next time tries again; a start before it looks at more.

    def _now_ms(self) -> int:
        return int(self._wall_time() * 1000)
