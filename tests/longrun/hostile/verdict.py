"""What an attack cost, and whether that is too much."""

from __future__ import annotations

import math

import msgspec

from tests.longrun.hostile.attack import LINES, Attack
from tests.longrun.hostile.servers import kinds
from tests.longrun.hostile.watch import Wait

#: Seconds that the server itself may keep the probe waiting.
WORST = 0.2
#: Seconds of the p99 of a quiet server, at least: what is less cannot be measured here.
QUIET = 0.001
#: Bytes that an attack may add to the log.
LOG_SIZE = 1_000_000
#: How often an attack is run until nobody waits too long. A busy machine delays now one
#: and now another of them; what a server does wrong it does each time.
TRIES = 3
#: A wait of the process that nobody attacks excuses others so many seconds around it.
_AROUND = 1.0


class Waits(msgspec.Struct, frozen=True):
    """
    The waits of one probe, in seconds.

    :ivar own: the longest, without what the machine did to it.
    """

    p99: float = 0.0
    worst: float = 0.0
    own: float = 0.0
    count: int = 0


def measure(waits: list[Wait], control: list[Wait]) -> Waits:
    """Compare the waits at a server with those at one that nobody attacked."""
    if not waits:
        return Waits(math.inf, math.inf, math.inf, 0)
    ordered = sorted(each.wait for each in waits)
    own = max(each.own - _excuse(each, control) for each in waits)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return Waits(p99, ordered[-1], max(0.0, own), len(ordered))


def _excuse(wait: Wait, control: list[Wait]) -> float:
    """Return how long the control kept its probe waiting at that time."""
    if wait.own < WORST / 2:
        return 0.0
    first, last = wait.begin - _AROUND, wait.begin + wait.wait + _AROUND
    near = [c.own for c in control if first <= c.begin + c.wait and c.begin <= last]
    return max(near, default=0.0)


class Outcome(msgspec.Struct, kw_only=True):
    """
    What one attack did.

    :ivar growth: MiB at most during the attack, above what was used before it.
    :ivar seen: what changed for the bystander.
    :ivar said: what the attacker said at its end.
    :ivar faults: why it failed; empty if it did not.
    :ivar late: how many of these say that others waited too long.
    """

    name: str
    programs: str
    seconds: float
    broker: Waits
    names: Waits
    control: Waits
    growth: float
    logged: str
    seen: dict[str, int]
    said: str
    faults: list[str] = []
    late: int = 0

    @property
    def tracebacks(self) -> int:
        """How many were logged."""
        return self.logged.count("Traceback (most recent call last)")

    @property
    def is_slow(self) -> bool:
        """Whether others waited too long; nothing else was wrong."""
        return 0 < self.late == len(self.faults)

    def judge(self, attack: Attack) -> None:
        """Hold it against the attack's budget."""
        faults, before = self.faults, len(self.faults)
        for name, waits in (("broker", self.broker), ("name server", self.names)):
            if waits.own > WORST:
                faults.append(f"{name}: {waits.own * 1000:.0f} ms without a response")
        if attack.is_large:
            faults += self._compared()
        self.late = len(faults) - before
        if len(self.logged) > LOG_SIZE:
            faults.append(f"the log grew by {len(self.logged)} bytes")
        if self.growth > attack.growth:
            faults.append(f"grew by {self.growth:.0f} MiB of {attack.growth}")
        if self.tracebacks:
            faults.append(f"{self.tracebacks} tracebacks")
        if self.seen.get("out_of_order"):
            faults.append(f"{self.seen['out_of_order']} messages out of order")
        if self.seen.get("failed"):
            faults.append(f"{self.seen['failed']} sends of the bystander failed")
        if attack.is_large:
            return  # it comes from many addresses: each may have its lines
        minutes = 2 + int(self.seconds // 60)
        for kind, count in kinds(self.logged).items():
            if count > minutes:
                faults.append(f"{count} log lines: {kind}")
        if len(self.logged.splitlines()) > LINES * minutes:
            faults.append(f"{len(self.logged.splitlines())} log lines")

    def _compared(self) -> list[str]:
        """Return how others were served worse than by a server nobody attacks."""
        quiet = max(self.control.p99, QUIET)
        return [
            f"{name}: p99 is {waits.p99 * 1e3:.1f} ms; {quiet * 1e3:.1f} when quiet"
            for name, waits in (("broker", self.broker), ("name server", self.names))
            if waits.p99 > 2 * quiet
        ]


_HEADINGS = (
    f"{'attack':38} {'':5} {'broker ms: p99':>14} {'worst':>6} {'own':>5}"
    f" {'names: p99':>11} {'worst':>6} {'own':>5} {'control':>8}"
    f" {'MiB':>6} {'log B':>6} {'trace':>5} {'acked':>6} {'lost':>4}  what it says"
)


def heading() -> str:
    """Return the first line of the table."""
    return _HEADINGS


def row(outcome: Outcome) -> str:
    """Return an outcome as a line of the table."""
    broker, names, seen = outcome.broker, outcome.names, outcome.seen
    text = (
        f"{outcome.name:38.38} {outcome.programs:5.5} {broker.p99 * 1e3:14.1f}"
        f" {broker.worst * 1e3:6.0f} {broker.own * 1e3:5.0f}"
        f" {names.p99 * 1e3:11.1f} {names.worst * 1e3:6.0f} {names.own * 1e3:5.0f}"
        f" {outcome.control.worst * 1e3:8.0f} {outcome.growth:6.1f}"
        f" {len(outcome.logged):6} {outcome.tracebacks:5}"
        f" {seen.get('acknowledged', 0):6} {seen.get('lost', 0):4}  {outcome.said:.60}"
    )
    return "\n".join([text, *(f"    FAILED: {fault}" for fault in outcome.faults)])
