"""Large bodies are compressed in a thread; what is sent in order stays in order."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import QueueFull, SendCancelled, SendError
from rocketmq_tw.client.producer.large import LargeBodies
from rocketmq_tw.client.producer.producer import Producer
from rocketmq_tw.model.message import Message
from rocketmq_tw.testing import ManualThreads, MemoryCluster

LARGE = Message("T", b"l" * 200_000)
SMALL = Message("T", b"small")


class LargeCase(SynchronousTestCase):
    """A topic with one queue, and threads that run when the test says so."""

    def setUp(self) -> None:
        """Start a producer that has its route."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T", 1)
        self.threads = ManualThreads()
        client = self.cluster.client()
        client.session.run_in_thread = self.threads
        self.producer: Producer = client.producer("P")
        self.cluster.result_of(self.producer.send(Message("T", b"first")))

    def bodies(self) -> list[bytes]:
        """Return what is stored behind the first message."""
        return [message.body for message in self.cluster.messages("T")][1:]

    def result_of(self, sending: Any) -> Any:
        """Let time pass until there is a result."""
        return self.cluster.result_of(sending)


class ThreadTests(LargeCase):
    """One large body."""

    def test_in_a_thread(self) -> None:
        """Nothing is compressed before a thread does it; then it is as any other."""
        sending = self.producer.send(LARGE)
        self.cluster.advance(0.5)
        self.assertNoResult(sending)
        self.assertEqual(self.bodies(), [])
        self.threads.release()
        self.result_of(sending)
        [stored] = self.cluster.messages("T")[1:]
        self.assertEqual(stored.body, LARGE.body)
        self.assertEqual(stored.sys_flag & 0x700, 0x300)
        self.assertLess(stored.size, 5000)

    def test_others_do_not_wait(self) -> None:
        """Messages without an order overtake it."""
        large = self.producer.send(LARGE)
        self.result_of(self.producer.send(SMALL))
        self.assertEqual(self.bodies(), [SMALL.body])
        self.threads.release()
        self.result_of(large)
        self.assertEqual(self.bodies(), [SMALL.body, LARGE.body])

    def test_in_order(self) -> None:
        """What is sent in order behind it waits for it, large or small."""
        sends = [
            self.producer.send(message, key="k")
            for message in (LARGE, SMALL, LARGE, Message("T", b"last"))
        ]
        self.cluster.advance(0.1)
        self.assertEqual(self.bodies(), [])
        self.threads.release()
        self.cluster.advance(0.1)
        self.threads.release()
        for sending in sends:
            self.result_of(sending)
        self.assertEqual(self.bodies(), [LARGE.body, SMALL.body, LARGE.body, b"last"])

    def test_batch_in_order(self) -> None:
        """So does a batch."""
        large = self.producer.send(LARGE, key="k")
        batch = self.producer.send_batch([SMALL, Message("T", b"last")], key="k")
        self.cluster.advance(0.1)
        self.assertEqual(self.bodies(), [])
        self.threads.release()
        self.result_of(large)
        self.result_of(batch)
        self.assertEqual(self.bodies(), [LARGE.body, SMALL.body, b"last"])

    def test_batches_in_order(self) -> None:
        """So do several, of which the first must not overtake the large one."""
        large = self.producer.send(LARGE, key="k")
        rest = [Message("T", b"%d" % number) for number in range(4)]
        batches = self.producer.send_batches(rest, key="k", max_size=200)
        self.cluster.advance(0.1)
        self.assertEqual(self.bodies(), [])
        self.threads.release()
        self.result_of(large)
        self.assertGreater(len(self.result_of(batches)), 1)
        self.assertEqual(self.bodies(), [LARGE.body, b"0", b"1", b"2", b"3"])

    def test_one_way(self) -> None:
        """A one-way message takes the same way."""
        sending = self.producer.send_oneway(LARGE)
        self.threads.release()
        self.result_of(sending)
        self.cluster.advance(0.1)
        self.assertEqual(self.bodies(), [LARGE.body])

    def test_no_thread(self) -> None:
        """Where no thread can run, the body is sent as it is."""
        self.threads.fail_with(RuntimeError("can't start new thread"))
        sending = self.producer.send(LARGE)
        self.threads.release()
        self.result_of(sending)
        [stored] = self.cluster.messages("T")[1:]
        self.assertEqual((stored.body, stored.sys_flag & 0x701), (LARGE.body, 0))


class AgainTests(LargeCase):
    """A message that is sent when another one has failed."""

    def test_sent_again(self) -> None:
        """It is compressed and sent once."""
        client = self.cluster.client()
        client.session.run_in_thread = self.threads
        producer = client.producer("Q", overflow="fail", max_in_flight=1)
        self.result_of(producer.send(Message("T", b"second")))
        again: list[Any] = []
        large = producer.send(LARGE, timeout=1)
        large.addErrback(lambda _: again.append(producer.send(LARGE)))
        self.cluster.advance(2)
        self.threads.run_one()
        self.assertEqual(len(again), 1)
        self.assertEqual(len(self.threads.work), 1)
        self.threads.release()
        self.result_of(again[0])
        self.assertEqual(self.bodies().count(LARGE.body), 1)


class BytesTests(LargeCase):
    """Bodies that wait count as those in flight, where more are to fail."""

    def setUp(self) -> None:
        """Start a producer that takes three large bodies."""
        super().setUp()
        client = self.cluster.client()
        client.session.run_in_thread = self.threads
        self.producer = client.producer(
            "Q", overflow="fail", max_in_flight_bytes=3 * len(LARGE.body) + 1000
        )
        self.result_of(self.producer.send(SMALL))

    def test_too_many(self) -> None:
        """The one too many fails at once, as does a small one."""
        sends = [self.producer.send(LARGE) for _ in range(3)]
        self.assertEqual(self.producer.in_flight_bytes, 3 * len(LARGE.body))
        self.assertEqual(self.producer.in_flight, 3)
        error = self.failureResultOf(self.producer.send(LARGE), QueueFull).value
        self.assertIn("3 messages of 600000 bytes are in flight", str(error))
        small = self.producer.send(Message("T", bytes(2000)))
        self.failureResultOf(small, QueueFull)
        while self.threads.work:
            self.threads.release()
            self.cluster.advance(0.1)
        for sending in sends:
            self.result_of(sending)
        self.assertEqual(
            (self.producer.in_flight, self.producer.in_flight_bytes), (0, 0)
        )

    def test_cancelled(self) -> None:
        """What is cancelled takes no place any more, once the thread is done."""
        sends = [self.producer.send(LARGE) for _ in range(3)]
        for sending in sends:
            sending.cancel()
            self.failureResultOf(sending, SendCancelled)
        self.threads.release()
        self.assertEqual(
            (self.producer.in_flight, self.producer.in_flight_bytes), (0, 0)
        )

    def test_stop(self) -> None:
        """A stop waits for the messages whose bodies have waited."""
        sending = self.producer.send(LARGE)
        stopped = self.producer.stop()
        self.threads.release()
        self.assertNoResult(stopped)
        self.result_of(stopped)
        self.successResultOf(sending)


class EndTests(LargeCase):
    """Sends that end before the thread does."""

    def test_cancelled(self) -> None:
        """A cancelled send is not sent; those behind it are."""
        large = self.producer.send(LARGE, key="k")
        small = self.producer.send(SMALL, key="k")
        large.cancel()
        self.assertFalse(self.failureResultOf(large, SendCancelled).value.maybe_sent)
        self.threads.release()
        self.result_of(small)
        self.assertEqual(self.bodies(), [SMALL.body])

    def test_cancelled_behind(self) -> None:
        """So is one that waits behind it."""
        large = self.producer.send(LARGE, key="k")
        small = self.producer.send(SMALL, key="k")
        small.cancel()
        self.failureResultOf(small, SendCancelled)
        self.threads.release()
        self.result_of(large)
        self.assertEqual(self.bodies(), [LARGE.body])

    def test_too_late(self) -> None:
        """The time in the thread counts."""
        sending = self.producer.send(LARGE, timeout=1)
        self.cluster.advance(1.5)
        self.threads.release()
        self.assertRaises(SendError, self.result_of, sending)
        self.assertEqual(self.bodies(), [])

    def test_flush_and_stop(self) -> None:
        """Both wait for it."""
        sending = self.producer.send(LARGE)
        flushed = self.producer.flush()
        stopped = self.producer.stop()
        self.cluster.advance(0.1)
        self.assertNoResult(flushed)
        self.threads.release()
        self.result_of(flushed)
        self.result_of(stopped)
        self.successResultOf(sending)

    def test_stopped_without_a_thread(self) -> None:
        """After the client's grace it is cancelled."""
        sending = self.producer.send(LARGE)
        self.result_of(self.producer.stop())
        self.failureResultOf(sending, SendCancelled)
        self.threads.release()

    def test_limit(self) -> None:
        """Past the limit a send fails at once."""
        producer = self.producer
        producer._large = LargeBodies(self.threads, self.cluster.clock, limit=1)
        large = producer.send(LARGE)
        self.failureResultOf(producer.send(LARGE), QueueFull)
        self.threads.release()
        self.result_of(large)
