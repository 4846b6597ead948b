"""
The version of a persisted table, by which brokers and name servers see a change.

Source: ``DataVersion`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.wire.bodies.body import Body


class DataVersion(Body, frozen=True):
    """
    A version: two are the same table's when all three members are equal.

    All members are always sent: Java puts its own time for an absent timestamp, which
    would break equality. 4.9 has no state version; its absence means 0.
    """

    #: When the table last changed, in ms.
    timestamp: int = 0
    counter: int = 0
    #: The epoch of the controller; 0 without one.
    state_version: int = 0

    def next(self, now_ms: int, state_version: int = 0) -> DataVersion:
        """Return the version after one more change, made at this time."""
        return DataVersion(now_ms, self.counter + 1, state_version)
