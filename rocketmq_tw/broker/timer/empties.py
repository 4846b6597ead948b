"""What delivers the messages of a slot: to topics, or to other masters."""

from __future__ import annotations

from typing import Protocol

from rocketmq_tw.broker.timer.recalled import Recalled
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.store.timer.timers import Chain


class Empties(Protocol):
    """
    Delivers messages.

    :ivar delivered: how many were delivered.
    """

    delivered: int

    def prepare(self, chain: Chain) -> Steps[Recalled]:
        """Follow a chain; return what is recalled."""

    def deliver(self, chain: Chain, end: int, recalled: Recalled) -> Steps[int]:
        """Deliver some of the messages before an index; return where there are more."""

    def deliver_at_once(self, record: bytes, offset: int, now: float) -> None:
        """Deliver a message that is due when it is read from the timer's queue."""
