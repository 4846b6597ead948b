"""
How long a producer is without a broker when one of two masters is killed.

Each producer sends one message after the other, so that a pause between two responses
is the outage. Ours and Java's run at the same time, against the same brokers.
"""

from __future__ import annotations

import time
from typing import Any

from .lab import OURS, Lab
from .program import Program

#: Seconds of sending before and after the kill.
BEFORE, AFTER = 3.0, 6.0
#: Seconds that the outage of our producer may take.
LIMIT = 1.0


class Pauses:
    """
    Watches the responses that producers print.

    :ivar longest: the longest pause between two responses since :meth:`clear`, in
        seconds, by producer.
    """

    def __init__(self, producers: dict[str, Program]) -> None:
        self._producers = producers
        self._counts = dict.fromkeys(producers, 0)
        self._last: dict[str, float] = {}
        self.longest: dict[str, float] = {}
        self.clear()

    def clear(self) -> None:
        """Begin to measure."""
        self._last = dict.fromkeys(self._producers, time.monotonic())
        self.longest = dict.fromkeys(self._producers, 0.0)

    def watch(self, seconds: float) -> None:
        """Look each millisecond for some time."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            for name, producer in self._producers.items():
                count = producer.count
                self.longest[name] = max(self.longest[name], now - self._last[name])
                if count != self._counts[name]:
                    self._counts[name], self._last[name] = count, now
            time.sleep(0.001)


def test_outage(lab: Lab, record_property: Any) -> None:
    """Our producer sends elsewhere within a second after its master was killed."""
    names = lab.name_server(OURS)
    brokers = [lab.broker(OURS, names, f"broker-{letter}") for letter in "ab"]
    lab.make_topic(names, "Outage", queues=4)
    for broker in brokers:
        lab.wait_for_route(names, "Outage", broker)
    plan = "sync:1000000"
    producers = {
        make: lab.sender(make, names, topic="Outage", plan=plan, group=f"P_{make}")
        for make in (OURS, "v55")
    }
    for producer in producers.values():
        producer.wait_for("sent", 100)
    pauses = Pauses(producers)
    pauses.watch(BEFORE)
    usual = dict(pauses.longest)
    pauses.clear()
    lab.kill(brokers[0])
    pauses.watch(AFTER)
    for make, seconds in pauses.longest.items():
        record_property(f"outage_{make}", f"{seconds:.3f}")
        print(f"{make}: {seconds:.3f} s, before the kill {usual[make]:.3f} s")
    assert pauses.longest[OURS] < LIMIT
