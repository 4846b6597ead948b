"""Stopping before the reactor does."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client import Client
from rocketmq_tw.client.shutdown import ShutdownTrigger
from rocketmq_tw.model.message import Message
from rocketmq_tw.testing import ManualThreads, MemoryNetwork
from rocketmq_tw.testing.reactor import MemoryReactor
from tests.client.cluster import NAME_SERVER, Cluster


class StoppableReactor(MemoryReactor):
    """The reactor of a host, with what is to be done before it stops."""

    def __init__(self, network: MemoryNetwork) -> None:
        super().__init__(network, "10.0.2.1", ManualThreads())
        self.triggers: dict[int, Any] = {}
        self.added = 0

    def addSystemEventTrigger(  # noqa: N802
        self, phase: str, event: str, function: Any
    ) -> int:
        """Keep what is to be called before the stop."""
        assert (phase, event) == ("before", "shutdown")
        self.added += 1
        self.triggers[self.added] = function
        return self.added

    def removeSystemEventTrigger(self, trigger: int) -> None:  # noqa: N802
        """Forget it; it must be there."""
        del self.triggers[trigger]

    def fire(self) -> list[Deferred[Any]]:
        """Begin to stop."""
        triggers, self.triggers = self.triggers, {}
        return [function() for function in triggers.values()]


class ShutdownTriggerTests(SynchronousTestCase):
    """The trigger by itself."""

    def setUp(self) -> None:
        """Make one whose function gives a Deferred."""
        self.reactor = StoppableReactor(MemoryNetwork(Clock()))
        self.stopped: Deferred[None] = Deferred()
        self.trigger = ShutdownTrigger(self.reactor, lambda: self.stopped)

    def test_waits(self) -> None:
        """The reactor gets the Deferred of the function, to wait for it."""
        self.trigger.arm()
        self.trigger.arm()
        self.assertEqual(self.reactor.fire(), [self.stopped])
        self.trigger.disarm()

    def test_disarmed(self) -> None:
        """Nothing is left with the reactor."""
        self.trigger.arm()
        self.trigger.disarm()
        self.trigger.disarm()
        self.assertEqual(self.reactor.triggers, {})

    def test_clock(self) -> None:
        """A reactor that cannot be stopped needs no trigger."""
        trigger = ShutdownTrigger(Clock(), lambda: self.stopped)
        trigger.arm()
        trigger.disarm()


class ClientShutdownTests(SynchronousTestCase):
    """A client on a reactor that stops."""

    def setUp(self) -> None:
        """Start a client."""
        self.cluster = Cluster(self)
        self.cluster.broker("broker-a")
        self.cluster.topic("T", broker_a=4)
        self.reactor = StoppableReactor(self.cluster.network)
        self.client = Client(self.reactor, NAME_SERVER)
        self.client.startService()
        self.cluster.pump(0.5)

    def test_reactor_waits_for_the_client(self) -> None:
        """It is stopped as if by ``stop``, and the reactor waits for the end."""
        (waiting,) = self.reactor.fire()
        also = self.client.stop()
        self.assertNoResult(waiting)
        self.assertNoResult(also)
        self.cluster.pump(3)
        self.successResultOf(waiting)
        self.successResultOf(also)
        self.assertEqual(self.cluster.timers(), [])

    def test_parts_know(self) -> None:
        """Consumers know the end of the reactor from a stop by the application."""
        self.assertFalse(self.client.session.in_shutdown)
        self.reactor.fire()
        self.assertTrue(self.client.session.in_shutdown)

    def test_messages_in_flight(self) -> None:
        """The reactor waits for messages that are being sent."""
        producer = self.client.producer("P")
        self.cluster.pump(0.5)
        sent = producer.send(Message("T", b"x"))
        (waiting,) = self.reactor.fire()
        self.assertNoResult(sent)
        self.cluster.pump(3)
        self.successResultOf(sent)
        self.successResultOf(waiting)

    def test_stopped_before(self) -> None:
        """A client that was stopped leaves the reactor alone."""
        stopped = self.client.stop()
        self.cluster.pump(3)
        self.successResultOf(stopped)
        self.assertEqual(self.reactor.triggers, {})
