"""
Transactions with random verdicts, also while the broker is killed.

    python -m tests.longrun.transactions [--transactions 10000] [--kills 20]

Half messages are sent, and most are committed or rolled back at once, some twice.
Others are left undecided until the broker asks. With ``--kills`` the broker is killed
with SIGKILL again and again in the middle, and started again.

A ledger outside has the verdict of each transaction, which never changes. Every
committed message is in its queue exactly once, and none that was rolled back. A half
message whose send was not acknowledged may be there or not, but not twice.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter, deque
from pathlib import Path

import msgspec

from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import PGROUP, TRAN_MSG, UNIQ_KEY
from rocketmq_tw.wire import properties, record
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData, ProducerData
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.fields import from_ext
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from rocketmq_tw.wire.requests.send import SendMessageV2, SendResponse
from rocketmq_tw.wire.requests.transaction import CheckTransactionState, EndTransaction
from tests.longrun.broker import Broker, Link, send

TOPIC, GROUP = "Transactions", "longrun"
QUEUES = 4
#: Requests that wait for a response at a time.
DEPTH = 32
#: Producers are asked soon: after a second, twice a second.
SETTINGS = {
    "transactionTimeOut": 1000,
    "transactionCheckInterval": 500,
    "mappedFileSizeCommitLog": 16 << 20,
    "defaultTopicQueueNums": QUEUES,
}
#: Seconds until everything is decided.
DECIDED_IN = 120.0


class Made(msgspec.Struct):
    """
    One transaction.

    :ivar commits: its verdict.
    :ivar is_left: it is decided only when the broker asks.
    :ivar is_stored: its half message was acknowledged.
    """

    commits: bool
    is_left: bool
    is_stored: bool = False

    @property
    def bits(self) -> int:
        """The verdict as in a request."""
        return sysflag.COMMIT if self.commits else sysflag.ROLLBACK


class Producer:
    """
    Makes transactions, ends them, and answers the questions of the broker.

    :ivar made: all transactions, by their numbers.
    :ivar asked: how many questions the broker had.
    """

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self.made: list[Made] = []
        self.asked = 0
        self._link: Link | None = None
        #: The numbers of requests, and of transactions whose half message was sent.
        self._in_flight: deque[tuple[int, int | None]] = deque()

    def connect(self, broker: Broker) -> None:
        """Join the group at a broker that was started."""
        self._in_flight.clear()
        self._link = broker.link()
        data = HeartbeatData("longrun", producer_data_set=(ProducerData(GROUP),))
        answer = self.link.ask(Heartbeat(body=data.encode()))
        assert answer.code == 0, answer

    @property
    def link(self) -> Link:
        """The connection to the broker."""
        assert self._link is not None
        return self._link

    def run(self, count: int) -> None:
        """
        Make so many transactions; some requests wait for their responses afterwards.

        :raises OSError: the broker is gone.
        """
        for _ in range(count):
            while len(self._in_flight) >= DEPTH:
                self._settle()
            number = len(self.made)
            dice = self._dice
            self.made.append(Made(dice.random() < 0.7, is_left=dice.random() < 0.1))
            self._in_flight.append((self.link.send(half(number)), number))

    def drain(self) -> None:
        """Wait for all responses."""
        while self._in_flight:
            self._settle()

    def _settle(self) -> None:
        """Wait for the oldest response; end the transaction of a half message."""
        opaque, number = self._in_flight.popleft()
        answer = self.link.answer(opaque)
        self.answer_questions()
        if number is None and answer.code == ResponseCode.SYSTEM_BUSY:
            return  # too many are looked up after a kill; the broker asks again
        assert answer.code == 0, answer
        if number is None:
            return
        made = self.made[number]
        made.is_stored = True
        if made.is_left:
            return
        stored = from_ext(SendResponse, answer.fields)
        end = EndTransaction(
            producer_group=GROUP,
            tran_state_table_offset=stored.queue_offset,
            commit_log_offset=int(stored.msg_id[-16:], 16),
            commit_or_rollback=made.bits,
        )
        for _ in range(2 if self._dice.random() < 0.1 else 1):
            self._in_flight.append((self.link.send(end), None))

    def answer_questions(self) -> None:
        """Answer what the broker has asked meanwhile."""
        asked, self.link.asked = self.link.asked, []
        for command in asked:
            self.asked += 1
            self._in_flight.append((self.link.send(self._end_of(command)), None))

    def _end_of(self, command: Command) -> EndTransaction:
        """Return the response to a question."""
        assert command.code == CheckTransactionState.code, command
        asked = from_ext(CheckTransactionState, command.fields)
        message = record.decode(command.body)
        assert (message.topic, message.properties[PGROUP]) == (TOPIC, GROUP)
        return EndTransaction(
            producer_group=GROUP,
            tran_state_table_offset=asked.tran_state_table_offset,
            commit_log_offset=asked.commit_log_offset,
            commit_or_rollback=self.made[int(message.body)].bits,
            from_transaction_check=True,
        )

    def wait_until_decided(self) -> None:
        """Answer questions until nothing is pending."""
        until = time.monotonic() + DECIDED_IN
        while True:
            self.drain()
            answer = self.link.ask(GetRuntimeInfo())
            self.answer_questions()
            pending = KVTable.decode(answer.body).table["transactionsPending"]
            if pending == "0" and not self._in_flight:
                return
            assert time.monotonic() < until, f"{pending} transactions are not decided"
            time.sleep(0.05)


def half(number: int) -> SendMessageV2:
    """Make the send of a half message."""
    text = {TRAN_MSG: "true", PGROUP: GROUP, UNIQ_KEY: f"id{number}"}
    return send(
        TOPIC,
        number % QUEUES,
        b"%d" % number,
        sys_flag=sysflag.PREPARED,
        properties=properties.encode(text),
    )


def delivered(link: Link) -> Counter[int]:
    """Read all queues; count how often each message is there."""
    found: Counter[int] = Counter()
    for queue_id in range(QUEUES):
        offset = 0
        while (answer := link.pull(TOPIC, queue_id, offset)).status == 0:
            messages = record.decode_all(answer.body)
            found.update(int(message.body) for message in messages)
            offset = answer.next_begin_offset
    return found


def check(made: list[Made], found: Counter[int]) -> None:
    """
    Compare what consumers get with the verdicts.

    :raises AssertionError: a promise was broken.
    """
    for number, each in enumerate(made):
        count = found[number]
        assert count <= 1, f"transaction {number} was delivered {count} times"
        if not each.commits:
            assert not count, f"transaction {number} was rolled back, and delivered"
        elif each.is_stored:
            assert count, f"transaction {number} was committed, and not delivered"


def run(
    folder: Path, transactions: int, kills: int, flush: str, seed: int
) -> dict[str, float]:
    """Make so many transactions, with so many kills among them; give the figures."""
    broker = Broker(folder, flushDiskType=flush, **SETTINGS)
    producer, dice = Producer(seed), random.Random(seed)
    broker.start()
    producer.connect(broker)
    began = time.monotonic()
    for _ in range(kills):
        producer.run(transactions // (kills + 1) - dice.randrange(DEPTH))
        broker.kill()
        broker.start()
        producer.connect(broker)
    producer.run(transactions - len(producer.made))
    producer.drain()
    seconds = time.monotonic() - began
    producer.wait_until_decided()
    found = delivered(producer.link)
    check(producer.made, found)
    broker.stop()
    return {
        "transactions": len(producer.made),
        "delivered": sum(found.values()),
        "asked": producer.asked,
        "transactions per second": len(producer.made) / seconds,
    }


def main(argv: list[str]) -> int:
    """Print the figures; an AssertionError says what was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--flush", default="ASYNC_FLUSH")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="transactions-") as folder:
        found = run(
            Path(folder),
            options.transactions,
            options.kills,
            options.flush,
            options.seed,
        )
    for name, value in found.items():
        print(f"{options.flush} {name:30} {value:10.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
