"""
Pulls that wait for a message: long polling.

A pull that finds nothing new is held, keyed by topic and queue, until a message that it
wants arrives there, or its time is up. Then the store is read once more, and the
response is what that finds. Arrivals are noted while messages are stored, and acted
upon once in a reactor iteration.

Source: ``PullRequestHoldService`` of RocketMQ 5; it looks every 5 s, this every second.
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

#: Seconds between two looks at the deadlines.
PERIOD = 1.0


class HeldPull(msgspec.Struct, eq=False, kw_only=True):
    """
    One pull that waits.

    :ivar deadline: seconds, of the same clock.
    :ivar matches: which tags codes it wants; None for all.
    :ivar read: reads the store for the last time.
    """

    peer: Peer
    deadline: float
    matches: Callable[[int], bool] | None
    read: Callable[[], Response | Deferred[Any]]
    response: Deferred[Response | None]


Key = tuple[bytes, int]


class HeldPulls:
    """
    The pulls that wait, by topic and queue.

    It listens to the store's arrivals only while something waits for them.
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
        """Count the pulls that wait."""
        return sum(len(pulls) for pulls in self._held.values())

    def start(self) -> None:
        """Begin to watch the deadlines."""
        self._tick.start(PERIOD, now=False).addErrback(
            lambda f: self._log.failure("held pulls are no longer watched", f)
        )

    def stop(self) -> None:
        """Respond to all that wait, and watch no more."""
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
        Keep a pull.

        :param timeout: seconds.
        :param matches: which tags codes it wants; None for all.
        :param read: reads the store for the last time.
        :returns: fires with the response, or None if the peer is gone meanwhile.
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
        """Release what was held for a client that is gone."""
        gone = self._pick(lambda pull: pull.peer is peer)
        woken = [pull for pull in self._due if pull.peer is peer]
        if woken:
            self._due = [pull for pull in self._due if pull not in woken]
        for pull in gone + woken:
            pull.response.callback(None)

    def _arrived(
        self, topic: bytes, queue_id: int, _next: int, tags_code: int, _time: int
    ) -> None:
        """Note whom a new message wakes."""
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
        """Wake those whose time is up."""
        now = self._clock.seconds()
        self._take(lambda pull: pull.deadline <= now)

    def _take(self, wanted: Callable[[HeldPull], bool]) -> None:
        """Wake those that are wanted."""
        self._wake(self._pick(wanted))

    def _pick(self, wanted: Callable[[HeldPull], bool]) -> list[HeldPull]:
        """Take those that are wanted out of the table."""
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
        """Respond to these at the end of this reactor iteration."""
        self._due += pulls
        if self._due and self._scheduled is None:
            self._scheduled = self._clock.callLater(0, self._respond_due)

    def _respond_due(self) -> None:
        """Read for all that were woken, and respond to them."""
        scheduled, self._scheduled = self._scheduled, None
        if scheduled is not None and scheduled.active():
            scheduled.cancel()
        # Not while the store notifies of an arrival: others of a batch are to come.
        if not self._held:
            self._store.remove_listener(self._arrived)
        due, self._due = self._due, []
        for pull in due:
            self._respond(pull)

    def _respond(self, pull: HeldPull) -> None:
        """Read for a pull and respond to it, once the peer reads its responses."""
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
