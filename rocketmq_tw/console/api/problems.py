"""What needs attention in a cluster, as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from rocketmq_tw.admin.results.cluster import BrokerStatus, ClusterStatus

#: Parts of the disk from which on there is a warning, and from which on no more is
#: stored (``diskMaxUsedSpaceRatio`` and the broker's own limit).
_DISK_WARNING, _DISK_FULL = 0.75, 0.9
#: Seconds that timed messages may be late, and sends may wait.
_TIMER_LATE, _SENDS_WAIT = 10.0, 1.0


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True):
    """
    One thing that needs attention.

    :ivar subject: the name server or broker.
    """

    severity: Severity
    subject: str
    sentence: str


def problems_of(status: ClusterStatus) -> tuple[Problem, ...]:
    """Return what needs attention, errors first."""
    found = list(_all(status))
    return tuple(sorted(found, key=lambda each: each.severity))


def _all(status: ClusterStatus) -> Iterator[Problem]:
    """Give all problems."""
    for server in status.name_servers:
        if not server.responds:
            yield Problem(Severity.ERROR, server.address, server.why)
    for who, why in status.failed.items():
        yield Problem(Severity.ERROR, who, why)
    if not status.brokers and not status.failed:
        yield Problem(Severity.ERROR, "cluster", "no broker is registered")
    masters = {(each.cluster, each.name) for each in status.brokers if not each.id}
    # One that does not respond is a problem of its own, and is there.
    unknown = status.failed.keys()
    for broker in status.brokers:
        yield from _of_broker(broker)
        if broker.id and (broker.cluster, broker.name) not in masters and not unknown:
            yield Problem(Severity.WARNING, broker.address, _without_master(broker))


def _without_master(slave: BrokerStatus) -> str:
    """Return what it means that only a slave is there."""
    # Brokers of 4.x do not say whether they act, and cannot.
    if slave.is_active and not slave.version.startswith("V4_"):
        return f"it acts for the master of {slave.name}, which is not registered"
    return (
        f"the master of {slave.name} is not registered: this slave delivers what it has"
        " copied, and takes no messages"
    )


def _of_broker(broker: BrokerStatus) -> Iterator[Problem]:
    """Give the problems of one broker."""
    # A slave never takes messages itself.
    if broker.is_writable is False and not broker.id:
        why = broker.store_failure or "it does not say why"
        yield Problem(
            Severity.ERROR, broker.address, f"its store takes no messages: {why}"
        )
    used = broker.disk_used
    if used is not None and used >= _DISK_WARNING:
        severity = Severity.ERROR if used >= _DISK_FULL else Severity.WARNING
        yield Problem(
            severity, broker.address, f"{used:.0%} of the disk of its log are used"
        )
    if broker.timer_behind >= _TIMER_LATE:
        late = f"timed messages are {broker.timer_behind:.0f} s late"
        yield Problem(Severity.WARNING, broker.address, late)
    if broker.send_queue_wait >= _SENDS_WAIT:
        wait = f"sends wait {broker.send_queue_wait:.1f} s to be handled"
        yield Problem(Severity.WARNING, broker.address, wait)
    if not broker.is_active and not broker.id:
        yield Problem(
            Severity.WARNING, broker.address, "it does not serve as a master yet"
        )
