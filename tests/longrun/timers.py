"""
Timed messages: none early, none late, none lost and none twice.

    python -m tests.longrun.timers [--count 100000] [--seconds 60] [--kills 20]
    python -m tests.longrun.timers --waiting 1000000

The first sends messages for random times within a minute and reads them when all are
due. With kills the broker is ended with SIGKILL at random moments, while it accepts and
while it delivers; then only what was acknowledged has to come, and lateness does not
count. The second has many wait for hours, and looks at the memory and at the processor
time that they take meanwhile.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rocketmq_tw.clock import time_of_day
from rocketmq_tw.wire import properties, record
from rocketmq_tw.wire.fields import from_ext
from rocketmq_tw.wire.requests.offset import GetMaxOffset
from rocketmq_tw.wire.requests.send import SendMessageV2
from tests.longrun.broker import Broker, Link, send

TOPIC = "Timed"
QUEUES = 4
#: Sends in flight.
DEPTH = 256
#: Milliseconds after its time at which 99 of 100 messages are delivered.
LATE = 1100
#: Bytes of memory that a million messages may take.
MEMORY = 100 << 20
#: Seconds until a broker that was killed, or whose start takes long, has delivered all.
PATIENCE = 60.0


class Schedule:
    """
    What was sent, and for when.

    :ivar due: the time of each message, in ms.
    :ivar accepted: those that were acknowledged.
    """

    def __init__(self, count: int, begin: float, seconds: float, seed: int) -> None:
        dice = random.Random(seed)
        first, length = int(begin * 1000), int(seconds * 1000)
        self.due = [first + dice.randrange(length) for _ in range(count)]
        self.accepted: set[int] = set()

    def requests(self, numbers: range) -> Iterator[SendMessageV2]:
        """Make the sends of some messages."""
        for number in numbers:
            wanted = {
                "TIMER_DELIVER_MS": str(self.due[number]),
                "UNIQ_KEY": str(number),
            }
            text = properties.encode(wanted)
            yield send(TOPIC, number % QUEUES, b"%d" % number, properties=text)

    def send(self, link: Link, numbers: range) -> None:
        """Send some messages, many at a time."""
        answers = link.ask_all(self.requests(numbers), DEPTH)
        for number, answer in zip(numbers, answers, strict=True):
            assert answer.code == 0, answer
            self.accepted.add(number)

    def check(self, broker: Broker) -> list[int]:
        """
        Read what was delivered; return how late each message was, in ms, sorted.

        :raises AssertionError: one is early, lost or there twice.
        """
        link, late = broker.link(), []
        seen: set[int] = set()
        for queue_id in range(QUEUES):
            for number, stored_ms in _messages(link, queue_id):
                assert number not in seen, f"{number} is there twice"
                seen.add(number)
                late.append(stored_ms - self.due[number])
        lost = self.accepted - seen
        assert not lost, f"{len(lost)} are lost, such as {min(lost)}"
        assert not late or min(late) >= 0, f"one came {-min(late)} ms early"
        link.close()
        return sorted(late)


def _messages(link: Link, queue_id: int) -> Iterator[tuple[int, int]]:
    """Read a queue: the number of each message, and when it was stored."""
    end, offset = _end(link, queue_id), 0
    while offset < end:
        answer = link.pull(TOPIC, queue_id, offset)
        for message in record.decode_all(answer.body):
            yield int(message.body), message.store_time_ms
            offset += 1


def _end(link: Link, queue_id: int) -> int:
    """Ask where a queue ends."""
    answer = link.ask(GetMaxOffset(TOPIC, queue_id))
    return int(from_ext(GetMaxOffset.response_type, answer.fields).offset)


def _delivered(broker: Broker) -> int:
    """Count what was delivered."""
    link = broker.link()
    count = sum(_end(link, queue_id) for queue_id in range(QUEUES))
    link.close()
    return count


def _wait_for(broker: Broker, count: int, until: float) -> None:
    """Wait until so many were delivered, or it takes too long."""
    while _delivered(broker) < count and time_of_day() < until + PATIENCE:
        time.sleep(0.2)


def punctual(folder: Path, count: int, seconds: float, seed: int) -> dict[str, float]:
    """Have messages delivered while nothing happens; give the figures."""
    broker = Broker(folder)
    broker.start()
    # As long as it may take to send them: what is sent after its time is late.
    lead = 2 + count / 1000
    schedule = Schedule(count, time_of_day() + lead, seconds, seed)
    began = time.monotonic()
    schedule.send(broker.link(), range(count))
    took = time.monotonic() - began
    assert took < lead, f"it took {took:.0f} s to send them; {lead:.0f} s were expected"
    _wait_for(broker, count, max(schedule.due) / 1000)
    late = schedule.check(broker)
    figures = {
        "accepted each second": count / took,
        "late, median ms": late[len(late) // 2],
        "late, p99 ms": late[len(late) * 99 // 100],
        "late, most ms": late[-1],
        "memory, MiB": broker.memory() / (1 << 20),
    }
    broker.stop()
    return figures


def killed(
    folder: Path, count: int, seconds: float, kills: int, seed: int
) -> dict[str, float]:
    """Have messages delivered by a broker that is killed; give the figures."""
    dice = random.Random(seed)
    broker = Broker(folder, mappedFileSizeCommitLog=16 << 20)
    broker.start()
    schedule = Schedule(count, time_of_day() + 1, seconds, seed)
    chunk, sent = max(1, count // max(kills, 1) // 2), 0
    for _ in range(kills):
        link = broker.link()
        some = range(sent, min(sent + chunk, count))
        schedule.send(link, some)
        sent = some.stop
        # What is in flight when it dies may be there or not.
        doomed = range(sent, min(sent + DEPTH // 2, count))
        for request in schedule.requests(doomed):
            link.send(request)
        sent = doomed.stop
        time.sleep(dice.uniform(0, 1.5 * seconds / kills))
        broker.kill()
        link.close()
        broker.start()
    schedule.send(broker.link(), range(sent, count))
    _wait_for(broker, count, max(schedule.due) / 1000)
    # Whatever comes twice comes within two seconds.
    time.sleep(2)
    late = schedule.check(broker)
    broker.stop()
    return {
        "kills": kills,
        "accepted": len(schedule.accepted),
        "delivered": len(late),
    }


def waiting(folder: Path, count: int, seed: int) -> dict[str, float]:
    """Have many wait for hours; give what they take."""
    broker = Broker(folder)
    broker.start()
    schedule = Schedule(count, time_of_day() + 3600, 40 * 3600, seed)
    link = broker.link()
    schedule.send(link, range(1000))
    time.sleep(2)
    before, idle = broker.memory(), _cpu_of(broker)
    began = time.monotonic()
    schedule.send(link, range(1000, count))
    took = time.monotonic() - began
    time.sleep(3)
    after, busy = broker.memory(), _cpu_of(broker)
    broker.stop()
    broker.start()
    ready = broker.ready_in
    broker.stop()
    return {
        "messages": count,
        "accepted each second": (count - 1000) / took,
        "memory for them, MiB": (after - before) / (1 << 20),
        "CPU of a thousand, %": idle,
        "CPU of all, %": busy,
        "start, s": ready,
    }


def _cpu_of(broker: Broker) -> float:
    """Give the processor time of ten seconds, in percent."""
    before = broker.cpu()
    time.sleep(10)
    return (broker.cpu() - before) * 10


def main(argv: list[str]) -> int:
    """Print the figures; an AssertionError says what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--waiting", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="timers-") as folder:
        path = Path(folder)
        if given.waiting:
            found = waiting(path, given.waiting, given.seed)
            missed = found["memory for them, MiB"] * (1 << 20) > MEMORY
        elif given.kills:
            found = killed(path, given.count, given.seconds, given.kills, given.seed)
            missed = False
        else:
            found = punctual(path, given.count, given.seconds, given.seed)
            missed = found["late, p99 ms"] > LATE
    for name, value in found.items():
        print(f"{name:30} {value:12.2f}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
