"""
Handles pops and notifications: checks the request, looks for messages, or waits.

Source: ``PopMessageProcessor``, ``NotificationProcessor`` and ``PollingInfoProcessor``
of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.broker.errors import TooManyHeldPulls
from rocketmq_tw.broker.pop.checks import PopChecks
from rocketmq_tw.broker.pop.polling import Poll, PopPolling
from rocketmq_tw.broker.pop.reader import PopReader, Wanted, is_from_min
from rocketmq_tw.broker.pull.filters import Matches
from rocketmq_tw.broker.send.send_back import WhenSafe
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.broker.tables.progress import ConsumeProgress
from rocketmq_tw.filter.tags import count_tags
from rocketmq_tw.model.topic import is_retry
from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.pop import (
    Notification,
    NotificationResponse,
    PollingInfo,
    PollingInfoResponse,
    PopMessage,
    PopResponse,
    PopRollback,
)

#: Milliseconds before the end of its time at which a request gets its response.
_EARLY_MS = 50
#: Milliseconds that a request may be late.
_LATE_MS = 500
_NOTHING = "NO_MESSAGE_IN_QUEUE"


class PopProcessor:
    """
    Handles pops, notifications, and questions about those that wait.

    :param now: returns the time of day, in seconds since the epoch.
    :param when_safe: returns a Deferred for when a check point that ends at an offset
        may be relied on; None if it may be now.
    """

    def __init__(
        self,
        *,
        checks: PopChecks,
        reader: PopReader,
        polling: PopPolling,
        clock: IReactorTime,
        now: Callable[[], float],
        stats: BrokerStats,
        progress: ConsumeProgress,
        when_safe: WhenSafe,
    ) -> None:
        self._checks = checks
        self._reader = reader
        self._polling = polling
        self._clock = clock
        self._now = now
        self._stats = stats
        self._progress = progress
        self._when_safe = when_safe

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(PopMessage, self.pop)
        router.on(Notification, self.notify)
        router.on(PollingInfo, self.polling_info)
        router.on(PopRollback, lambda request, call: Response())

    def pop(self, request: PopMessage, call: Call) -> PopResponse | Deferred[Any]:
        """
        Hand out messages, or hold the request until some arrive.

        :raises Refused: it is not permitted.
        """
        now_ms = int(call.received_at * 1000)
        late_ms = now_ms - (request.born_time or now_ms) - request.poll_time
        if late_ms > _LATE_MS:
            return _late(
                f"pop message is timeout too much: by the client's clock, its time was"
                f" over {late_ms} ms ago"
            )
        self._checks.check_pop(request)
        if request.max_msg_nums < 1:
            return _late(f"maxMsgNums is {request.max_msg_nums}: no message is popped")
        matches = self._checks.filter_of(request)
        wanted = Wanted(
            topic=request.topic,
            group=request.consumer_group,
            queue_id=request.queue_id,
            count=request.max_msg_nums,
            invisible_ms=request.invisible_time,
            matches=matches,
            from_min=is_from_min(request.init_mode),
            in_order=request.order and not is_retry(request.topic),
            attempt_id=request.attempt_id,
        )
        until = self._until(request.born_time or now_ms, request.poll_time, now_ms)
        return Deferred.fromCoroutine(self._pop(wanted, call.peer, until))

    async def _pop(self, wanted: Wanted, peer: Peer, until: float) -> Any:
        """Look for messages, and wait for some if there are none."""
        found = await self._attempt(wanted)
        if found is not None:
            return found
        return await self._hold(
            Poll(
                topic=wanted.topic,
                group=wanted.group,
                queue_id=wanted.queue_id,
                until=until,
                peer=peer,
                matches=wanted.matches,
                tags=count_tags(wanted.matches),
                attempt=lambda: self._attempt(wanted),
                late=_late,
            ),
            full=lambda why: PopResponse(status=ResponseCode.POLLING_FULL, remark=why),
        )

    async def _attempt(self, wanted: Wanted) -> PopResponse | None:
        """Look for messages."""
        found = await self._reader.pop(wanted, int(self._now() * 1000))
        if not found.count:
            return None
        response = found.response(wanted.invisible_ms)
        self._stats.fetched(found.count, len(response.body))
        entry = self._progress.entry(wanted.topic, wanted.group)
        entry.messages += found.count
        entry.size += len(response.body)
        entry.pulls += 1
        entry.pops += len(found.starts)
        if entry.watched is not None:
            for queue_id, count, size in found.queues:
                entry.sent(queue_id, count, size)
        if found.rest and not wanted.in_order:
            self._polling.wake_one(wanted.topic, wanted.group, wanted.queue_id)
        safe = self._when_safe(found.end)
        if safe is not None:
            await safe
        return response

    def notify(self, request: Notification, call: Call) -> Deferred[Any]:
        """Respond once a pop would find messages, or when the time is over."""
        self._checks.check(request)
        matches = self._checks.filter_of(request)
        now_ms = int(call.received_at * 1000)
        until = self._until(request.born_time or now_ms, request.poll_time, now_ms)
        peer = call.peer
        return Deferred.fromCoroutine(self._notify(request, matches, peer, until))

    async def _notify(
        self, request: Notification, matches: Matches, peer: Peer, until: float
    ) -> Any:
        """Look whether there are messages, and wait for some if there are none."""
        topic, group, queue_id = request.topic, request.consumer_group, request.queue_id

        async def attempt() -> NotificationResponse | None:
            at_ms = int(self._now() * 1000) if request.order else None
            if self._reader.has_messages(topic, group, queue_id, at_ms):
                return NotificationResponse(has_msg=True)
            return None

        found = await attempt()
        if found is not None:
            return found
        return await self._hold(
            Poll(
                topic=topic,
                group=group,
                queue_id=queue_id,
                until=until,
                peer=peer,
                matches=matches,
                tags=count_tags(matches),
                attempt=attempt,
                late=NotificationResponse,
            ),
            full=lambda why: NotificationResponse(polling_full=True, remark=why),
        )

    async def _hold(self, poll: Poll, full: Callable[[str], Response]) -> Any:
        """Let a request wait if it may."""
        if self._clock.seconds() >= poll.until:
            return poll.late()
        try:
            held = self._polling.hold(poll)
        except TooManyHeldPulls as error:
            return full(str(error))
        return await held

    def polling_info(self, request: PollingInfo, call: Call) -> PollingInfoResponse:
        """Return how many pops of a group wait at a queue."""
        self._checks.check(request)
        count = self._polling.count(
            request.topic, request.consumer_group, request.queue_id
        )
        return PollingInfoResponse(polling_num=count)

    def _until(self, born_ms: int, poll_ms: int, now_ms: int) -> float:
        """Return the deadline of a request, in seconds of the clock."""
        left = born_ms + poll_ms - _EARLY_MS - now_ms
        return self._clock.seconds() + left / 1000


def _late(why: str = _NOTHING) -> PopResponse:
    """Return the response to a pop that found nothing in its time."""
    return PopResponse(status=ResponseCode.POLLING_TIMEOUT, remark=why)
