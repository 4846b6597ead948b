"""
Looks at the cluster every few seconds, and remembers rates and lags.

Rates come from one request to each broker. The lag of a group takes requests of its
own, so a few groups are looked at in each round, one after the other, and the others in
the next ones.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.clock import PeriodicCall, wall_time
from rocketmq_tw.console.history.presence import Presence
from rocketmq_tw.console.history.ring import Rings
from rocketmq_tw.model.errors import RocketMQError

#: Samples that are kept: two hours of them, at one every 10 s.
CAPACITY = 720
#: Groups of which samples are kept.
MOST_GROUPS = 200
#: Groups that are looked at in one round.
_GROUPS_IN_ROUND = 20
#: The lines of all brokers together.
IN, OUT = "in", "out"


class Sampler:
    """
    Takes samples, from :meth:`start` to :meth:`stop`.

    :param period: seconds between two rounds.
    :ivar rates: messages per second: :data:`IN`, :data:`OUT`.
    :ivar lags: messages that are not consumed, by group.
    :ivar presence: which brokers were there.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, admin: AdminClient, period: float) -> None:
        self._admin = admin
        self._wall_time = wall_time(clock)
        self.period = period
        self.rates = Rings(2, CAPACITY)
        self.lags = Rings(MOST_GROUPS, CAPACITY)
        self.presence = Presence(clock)
        self._ticker: LoopingCall = PeriodicCall(self._tick, clock)
        self._round: Deferred[None] | None = None
        self._next_group = ""
        self._is_failing = False

    def start(self) -> None:
        """Take a sample now, and then periodically."""
        self._ticker.start(self.period)

    def stop(self) -> None:
        """Take no more."""
        if self._ticker.running:
            self._ticker.stop()
        if self._round is not None:
            self._round.cancel()

    def _tick(self) -> None:
        """Begin a round, unless the last one still waits for somebody."""
        if self._round is not None:
            return
        found = self._round = Deferred.fromCoroutine(self._sample())
        found.addCallbacks(self._succeeded, self._failed)

    async def _sample(self) -> None:
        """Take one sample of everything."""
        status = await self._admin.cluster.status()
        self.presence.saw(status.brokers)
        now = self._now_ms()
        self.rates.add(IN, now, sum(each.in_rate for each in status.brokers))
        self.rates.add(OUT, now, sum(each.out_rate for each in status.brokers))
        for group in await self._groups():
            try:
                lag = await self._admin.groups.lag(group, exists=True)
            except RocketMQError:
                continue  # It has no offsets, or its broker is gone: no sample.
            self.lags.add(group, self._now_ms(), lag.total)

    async def _groups(self) -> list[str]:
        """Return the groups whose turn it is."""
        found = await self._admin.groups.list()
        names = sorted(each.name for each in found if not each.is_system)
        later = [name for name in names if name >= self._next_group]
        chosen = (later + names[: len(names) - len(later)])[:_GROUPS_IN_ROUND]
        # The name after the last one; the first again after all.
        self._next_group = chosen[-1] + "\0" if chosen else ""
        return chosen

    def _now_ms(self) -> int:
        """Return the time of day, for the axis of the plots."""
        return int(self._wall_time() * 1000)

    def _succeeded(self, _result: None) -> None:
        """A round is complete."""
        self._round = None
        self._is_failing = False

    def _failed(self, failure: Failure) -> None:
        """Report the first failure of several."""
        self._round = None
        if failure.check(CancelledError):
            return
        if not failure.check(RocketMQError):
            self._log.failure("a sample for the console was not taken", failure)
        elif not self._is_failing:
            self._log.warn(
                "the console takes no samples: {why}", why=failure.getErrorMessage()
            )
        self._is_failing = True
