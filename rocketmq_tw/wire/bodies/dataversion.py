"""
The version of a persisted table, by which brokers and name servers detect a change.

Source: ``DataVersion`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.wire.bodies.body import Body

#: Java's largest ``long``; its counters continue at the smallest one.
_LARGEST = (1 << 63) - 1


class DataVersion(Body, frozen=True):
    """
    A version. Two versions are equal if all three members are.

    All members are always sent: Java replaces an absent timestamp by its own time, and
    the versions would then differ. 4.9 has no state version; its absence means 0.
    """

    #: When the table last changed, in ms.
    timestamp: int = 0
    counter: int = 0
    #: The epoch of the controller; 0 without a controller.
    state_version: int = 0

    def is_older_than(self, other: DataVersion) -> bool:
        """Compare two versions of a table, as brokers of one name may have them."""
        mine = self.state_version, self.counter, self.timestamp
        return mine < (other.state_version, other.counter, other.timestamp)

    def next(self, now_ms: int, state_version: int = 0) -> DataVersion:
        """Return the next version, for a change at this time."""
        counter = self.counter + 1 if self.counter < _LARGEST else -_LARGEST - 1
        return DataVersion(now_ms, counter, state_version)
