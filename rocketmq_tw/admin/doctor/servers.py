"""Judges name servers and brokers by what they say, or do not say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rocketmq_tw.admin.doctor.finding import Finding, finding
from rocketmq_tw.admin.results.brokers import Replication
from rocketmq_tw.admin.results.cluster import (
    BrokerAddress,
    BrokerStatus,
    Clocks,
    NameServerStatus,
)
from rocketmq_tw.model.route import MASTER_ID

#: Seconds that clocks may differ: times in messages are compared across hosts.
CLOCK_LIMIT = 2.0
#: Parts of a disk in use: brokers delete old files early, and take no messages.
DISK_WARNING = 0.75
DISK_FULL = 0.90
#: Bytes stored and not in the queues: consumers do not see them yet.
DISPATCH_LIMIT = 16 << 20
#: Seconds that timed messages may be late.
TIMER_LIMIT = 10.0
#: Seconds that a send may wait before it is handled; Apache's brokers refuse at 0.2.
SEND_WAIT_LIMIT = 0.1
#: Bytes that a slave may be behind.
SLAVE_LIMIT = 64 << 20
_DENIED = "NO_PERMISSION (16)"


def name_servers(found: Iterable[NameServerStatus]) -> Iterator[Finding]:
    """Judge whether each name server responds, and knows brokers."""
    for server in found:
        if not server.responds:
            if _DENIED in server.why:
                yield access_denied(server.address, server.why)
                continue
            yield finding(
                "name-server-unreachable",
                server.address,
                f"the name server does not respond: {server.why}",
                "start it, or take it off the list of name servers; check that no"
                " firewall is between, and that both use TLS, or neither",
            )
        elif server.brokers == 0:
            yield finding(
                "no-brokers",
                server.address,
                "no broker is registered at this name server",
                "start a broker, and check its setting namesrvAddr",
            )


def agreement(
    views: Mapping[str, Iterable[BrokerAddress]],
) -> Iterator[Finding]:
    """
    Judge whether all name servers know the same brokers.

    :param views: the brokers that each knows.
    """
    known = {server: set(brokers) for server, brokers in views.items()}
    everybody = set().union(*known.values()) if known else set()
    for broker in sorted(everybody):
        lacking = sorted(server for server, here in known.items() if broker not in here)
        # A name server without any broker is reported by itself.
        lacking = [server for server in lacking if known[server]]
        if lacking:
            yield finding(
                "name-servers-differ",
                f"{broker.name}:{broker.id}",
                f"{broker.address} is registered, but not at {', '.join(lacking)}:"
                " clients see it or not, depending on which name server they ask",
                "list all name servers in the broker's setting namesrvAddr",
            )


def reachable(
    brokers: Iterable[BrokerAddress], failed: Mapping[str, str], from_here: bool
) -> Iterator[Finding]:
    """
    Judge whether the advertised addresses of brokers can be reached.

    :param failed: the addresses that could not, and why.
    :param from_here: whether the name servers are on this host, too.
    """
    for broker in brokers:
        why = failed.get(broker.address)
        if why is not None and _DENIED in why:
            yield access_denied(broker.address, why)
        elif why is not None:
            yield finding(
                "broker-unreachable",
                f"{broker.name}:{broker.id}",
                f"it is registered at {broker.address}, which does not respond from"
                f" here: {why}",
                "if the broker runs, it advertises an address that clients cannot"
                " reach: set brokerIP1 (or --advertise) to one that they can",
            )
        elif _is_loopback(broker.address) and not from_here:
            yield finding(
                "loopback-advertised",
                f"{broker.name}:{broker.id}",
                f"it is registered at {broker.address}, which each host takes for"
                " itself",
                "set brokerIP1 (or --advertise) to the address of its host",
            )


def access_denied(subject: str, why: str) -> Finding:
    """Return the finding of a server that does not let us in."""
    return finding(
        "access-denied",
        subject,
        f"the server refuses our requests: {why}",
        "give the name and the secret of a user who may administrate the cluster",
    )


def masters(brokers: Iterable[BrokerAddress]) -> Iterator[Finding]:
    """Judge whether each broker name has a master."""
    ids: dict[tuple[str, str], set[int]] = {}
    for broker in brokers:
        ids.setdefault((broker.cluster, broker.name), set()).add(broker.id)
    for (cluster, name), found in sorted(ids.items()):
        if MASTER_ID not in found:
            listed = ", ".join(map(str, sorted(found)))
            yield finding(
                "no-master",
                name,
                f"in {cluster} only slaves of it are registered ({listed}): nothing"
                " can be sent to it",
                "start its master",
            )


def clocks(found: Clocks) -> Iterator[Finding]:
    """Judge whether the clocks of brokers show the same time."""
    for clock in found.clocks:
        if abs(clock.ahead) > CLOCK_LIMIT + clock.exact_to:
            direction = "ahead of" if clock.ahead > 0 else "behind"
            yield finding(
                "clock-differs",
                f"{clock.broker} ({clock.address})",
                f"its clock is {abs(clock.ahead):.0f} s {direction} that of this host:"
                " delays, resets to a time and searches by time are off by as much",
                "synchronize the clocks of all hosts, by NTP for example",
            )


def broker(status: BrokerStatus) -> Iterator[Finding]:
    """Judge one broker by its statistics."""
    who = f"{status.name}:{status.id}"
    disk = status.disk_used
    if disk is not None and disk >= DISK_FULL:
        yield finding(
            "disk-full",
            who,
            f"{disk:.0%} of its disk are used: it takes no messages, or will not soon",
            "free space, or keep messages for a shorter time (fileReservedTime)",
        )
    elif disk is not None and disk >= DISK_WARNING:
        yield finding(
            "disk-fills",
            who,
            f"{disk:.0%} of its disk are used: old messages are deleted before their"
            " time",
            "free space, or keep messages for a shorter time (fileReservedTime)",
        )
    # A slave never takes messages itself.
    if status.is_writable is False and status.id == MASTER_ID:
        yield finding(
            "store-failed",
            who,
            "its store takes no messages:"
            f" {status.store_failure or 'it does not say why'}",
            "repair the disk, then restart the broker",
        )
    if status.dispatch_behind > DISPATCH_LIMIT:
        yield finding(
            "dispatch-behind",
            who,
            f"{status.dispatch_behind >> 20} MiB of messages are stored and not in the"
            " queues yet: consumers cannot see them",
            "look for errors in the broker's log, and at the load of its disk",
        )
    if status.timer_behind > TIMER_LIMIT:
        yield finding(
            "timers-late",
            who,
            f"timed messages are delivered {status.timer_behind:.0f} s late",
            "look for errors in the broker's log, and at the load of its disk",
        )
    if status.send_queue_wait > SEND_WAIT_LIMIT:
        yield finding(
            "sends-wait",
            who,
            f"a send waits {status.send_queue_wait * 1000:.0f} ms before it is handled;"
            " producers get SYSTEM_BUSY if it gets longer",
            "spread the topics over more brokers, or look at the load of its disk",
        )


def replication(found: Replication) -> Iterator[Finding]:
    """Judge whether the slaves of a master follow it."""
    for slave in found.slaves:
        if not slave.in_sync or slave.behind > SLAVE_LIMIT:
            yield finding(
                "slave-behind",
                f"{found.broker}, slave {slave.address}",
                f"it is {slave.behind:,} bytes behind its master: they are lost if the"
                " master's disk is",
                "look at the network between both, and at the slave's disk",
            )


def versions(found: Iterable[BrokerStatus]) -> Iterator[Finding]:
    """Judge whether all brokers run the same release."""
    names = {status.version for status in found if status.version}
    if len(names) > 1:
        yield finding(
            "versions-differ",
            "brokers",
            f"they run different releases: {', '.join(sorted(names))}",
        )


def _is_loopback(address: str) -> bool:
    """Whether each host takes the address for itself."""
    return address.startswith(("127.", "localhost:", "[::1]"))
