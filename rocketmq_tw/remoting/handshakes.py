"""
How many TLS handshakes a server makes at once, and for how long in one iteration.

A handshake costs the server some 0.5 ms of the reactor's time with a key of 2048 bits,
1.5 ms with one of 4096, and 64 KiB until it is complete. So

- those that are begun have a limit, in all and for each address; others wait, and
  addresses take turns;
- where others wait, one that has not been completed for a second gives way;
- each has a limited time;
- they have :data:`TIME` of each iteration, and what is left waits for the next one:
  9,000 clients that connect together do not stop the others.

Source: none; Apache RocketMQ has several threads for its connections.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

#: Seconds of one iteration in which handshakes continue, and how many at most.
TIME, COUNT = 0.01, 20
#: Seconds after which a handshake gives way to one that waits.
SLOW = 1.0
#: Seconds between two looks for slow ones, at least.
_SHORT = 0.1
_ALL = "as maxTlsHandshakes lets"
_EACH = "as maxTlsHandshakesPerAddress lets"


class Handshake(Protocol):
    """One handshake of a server. It is found in tables by identity."""

    host: str

    def step(self) -> None:
        """Continue with what was received."""

    def refuse(self, why: str) -> None:
        """Close the connection, and log the reason."""


class Handshakes:
    """
    The handshakes of one server.

    :param limit: how many may be begun and not complete.
    :param limit_per_address: how many of one address; 0 for half of ``limit``.
    :param timeout: seconds for each, with the time for which it waits.
    :ivar completed: how many were completed since the start.
    :ivar failed: how many failed, the peer being refused or gone.
    :ivar displaced: how many of these gave way to others.
    :ivar timed_out: how many of these took too long.
    """

    def __init__(
        self,
        clock: IReactorTime,
        *,
        limit: int = 1000,
        limit_per_address: int = 0,
        timeout: float = 10.0,
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._limit_per_address = limit_per_address or (limit + 1) // 2
        self._timeout = timeout
        # All that are known, oldest first, with the time at which they came. Each is
        # in one of the next two at most.
        self._known: OrderedDict[Handshake, float] = OrderedDict()
        # When each was begun, oldest first.
        self._begun: OrderedDict[Handshake, float] = OrderedDict()
        # Those that wait, by host; no host without one.
        self._waiting: OrderedDict[str, OrderedDict[Handshake, None]] = OrderedDict()
        # Of each host that has begun some, those; no host without one.
        self._by_host: dict[str, OrderedDict[Handshake, None]] = {}
        # Begun ones that have received something.
        self._ready: deque[Handshake] = deque()
        self._next: IDelayedCall | None = None
        self._expiry: IDelayedCall | None = None
        self._is_stopped = False
        self._until = 0.0
        self._left = 0
        self.completed = self.failed = self.displaced = self.timed_out = 0

    @property
    def count(self) -> int:
        """How many are begun and not complete."""
        return len(self._begun)

    @property
    def waiting(self) -> int:
        """How many have sent something, and are not begun."""
        return len(self._known) - len(self._begun)

    def add(self, handshake: Handshake) -> None:
        """Give a handshake, whose first byte was received, a limited time."""
        self._known[handshake] = self._clock.seconds()
        if self._expiry is None and not self._is_stopped:
            self._expiry = self._clock.callLater(self._timeout, self._expire)

    def begin(self, handshake: Handshake) -> None:
        """Begin one whose first message was received wholly, or let it wait."""
        self._waiting.setdefault(handshake.host, OrderedDict())[handshake] = None
        self._schedule(0)

    def received(self, handshake: Handshake) -> None:
        """Continue a handshake that is begun, in this iteration or a later one."""
        if handshake in self._begun:
            self._ready.append(handshake)
            self._schedule(0)

    def remove(self, handshake: Handshake, *, completed: bool) -> None:
        """Forget a handshake that is complete, or has failed; nothing if unknown."""
        if self._known.pop(handshake, None) is None:
            return
        if completed:
            self.completed += 1
        else:
            self.failed += 1
        host = handshake.host
        is_begun = self._begun.pop(handshake, None) is not None
        hosts = self._by_host if is_begun else self._waiting
        if host in hosts:
            hosts[host].pop(handshake, None)
            if not hosts[host]:
                del hosts[host]
        if is_begun and self._waiting:
            self._schedule(0)

    def stop(self) -> None:
        """Cancel the timers, and set none any more; all connections are closed."""
        self._is_stopped = True
        for call in (self._next, self._expiry):
            if call is not None and call.active():
                call.cancel()
        self._next = self._expiry = None

    def _schedule(self, delay: float) -> None:
        """Continue after so many seconds, or before."""
        if self._is_stopped:
            return
        if self._next is not None:
            if self._next.getTime() <= self._clock.seconds() + delay:
                return
            self._next.cancel()
        self._next = self._clock.callLater(delay, self._iterate)

    def _iterate(self) -> None:
        """Continue those that are begun, then begin others, within this iteration."""
        self._next = None
        self._until, self._left = self._clock.seconds() + TIME, COUNT
        while self._ready and self._may_continue():
            ready = self._ready.popleft()
            if ready in self._begun:
                ready.step()
        self._begin_waiting()
        if self._ready:
            self._schedule(0)

    def _may_continue(self) -> bool:
        """Whether there is time for one more in this iteration."""
        self._left -= 1
        return self._left >= 0 and self._clock.seconds() < self._until

    def _begin_waiting(self) -> None:
        """Begin handshakes of all addresses in turn."""
        full = 0
        while self._waiting and full < len(self._waiting):
            host = next(iter(self._waiting))
            self._waiting.move_to_end(host)
            known = self._by_host.get(host, ())
            if len(known) >= self._limit_per_address:
                if not self._displace(next(iter(known)), "of its address wait", _EACH):
                    full += 1
                    continue
            elif len(self._begun) >= self._limit:
                if not self._displace(next(iter(self._begun)), "wait", _ALL):
                    break
            if not self._may_continue():
                self._schedule(0)
                return
            full = 0
            self._begin(host)
        if self._waiting:
            oldest = next(iter(self._begun.values()))
            self._schedule(max(_SHORT, oldest + SLOW - self._clock.seconds()))

    def _begin(self, host: str) -> None:
        """Begin the oldest handshake of a host that waits."""
        of_host = self._waiting[host]
        handshake, _ = of_host.popitem(last=False)
        if not of_host:
            del self._waiting[host]
        self._begun[handshake] = self._clock.seconds()
        self._by_host.setdefault(host, OrderedDict())[handshake] = None
        handshake.step()

    def _displace(self, oldest: Handshake, others: str, limit: str) -> bool:
        """Refuse a handshake that is begun if it is slow; return whether it was."""
        if self._clock.seconds() - self._begun[oldest] < SLOW:
            return False
        self.displaced += 1
        oldest.refuse(
            "its TLS handshake is not complete after a second, and others"
            f" {others}, as many being begun {limit}"
        )
        self.remove(oldest, completed=False)
        return True

    def _expire(self) -> None:
        """Refuse handshakes that take too long."""
        self._expiry = None
        now = self._clock.seconds()
        for _ in range(COUNT):
            if not self._known:
                return
            handshake, came = next(iter(self._known.items()))
            if came + self._timeout > now:
                self._expiry = self._clock.callLater(
                    came + self._timeout - now, self._expire
                )
                return
            self.timed_out += 1
            handshake.refuse(
                f"its TLS handshake took more than {self._timeout:g} s"
                " (tlsHandshakeTimeoutMillis)"
            )
            self.remove(handshake, completed=False)
        self._expiry = self._clock.callLater(0, self._expire)
