"""
The messages of a topic, as they come.

Queues that a topic gets later are read, too: from the first message on that was stored
after this has begun, for a broker that comes back brings old ones along. A queue that
is taken away is left out, and looked for again: it continues where it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.found import found
from rocketmq_tw.admin.reading import QueuesReader, Spot
from rocketmq_tw.admin.results.messages import FoundMessage
from rocketmq_tw.admin.texts import to_ms
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.errors import BrokerError, TransportError
from rocketmq_tw.wire.codes import ResponseCode

#: Seconds that a broker may hold a pull.
WAIT = 10.0
#: Seconds after which it looks for queues that are new.
LOOK = 10.0
#: Queues that are read, besides those that there are at the start.
MOST_NEW = 4096
#: Seconds after which a broker that could not be read is asked again.
RETRY = 1.0
#: Brokers say so of an expression that they cannot apply, whatever the queue.
_EXPRESSION = (
    ResponseCode.SUBSCRIPTION_PARSE_FAILED,
    ResponseCode.SUBSCRIPTION_NOT_EXIST,
)

#: Hears of a queue that cannot be read, and why; None: it is read again.
OnFailing = Callable[[str, str | None], object]


class Tail:
    """
    Iterates over new messages: one pull waits at the broker of each queue.

    :param find: returns the queues.
    :param limit: how many messages may wait; beyond it no pull is sent.
    :param on_failing: hears of changes of ``failing``.
    :ivar failing: the queues that cannot be read now, and why; they are tried again.
    """

    def __init__(
        self,
        calls: Calls,
        find: Callable[[], Awaitable[Mapping[str, Spot]]],
        expression: str,
        limit: int,
        on_failing: OnFailing | None = None,
    ) -> None:
        self._calls = calls
        self._reader = QueuesReader(calls)
        self._find = find
        self._expression = expression
        self._limit = limit
        self._running: list[Deferred[None]] = []
        self._on_failing = on_failing
        #: The queues that are read, or should be, with the brokers' last addresses.
        self._spots: dict[str, Spot] = {}
        #: Those that are read; others were refused by their broker.
        self._followed: set[str] = set()
        #: Where queues continue that were refused.
        self._offsets: dict[str, int] = {}
        self._since = datetime(1970, 1, 1, tzinfo=UTC)
        self._started = False
        self._closed = False
        self._error: BaseException | None = None
        # len(_messages) < _limit + PER_PULL * queues
        self._messages: deque[FoundMessage] = deque()
        self._taker: Deferred[None] | None = None
        self._permits: list[Deferred[None]] = []
        self.failing: dict[str, str] = {}

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FoundMessage:
        """
        Return the next message.

        :raises NotFound: there is no such topic.
        """
        if not self._started:
            await self.start()
        while not self._messages:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._taker = Deferred()
            await self._taker
        message = self._messages.popleft()
        if len(self._messages) < self._limit:
            permits, self._permits = self._permits, []
            for permit in permits:
                permit.callback(None)
        return message

    async def start(self) -> None:
        """
        Find the ends of the queues: what is stored afterwards is returned.

        The first :meth:`__anext__` does this if it was not done before.
        """
        self._started = True
        now = wall_time(self._calls.session.clock)()
        self._since = datetime.fromtimestamp(now, UTC)
        spots = await self._find()
        ends = await self._calls.each(
            {name: name for name in spots},
            lambda name: self._reader.max_offset(spots[name]),
        )
        ends.need_one("no queue can be read")
        self._spots = dict(spots)
        self._offsets = dict(ends.ok)
        for name, why in ends.failed.items():
            self._fails(name, why)
        for name in spots:
            if not _is_lasting(ends.errors.get(name)):
                self._begin(name)
        self._run(self._look())

    def _begin(self, name: str) -> None:
        """Follow a queue that is not followed now."""
        self._followed.add(name)
        self._run(self._follow(name, self._offsets.pop(name, None)))

    def _run(self, reading: Coroutine[Any, Any, None]) -> None:
        """Run what :meth:`aclose` cancels."""
        running = Deferred.fromCoroutine(reading)
        running.addErrback(self._ended)
        if not running.called:
            self._running.append(running)
            running.addCallback(lambda _: self._remove(running))

    def _remove(self, running: Deferred[None]) -> None:
        """Forget what has ended; :meth:`aclose` has forgotten all at once."""
        if running in self._running:
            self._running.remove(running)

    async def _look(self) -> None:
        """Follow queues that are new, until this is cancelled."""
        most = len(self._spots) + MOST_NEW
        while True:
            await self._sleep(LOOK)
            try:
                spots = await self._find()
            except RocketMQError:
                continue  # whoever reads the queues finds out what is wrong
            for name, spot in spots.items():
                if name not in self._spots and len(self._spots) >= most:
                    self._fails("more queues", f"{most} are read already")
                    continue
                self._spots[name] = spot
                if name not in self._followed:
                    self._begin(name)

    async def aclose(self) -> None:
        """Cancel the pulls; iterating ends."""
        self._closed = True
        running, self._running = self._running, []
        for reading in running:
            reading.cancel()
        self._wake()

    async def __aenter__(self) -> Self:
        """Begin at the present ends of the queues."""
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Cancel the pulls."""
        await self.aclose()

    async def _follow(self, name: str, offset: int | None) -> None:
        """
        Read one queue until this is cancelled, or its broker refuses it.

        :param offset: where to begin; None for what is stored since the start.
        """
        since_ms = 0
        while not self._closed:
            if len(self._messages) >= self._limit:
                permit: Deferred[None] = Deferred()
                self._permits.append(permit)
                await permit
            spot = self._spots[name]
            try:
                if offset is None:
                    offset = await self._reader.search(spot, self._since)
                    # Brokers of 4.x find the last message if all are older.
                    since_ms = to_ms(self._since)
                result = await self._reader.pull(
                    spot, offset, wait=WAIT, expression=self._expression
                )
            except (TransportError, BrokerError) as error:
                self._fails(name, str(error))
                if _is_lasting(error):
                    self._leave(name, offset, error)
                    return
                await self._sleep()
                continue
            self._recovers(name)
            offset = result.next_offset
            self._messages.extend(
                found(each)
                for each in result.messages
                if each.store_time_ms >= since_ms
            )
            if result.messages:
                self._wake()

    def _leave(self, name: str, offset: int | None, error: RocketMQError) -> None:
        """
        Read a queue no more until :meth:`_look` finds it again.

        :raises RocketMQError: the expression is wrong, or no queue is left; whatever
            it is will stay so.
        """
        self._followed.discard(name)
        if offset is not None:
            self._offsets[name] = offset
        if not self._followed or getattr(error, "code", None) in _EXPRESSION:
            raise error

    def _fails(self, name: str, why: str) -> None:
        """Remember that a queue cannot be read; only the first reason is notified."""
        known, self.failing[name] = self.failing.get(name), why
        if known is None and self._on_failing is not None:
            self._on_failing(name, why)

    def _recovers(self, name: str) -> None:
        """Remember that a queue is read again."""
        if self.failing.pop(name, None) is not None and self._on_failing is not None:
            self._on_failing(name, None)

    def _sleep(self, seconds: float = RETRY) -> Deferred[None]:
        """Wait before somebody is asked again."""
        delayed: Deferred[None] = Deferred(lambda _: timer.cancel())
        timer = self._calls.session.clock.callLater(seconds, delayed.callback, None)
        return delayed

    def _ended(self, failure: Failure) -> None:
        """Let the taker fail, unless this was cancelled."""
        if failure.check(CancelledError) and self._closed:
            return
        self._error = self._error or failure.value
        self._wake()

    def _wake(self) -> None:
        """Let the taker look again."""
        taker, self._taker = self._taker, None
        if taker is not None and not taker.called:
            taker.callback(None)


def _is_lasting(error: Exception | None) -> bool:
    """Whether a broker refuses, and would do so again."""
    return isinstance(error, BrokerError) and not error.retryable
