"""
Pops of 32 messages of 1 KiB, each message acknowledged by a request of its own.

So do Java's consumers. Four connections pop and acknowledge in turn, driven by one
process that looks only at what it needs of the responses.
"""

from __future__ import annotations

import json
import socket
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack

from rocketmq_tw.wire.command import JSON, encode_request
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.receipts import Receipt, parse_offsets, parse_starts
from rocketmq_tw.wire.requests.pop import ALL_QUEUES, AckMessage, PopMessage
from tests.bench.load import LoadGenerator, Shape
from tests.bench.rates import APACHE, OURS, Timing
from tests.bench.report import Table
from tests.bench.running import Running, folder
from tests.bench.sides import sides

TOPIC, GROUP = "BenchPop", "BenchPopGroup"
CONNECTIONS = 4
#: Messages that are there at the beginning of each drive: more than are popped in it.
MESSAGES = 60_000


class Popper:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = self._socket.makefile("rb", 1 << 20)
        self._pop = _frame(
            PopMessage(GROUP, TOPIC, ALL_QUEUES, 32, 60_000, 0, exp_type="TAG", exp="*")
        )
        self._waiting = 0

    def pop(self) -> None:
        """Ask for messages."""
        self._socket.sendall(self._pop)

    def acknowledge(self) -> int:
        """Read what was popped and acknowledge each; return how many they are."""
        header = json.loads(self._response())
        ext = header.get("extFields", {})
        frames = []
        starts = parse_starts(ext.get("startOffsetInfo"))
        for key, offsets in parse_offsets(ext.get("msgOffsetInfo")).items():
            for offset in offsets:
                receipt = Receipt(
                    start_offset=starts[key],
                    pop_time_ms=int(ext["popTime"]),
                    invisible_ms=int(ext["invisibleTime"]),
                    revive_queue=int(ext["reviveQid"]),
                    retry=key[0],
                    broker_name="b",
                    queue_id=key[1],
                    offset=offset,
                )
                ack = AckMessage(GROUP, TOPIC, key[1], receipt.encode(), offset)
                frames.append(_frame(ack))
        self._socket.sendall(b"".join(frames))
        self._waiting = len(frames)
        return len(frames)

    def wait(self) -> None:
        """Read the responses to the acknowledgements."""
        for _ in range(self._waiting):
            header = self._response()
            assert b'"code":0' in header and b"nothing is" not in header, header

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _response(self) -> bytes:
        """Read a response; return its header."""
        size = int.from_bytes(self._read.read(4), "big")
        head = int.from_bytes(self._read.read(4), "big") & 0xFFFFFF
        header = self._read.read(head)
        self._read.read(size - 4 - head)
        return header


def _frame(request: Request[object]) -> bytes:
    """Encode a request."""
    return encode_request(request, 1, kind=JSON)


def drive(port: int, seconds: float) -> float:
    """Pop and acknowledge for some seconds; return the messages per second."""
    poppers = [Popper(port) for _ in range(CONNECTIONS)]
    count, begin = 0, time.monotonic()
    while (now := time.monotonic()) < begin + seconds:
        for each in poppers:
            each.pop()
        found = [each.acknowledge() for each in poppers]
        for each in poppers:
            each.wait()
        if not any(found):
            break
        count += sum(found)
    for each in poppers:
        each.close()
    return count / (now - begin)


def table(apache: str | None, timing: Timing, _shapes: Sequence[Shape]) -> Table:
    """Measure both makes side by side."""
    rates: dict[str, list[float]] = {}
    with ExitStack() as stack:
        load = LoadGenerator(stack.enter_context(folder()))
        running = stack.enter_context(sides(apache, is_sync=False))
        servers: dict[str, Running] = {
            name: running[name] for name in (APACHE, OURS) if name in running
        }
        for name, server in servers.items():
            load.fill(server.port, 4 * MESSAGES, TOPIC)
            drive(server.port, timing.warm if name == APACHE else 1.0)
        for _ in range(timing.rounds):
            for name, server in servers.items():
                load.fill(server.port, MESSAGES, TOPIC)
                rates.setdefault(name, []).append(drive(server.port, timing.seconds))
    medians = {name: statistics.median(each) for name, each in rates.items()}
    rows = [
        [name, f"{median:,.0f}", f"{min(rates[name]):,.0f}-{max(rates[name]):,.0f}"]
        for name, median in medians.items()
    ]
    if len(medians) == 2:
        ratio = medians[OURS] / medians[APACHE]
        rows.append([f"{OURS} by {APACHE}", f"{ratio:.2f}", ""])
    columns = ["broker", "messages a second", "from - to"]
    return Table("Pops of 32 messages of 1 KiB, acknowledged one by one", columns, rows)
