"""What has to be there after the attacks, and after two restarts."""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from pathlib import Path

import msgspec

from rocketmq_tw.wire import record
from rocketmq_tw.wire.bodies.offsets import ConsumerOffsetTable
from rocketmq_tw.wire.bodies.route import decode_route
from rocketmq_tw.wire.bodies.topics import TopicConfigTable, TopicList
from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.requests.offset import GetAllConsumerOffset
from rocketmq_tw.wire.requests.route import GetAllTopics, GetRoute
from rocketmq_tw.wire.requests.topic import GetAllTopicConfig
from tests.longrun.broker import Link
from tests.longrun.hostile import bystander
from tests.longrun.hostile.peers import Peer
from tests.longrun.hostile.servers import Servers
from tests.longrun.hostile.watch import Bystander

#: Seconds after a start until every route is back.
ROUTES_IN = 10.0
#: Seconds until a committed offset is in its document; the default of the setting.
OFFSETS_IN = 7.0


def missing_route(servers: Servers) -> list[str]:
    """Ask for the route of the bystander's topic."""
    peer = Peer(servers.names)
    try:
        response = peer.ask(encode_request(GetRoute(bystander.TOPIC), 1))
    except TimeoutError:
        return ["the name server does not respond"]
    finally:
        peer.close()
    if response is None or response.code:
        return ["the bystander's topic has no route"]
    route = decode_route(response.body)
    masters = [each.master for each in route.broker_datas]
    if masters != [f"127.0.0.1:{servers.broker}"]:
        return [f"the route leads to {masters}"]
    return []


class State(msgspec.Struct, frozen=True):
    """
    What the servers know.

    :ivar topics: the names of the broker's topics that have a route.
    :ivar offsets: of the bystander's group, by queue.
    """

    topics: set[str]
    offsets: dict[int, int]

    @classmethod
    def of(cls, servers: Servers) -> State:
        """Ask them."""
        names, broker = Link(servers.names), Link(servers.broker)
        routed = TopicList.decode(names.ask(GetAllTopics()).body).topic_list
        known = TopicConfigTable.decode(broker.ask(GetAllTopicConfig()).body)
        table = ConsumerOffsetTable.decode(broker.ask(GetAllConsumerOffset()).body)
        names.close()
        broker.close()
        key = f"{bystander.TOPIC}@{bystander.GROUP}"
        return cls(
            known.topic_config_table.keys() & routed, table.offset_table.get(key, {})
        )

    def missing_in(self, later: State) -> list[str]:
        """Compare with what is known after a restart."""
        faults = []
        gone = sorted(self.topics - later.topics)
        if gone:
            faults.append(f"{len(gone)} topics of {len(self.topics)}: {gone[:3]}")
        for queue_id, offset in self.offsets.items():
            if later.offsets.get(queue_id, -1) < offset:
                faults.append(f"offset {offset} of queue {queue_id}: {later.offsets}")
        return faults


def check(servers: Servers, watcher: Bystander, ledger: Path) -> list[str]:
    """
    Restart the servers twice, in good order and killed; compare each time.

    :returns: what was lost.
    """
    faults = []
    for by in (signal.SIGTERM, signal.SIGKILL):
        before = State.of(servers)
        # As long as offsets may wait for their document.
        time.sleep(OFFSETS_IN if by == signal.SIGKILL else 0)
        begin = time.monotonic()
        servers.end(by)
        ended = time.monotonic() - begin
        ready = servers.start()
        lost = _lost_after(servers, before)
        routes = time.monotonic() - begin - ended - ready
        print(
            f"{by.name}: {len(before.topics)} topics; ended in {ended:.1f} s,"
            f" listened in {ready:.1f} s, all routes {routes:.1f} s later"
        )
        faults += [f"after {by.name}: {each}" for each in lost]
        if not watcher.wait_for(20, 60):
            faults.append(f"after {by.name}: the bystander misses messages")
    return faults + missing_messages(servers, ledger)


def _lost_after(servers: Servers, before: State) -> list[str]:
    """Wait until all is back; return what is not."""
    until = time.monotonic() + ROUTES_IN
    while True:
        lost = before.missing_in(State.of(servers)) + missing_route(servers)
        if not lost or time.monotonic() > until:
            return lost
        time.sleep(0.1)


def missing_messages(servers: Servers, ledger: Path) -> list[str]:
    """Read all queues, and hold them against the ledger of acknowledged messages."""
    known: dict[int, dict[int, bytes]] = defaultdict(dict)
    for line in ledger.read_text().splitlines():
        queue_id, offset, number = line.split()
        known[int(queue_id)][int(offset)] = number.encode()
    link = Link(servers.broker)
    faults = []
    for queue_id, messages in known.items():
        stored: dict[int, bytes] = {}
        offset = 0
        while offset <= max(messages):
            answer = link.pull(bystander.TOPIC, queue_id, offset, bystander.GROUP)
            found = record.decode_all(answer.body) if answer.status == 0 else []
            stored |= {each.queue_offset: each.body for each in found}
            if answer.next_begin_offset <= offset:
                break
            offset = answer.next_begin_offset
        lost = [at for at, body in messages.items() if stored.get(at) != body]
        if lost:
            faults.append(f"{len(lost)} messages of queue {queue_id}: at {lost[:5]}")
    link.close()
    return faults
