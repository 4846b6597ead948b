"""
Held pulls (long polling): pulls that wait for a message.

A pull that finds nothing new is held, by topic and queue, until a message that it
matches arrives there, or until its deadline. Then the store is read once more, and the
result is the response. Arrivals are recorded while messages are stored, and the pulls
they wake are run once at the end of the reactor iteration.

Source: ``PullRequestHoldService`` of RocketMQ 5, which checks every 5 s; here it is
every second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.fields import Response

#: Seconds between two checks of the deadlines.
PERIOD = 1.0


class HeldPull(msgspec.Struct, eq=False, kw_only=True):
    """
    One held pull.

    :ivar deadline: seconds, of the reactor's clock.
    :ivar matches: tests a tags code; None accepts all.
    :ivar read: reads the store once more, for the response.
    """

    peer: Peer
    deadline: float
    matches: Callable[[int], bool] | None
    read: Callable[[], Response | Deferred[Any]]
    response: Deferred[Response | None]


Key = tuple[bytes, int]


class HeldPulls:
    """
    All held pulls, by topic and queue.

    It listens to the store's arrivals only while pulls are held.
    """

    _log = Logger()

    def __init__(self, *, store: IMessageStore, clock: IReactorTime) -> None:
        self._store = store
        self._clock = clock
        self._held: dict[Key, list[HeldPull]] = {}
        self._due: list[HeldPull] = []
        self._scheduled: IDelayedCall | None = None
        self._tick = LoopingCall(self._expire)
        self._tick.clock = clock

    def __len__(self) -> int:
        """Return how many pulls are held."""
        return sum(len(pulls) for pulls in self._held.values())

    def start(self) -> None:
        """Start checking the deadlines."""
        self._tick.start(PERIOD, now=False).addErrback(
            lambda f: self._log.failure("held pulls are no longer watched", f)
        )

    def stop(self) -> None:
        """Respond to all held pulls, and stop checking."""
        if self._tick.running:
            self._tick.stop()
        self._take(lambda _pull: True)
        self._respond_due()

    def hold(
        self,
        topic: str,
        queue_id: int,
        *,
        timeout: float,
        peer: Peer,
        matches: Callable[[int], bool] | None,
        read: Callable[[], Response | Deferred[Any]],
    ) -> Deferred[Response | None]:
        """
        Hold a pull.

        :param timeout: the longest time to hold it, in seconds.
        :param matches: tests a tags code; None accepts all.
        :param read: reads the store once more, for the response.
        :returns: fires with the response, or None if the connection was lost.
        """
        response: Deferred[Response | None] = Deferred()
        pull = HeldPull(
            peer=peer,
            deadline=self._clock.seconds() + timeout,
            matches=matches,
            read=read,
            response=response,
        )
        self._held.setdefault((topic.encode(), queue_id), []).append(pull)
        self._store.add_listener(self._arrived)
        return response

    def connection_lost(self, peer: Peer) -> None:
        """Drop the pulls of a lost connection."""
        gone = self._pick(lambda pull: pull.peer is peer)
        woken = [pull for pull in self._due if pull.peer is peer]
        if woken:
            self._due = [pull for pull in self._due if pull not in woken]
        for pull in gone + woken:
            pull.response.callback(None)

    def _arrived(
        self, topic: bytes, queue_id: int, _next: int, tags_code: int, _time: int
    ) -> None:
        """Wake the pulls that match a new message."""
        waiting = self._held.get((topic, queue_id))
        if waiting is None:
            return
        woken = [p for p in waiting if p.matches is None or p.matches(tags_code)]
        if not woken:
            return
        if len(woken) == len(waiting):
            del self._held[topic, queue_id]
        else:
            self._held[topic, queue_id] = [p for p in waiting if p not in woken]
        self._wake(woken)

    def _expire(self) -> None:
        """Wake the pulls past their deadline."""
        now = self._clock.seconds()
        self._take(lambda pull: pull.deadline <= now)

    def _take(self, wanted: Callable[[HeldPull], bool]) -> None:
        """Wake the pulls that match ``wanted``."""
        self._wake(self._pick(wanted))

    def _pick(self, wanted: Callable[[HeldPull], bool]) -> list[HeldPull]:
        """Remove and return the pulls that match ``wanted``."""
        picked: list[HeldPull] = []
        for key, pulls in list(self._held.items()):
            going = [pull for pull in pulls if wanted(pull)]
            if not going:
                continue
            picked += going
            if len(going) == len(pulls):
                del self._held[key]
            else:
                self._held[key] = [pull for pull in pulls if pull not in going]
        if not self._held:
            self._store.remove_listener(self._arrived)
        return picked

    def _wake(self, pulls: list[HeldPull]) -> None:
        """
        Schedule the responses to these pulls for the end of this reactor iteration.
        """
        self._due += pulls
        if self._due and self._scheduled is None:
            self._scheduled = self._clock.callLater(0, self._respond_due)

    def _respond_due(self) -> None:
        """Respond to all pulls that were woken."""
        scheduled, self._scheduled = self._scheduled, None
        if scheduled is not None and scheduled.active():
            scheduled.cancel()
        # Not while the store notifies of an arrival: more messages of a batch may
        # follow.
        if not self._held:
            self._store.remove_listener(self._arrived)
        due, self._due = self._due, []
        for pull in due:
            self._respond(pull)

    def _respond(self, pull: HeldPull) -> None:
        """Read for a pull and respond to it, once the peer has read its responses."""
        peer = pull.peer
        if peer.is_write_blocked:
            peer.when_writable().addCallback(lambda _: self._respond(pull))
            return
        if not peer.is_connected:
            pull.response.callback(None)
            return
        try:
            response = pull.read()
        except Exception:
            pull.response.errback(Failure())
            return
        if isinstance(response, Deferred):
            response.chainDeferred(pull.response)
        else:
            pull.response.callback(response)
