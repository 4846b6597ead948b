"""
Many consumers: 200 of one topic share its queues, 1,000 of one client a connection.

    python -m tests.longrun.many_consumers

In memory. 200 clients of one group start at once, one after another for ten seconds, or
leave by halves; within 30 s each queue has exactly one owner, and each member its
share. 1,000 groups of one client use one connection to each broker, and a bounded
number of timers and bytes each.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections import Counter

from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.testing import MemoryCluster

TOPIC = "Many"
#: Seconds within which the members of a group have their shares.
CONVERGED = 30.0
#: Delayed calls and bytes that one more consumer may take.
TIMERS = 3
BYTES = 100_000


def _is_shared(members: list[PushConsumer], queues: int) -> bool:
    """Whether each queue has one owner, and the members have as many as each other."""
    owned = [
        [queue for queue in member.assignment() if queue.topic == TOPIC]
        for member in members
    ]
    owners = Counter(queue for some in owned for queue in some)
    sizes = [len(some) for some in owned]
    is_even = max(sizes) - min(sizes) <= 1
    return len(owners) == queues and set(owners.values()) == {1} and is_even


def converge(count: int, queues: int) -> dict[str, float]:
    """
    Let many clients join a group, and half of them leave.

    :returns: how long both took, in seconds.
    """
    cluster = MemoryCluster(brokers=2)
    cluster.start()
    cluster.create_topic(TOPIC, queues // 2)
    members: list[PushConsumer] = []
    began = cluster.clock.seconds()
    for _ in range(count):
        member = cluster.client().push_consumer("G", start_from=EARLIEST)
        member.subscribe(TOPIC, "*", lambda _message: None)
        member.start()
        members.append(member)
        cluster.advance(0)
    cluster.wait_until(lambda: _is_shared(members, queues), 120)
    joined = cluster.clock.seconds() - began
    gone, kept = members[::2], members[1::2]
    began = cluster.clock.seconds()
    for member in gone:
        member.stop()
    cluster.wait_until(lambda: _is_shared(kept, queues), 120)
    left = cluster.clock.seconds() - began
    cluster.stop()
    return {"joined, s": joined, "left, s": left}


def share(count: int) -> dict[str, float]:
    """
    Run many consumers of one client.

    :returns: its connections, and the timers and bytes of each consumer.
    """
    cluster = MemoryCluster(brokers=2)
    cluster.start()
    cluster.create_topic(TOPIC, 1)
    client = cluster.client()
    cluster.advance(1)
    clock = client.session.clock
    timers = len(clock.getDelayedCalls())
    tracemalloc.start()
    for number in range(count):
        consumer = client.push_consumer(f"G{number}", start_from=EARLIEST)
        consumer.subscribe(TOPIC, "*", lambda _message: None)
        consumer.start()
    cluster.advance(40)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    links = cluster.network.links_between(clock.host)  # type: ignore[attr-defined]
    found = {
        "connections": len(list(links)),
        "timers each": (len(clock.getDelayedCalls()) - timers) / count,
        "bytes each, with brokers": size / count,
    }
    cluster.stop()
    return found


def main() -> int:
    """Print the figures; return 1 if one is too high."""
    times = converge(200, 200)
    figures = share(1000)
    for name, value in (times | figures).items():
        print(f"{name:25} {value:10.1f}")
    return int(max(times.values()) > CONVERGED or figures["connections"] > 3)


if __name__ == "__main__":
    sys.exit(main())
