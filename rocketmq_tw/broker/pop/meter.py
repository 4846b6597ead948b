"""What counts pops for metrics, if these are on."""

from __future__ import annotations

from typing import Protocol

from rocketmq_tw.broker.pop.in_flight import Popped


class PopMeter(Protocol):
    """Counts records of the revive log, and copies; none of it may raise."""

    def written(self, popped: Popped, kind: str, count: int = 1) -> None:
        """Count check points, or acknowledgements, that were written."""

    def done(self, popped: Popped, kind: str, count: int = 1) -> None:
        """Count those that need not be looked at any more."""

    def copied(self, popped: Popped, is_stored: bool) -> None:
        """Count a copy for a retry topic, or one that could not be stored."""

    def passed(self, seconds: float) -> None:
        """Note how long a pass of the revival took."""
