"""
Lists that are fetched at most every few seconds, whoever asks for a page of them.

To list 10,000 topics, name servers and brokers send a megabyte. A page shows some tens,
and a search one after the other as somebody types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

T = TypeVar("T")


class Kept(Generic[T]):
    """
    A value that is fetched again after a while; who asks meanwhile shares one fetch.

    :param fetch: fetches it.
    :param age: seconds for which it is kept.
    """

    def __init__(
        self, clock: IReactorTime, fetch: Callable[[], Deferred[T]], age: float
    ) -> None:
        self._clock = clock
        self._fetch = fetch
        self._age = age
        self._value: T | None = None
        self._fetched_at = 0.0
        # Also while all who waited have gone.
        self._is_fetching = False
        # Whether what is being fetched has changed since then.
        self._is_stale = False
        # Those who wait for a fetch: as many as there are requests.
        self._waiting: list[Deferred[T]] = []

    def get(self) -> Deferred[T]:
        """Return it; each caller gets a Deferred of its own."""
        age = self._clock.seconds() - self._fetched_at
        if self._value is not None and age < self._age:
            return succeed(self._value)
        mine: Deferred[T] = Deferred(self._forget)
        self._waiting.append(mine)
        if not self._is_fetching:
            self._begin()
        return mine

    def renew(self) -> None:
        """It has changed: who asks from now on gets what is fetched after this."""
        self._value = None
        self._is_stale = self._is_fetching

    def _begin(self) -> None:
        """Fetch it."""
        self._is_fetching, self._is_stale = True, False
        self._fetch().addCallbacks(self._fetched, self._failed)

    def _forget(self, waiting: Deferred[T]) -> None:
        """One who waited has gone; the fetch goes on."""
        self._waiting = [each for each in self._waiting if each is not waiting]

    def _fetched(self, value: T) -> None:
        """Keep it, and pass it on."""
        if self._is_stale:
            self._begin()
            return
        self._is_fetching = False
        self._value = value
        self._fetched_at = self._clock.seconds()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(value)

    def _failed(self, failure: Failure) -> None:
        """Pass the failure on."""
        self._is_fetching = False
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.errback(failure)
