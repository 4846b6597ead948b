"""
Makes the parts that deliver timed messages, and connects them.

Imported with the first timed message: most brokers never get one.
"""

from __future__ import annotations

import msgspec

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.send.feature import added_properties
from rocketmq_tw.broker.timer.before import DeliveredBefore
from rocketmq_tw.broker.timer.deliveries import Deliveries
from rocketmq_tw.broker.timer.emptying import Emptying
from rocketmq_tw.broker.timer.lane import TimedLane
from rocketmq_tw.broker.timer.linking import Linking
from rocketmq_tw.broker.timer.lost import LostMessages
from rocketmq_tw.broker.timer.metrics import TimerMetrics
from rocketmq_tw.broker.timer.opening import Opening
from rocketmq_tw.broker.timer.progress import Progress
from rocketmq_tw.broker.timer.recent import RecentSends
from rocketmq_tw.broker.timer.service import TimerService
from rocketmq_tw.broker.timer.slots import SlotReader
from rocketmq_tw.broker.timer.window import rolling_window
from rocketmq_tw.clock import wall_time
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.store.timer.files import TimerFiles
from rocketmq_tw.store.timer.placement import Placement


class TimerParts(msgspec.Struct, frozen=True):
    """The parts of one broker."""

    service: TimerService
    linking: Linking
    emptying: Emptying
    progress: Progress
    metrics: TimerMetrics
    files: TimerFiles
    before: DeliveredBefore
    lost: LostMessages

    def behind(self, now_ms: int) -> int:
        """Return by how many seconds delivery is behind the time."""
        timers = self.service.timers
        if timers is None:
            return 0
        behind_ms = timers.placement.write_time(now_ms) - timers.read_ms
        return max(behind_ms // 1000, 0)


def make_parts(broker: Broker, metrics_file: JsonFile) -> TimerParts:
    """Make the parts; no file is touched yet."""
    config, now = broker.config, wall_time(broker.clock)
    recent = RecentSends()
    _use_lane(broker, recent)
    files = timer_files(broker)
    metrics = TimerMetrics(metrics_file, config.max_topics)
    deliveries, before = Deliveries(), DeliveredBefore()
    lost = LostMessages(broker.clock)
    emptying = Emptying(
        slots=SlotReader(broker.store, files.log),
        before=before,
        metrics=metrics,
        deliveries=deliveries,
        put=broker.store.put,
        lost=lost,
        runs=broker.store.runs,
        max_size=config.max_message_size,
        wall_time=now,
    )
    linking = Linking(
        store=broker.store,
        emptying=emptying,
        before=before,
        metrics=metrics,
        deliveries=deliveries,
        recent=recent,
        wall_time=now,
    )
    progress = Progress(
        files=files,
        store=broker.store,
        linking=linking,
        deliveries=deliveries,
        wall_time=now,
    )
    service = TimerService(
        opening=_opening(broker, files, deliveries),
        linking=linking,
        emptying=emptying,
        progress=progress,
        pacer=broker.pacer,
        clock=broker.clock,
    )
    return TimerParts(
        service, linking, emptying, progress, metrics, files, before, lost
    )


def _opening(broker: Broker, files: TimerFiles, deliveries: Deliveries) -> Opening:
    config = broker.config
    return Opening(
        files=files,
        store=broker.store,
        placement=Placement(config.timer_precision_ms, rolling_window(config)),
        deliveries=deliveries,
        log_file_size=config.mapped_file_size_commit_log,
    )


def timer_files(broker: Broker) -> TimerFiles:
    """Make the files of a broker; none is touched yet."""
    config = broker.config
    return TimerFiles(
        config.store_path_root_dir,
        precision_ms=config.timer_precision_ms,
        file_size=config.mapped_file_size_timer_log,
        run_in_thread=broker.run_in_thread,
    )


def _use_lane(broker: Broker, recent: RecentSends) -> None:
    """Let the lane of sends take timed messages, if the store has one."""
    runs, config = broker.store.runs, broker.config
    if runs is None or config.is_slave:
        return
    broker.timed_sends.lane = TimedLane(
        sends=broker.timed_sends,
        runs=runs,
        recent=recent,
        added=added_properties(config),
    )
