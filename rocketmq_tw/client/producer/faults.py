"""
Avoids brokers that were slow or failed recently.

Source: ``MQFaultStrategy`` and ``LatencyFaultToleranceImpl`` of RocketMQ 5.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from twisted.internet.interfaces import IReactorTime

#: Latencies in seconds, and for how many seconds a broker is avoided after them.
_LATENCIES: Final = (0.55, 1.8, 3.0, 5.0, 15.0)
_AVOIDED: Final = (0.0, 2.0, 5.0, 6.0, 10.0, 30.0)
#: Seconds for which a broker is avoided after it was unreachable or refused.
ISOLATION: Final = 10.0


class Faults:
    """The brokers to avoid, and until when; false if there are none."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._until)

    def succeeded(self, broker_name: str, latency: float) -> None:
        """
        Record that a broker responded.

        :param latency: in seconds, from the request to the response.
        """
        if latency < _LATENCIES[0]:
            if self._until:
                self._until.pop(broker_name, None)
            return
        avoided = _AVOIDED[bisect_right(_LATENCIES, latency)]
        self._until[broker_name] = self._clock.seconds() + avoided

    def failed(self, broker_name: str) -> None:
        """Record that a broker could not be reached, or refused."""
        self._until[broker_name] = self._clock.seconds() + ISOLATION

    def is_healthy(self, broker_name: str) -> bool:
        """Whether there is no reason to avoid the broker now."""
        until = self._until.get(broker_name)
        if until is None:
            return True
        if until > self._clock.seconds():
            return False
        del self._until[broker_name]
        return True
