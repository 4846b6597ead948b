"""
Transactions of messages of 1 KiB, each committed: half message, response, end.

A sender waits for the response to its half message, and sends the end one way. 8 and 32
senders, each with a connection, are driven by one process that looks only at what it
needs of the responses. With Apache's broker beside, its ``TransactionProducer`` is run,
too: so many threads that share a connection.
"""

from __future__ import annotations

import re
import socket
import statistics
import struct
import time
from collections.abc import Sequence
from contextlib import ExitStack

from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import PGROUP, TRAN_MSG, UNIQ_KEY
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.command import JSON, encode_request
from rocketmq_tw.wire.requests.send import SendMessageV2
from tests.bench import apache_program
from tests.bench.load import Shape
from tests.bench.rates import APACHE, OURS, Timing
from tests.bench.report import Table
from tests.bench.running import Running, alone, folder
from tests.bench.sides import sides

TOPIC, GROUP = "BenchTransactions", "BenchTransactionsGroup"
SENDERS = (8, 32)
SIZE = 1024
#: Apache's program.
PROGRAM = "TransactionProducer"
#: Stands for the unique key in the frame of a half message.
_KEY = "0" * 32
_END = (
    '{"code":37,"extFields":{"commitLogOffset":"%d","commitOrRollback":"8",'
    f'"fromTransactionCheck":"false","msgId":"0","producerGroup":"{GROUP}",'
    '"tranStateTableOffset":"%d"},"flag":2,"language":"JAVA","opaque":2,'
    '"serializeTypeCurrentRPC":"JSON","version":479}'
)
_STORED = re.compile(
    rb'"msgId":"[0-9A-F]{16,40}?([0-9A-F]{16})".*"queueOffset":"(\d+)"'
)


def _half() -> bytes:
    """Encode the half message that all are made from."""
    texts = {TRAN_MSG: "true", PGROUP: GROUP, UNIQ_KEY: _KEY, "TAGS": "TagA"}
    request = SendMessageV2(
        producer_group=GROUP,
        topic=TOPIC,
        default_topic="TBW102",
        default_topic_queue_nums=4,
        queue_id=0,
        sys_flag=sysflag.PREPARED,
        born_timestamp=1,
        flag=0,
        properties=properties.encode(texts),
        body=b"x" * SIZE,
    )
    return encode_request(request, 1, kind=JSON)


class Sender:
    """One connection, which has at most one half message without a response."""

    _start, _, _rest = _half().partition(_KEY.encode())

    def __init__(self, port: int, number: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._key = number << 64
        self._end = b""
        self._waiting = bytearray()

    def send(self) -> None:
        """End the last transaction, and send the next half message."""
        self._key += 1
        key = b"%032x" % self._key
        self._socket.sendall(b"".join((self._end, self._start, key, self._rest)))

    def wait(self) -> None:
        """Read the response to the half message."""
        data = b""
        while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
            more = self._socket.recv(4096)
            assert more, "the broker closed the connection"
            data += more
        found = _STORED.search(data)
        assert found is not None, data
        header = (_END % (int(found[1], 16), int(found[2]))).encode()
        self._end = struct.pack(">II", 4 + len(header), len(header)) + header

    def close(self) -> None:
        """End the last transaction, and close the connection."""
        self._socket.sendall(self._end)
        self._socket.close()


def drive(port: int, count: int, seconds: float) -> float:
    """Let some senders send for some seconds; return the transactions per second."""
    senders = [Sender(port, time.monotonic_ns() + n) for n in range(count)]
    done, begin = 0, time.monotonic()
    while (now := time.monotonic()) < begin + seconds:
        for each in senders:
            each.send()
        for each in senders:
            each.wait()
        done += count
    for each in senders:
        each.close()
    return done / (now - begin)


def table(apache: str | None, timing: Timing, _shapes: Sequence[Shape]) -> Table:
    """Measure both makes side by side."""
    rates: dict[tuple[int, str], list[float]] = {}
    with ExitStack() as stack:
        running = stack.enter_context(sides(apache, is_sync=False))
        servers: dict[str, Running] = {
            name: running[name] for name in (APACHE, OURS) if name in running
        }
        for name, server in servers.items():
            drive(server.port, 8, timing.warm if name == APACHE else 1.0)
        for _ in range(timing.rounds):
            for count in SENDERS:
                for name, server in servers.items():
                    with alone(servers, name):
                        rate = drive(server.port, count, timing.seconds)
                    rates.setdefault((f"{count}", name), []).append(rate)
        if apache:
            scratch = stack.enter_context(folder())
            for count in SENDERS:
                for name, server in servers.items():
                    key = f"{count} of {PROGRAM}", name
                    with alone(servers, name):
                        rates[key] = apache_program.rates(
                            apache,
                            scratch,
                            PROGRAM,
                            server.name_server,
                            timing.rounds,
                            *("-t", TOPIC, "-w", f"{count}"),
                        )
    columns = ["senders", "broker", "transactions a second", "from - to"]
    return Table("Transactions of 1 KiB, committed", columns, _rows(rates))


def _rows(rates: dict[tuple[str, str], list[float]]) -> list[list[str]]:
    """Make the rows, with a ratio behind each pair."""
    rows: list[list[str]] = []
    medians: dict[str, float] = {}
    for (senders, name), each in rates.items():
        middle = statistics.median(each)
        span = f"{min(each):,.0f}-{max(each):,.0f}"
        rows.append([senders, name, f"{middle:,.0f}", span])
        if senders in medians:
            ratio = f"{middle / medians[senders]:.2f}"
            rows.append([senders, f"{OURS} by {APACHE}", ratio, ""])
        medians[senders] = middle
    return rows
