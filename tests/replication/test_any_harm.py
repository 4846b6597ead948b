"""Harm in any order: a slave's log is always the beginning of its master's."""

from __future__ import annotations

import random
from collections.abc import Callable

from rocketmq_tw.replication.frames import encode_report
from rocketmq_tw.replication.slave import RETRY, SlaveService
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.testing.link import Link, LinkState
from tests.replication.pair import HA, PairCase

#: Sequences of harm, and how many there are in each.
SEEDS, STEPS = 8, 25
#: Seconds within which a half-open connection is noticed, and another one made.
HOUSEKEEPING = 3.0


class Harm:
    """
    One sequence of harm, as its dice say.

    :ivar done: what was done, for the message of a failure.
    """

    def __init__(
        self, case: PairCase, store: MessageStore, dice: random.Random
    ) -> None:
        self._case = case
        self._store = store
        self._dice = dice
        self._cut_at: tuple[int, int] | None = None
        self.done: list[str] = []
        case.on_link = self._cut_next
        self._service = self._start()
        self._all = (
            self.send,
            self.cut,
            self.reset,
            self.silence,
            self.delay,
            self.duplicate,
            self.restart_slave,
            self.refuse,
        )

    def step(self) -> None:
        """Do something, and let some time pass."""
        self._dice.choice(self._all)()
        self._case.send(self._dice.randrange(3))
        self._case.turn(self._dice.choice((0.0, 0.3, 1.0, RETRY)), steps=5)

    def heal(self) -> None:
        """Do no more harm; wait until all of it was noticed."""
        self._cut_at, self._case.is_down = None, False
        for link in self._case.links:
            link.set_state(LinkState.OPEN)
        self._case.turn(HOUSEKEEPING + 2)
        self._case.retry()

    def stop(self) -> None:
        """Let the slave follow nobody any more."""
        self._service.stopService()

    def send(self) -> None:
        """Store some messages."""
        self.done.append("send")
        self._case.send(self._dice.randrange(1, 20))

    def cut(self) -> None:
        """Let the next connection break after so many bytes in one direction."""
        self._cut_at = self._dice.randrange(2), self._dice.randrange(400)
        self.done.append(f"cut {self._cut_at}")
        self._newest(Link.reset)

    def reset(self) -> None:
        """Break the connection."""
        self.done.append("reset")
        self._newest(Link.reset)

    def silence(self) -> None:
        """Make the connection half-open."""
        self.done.append("silence")
        self._newest(lambda link: link.set_state(LinkState.SILENT))

    def delay(self) -> None:
        """Keep what is sent until the next such step."""
        self.done.append("delay")
        if self._case.links:
            link = self._case.links[-1]
            is_open = link.state is LinkState.OPEN
            link.set_state(LinkState.CUT if is_open else LinkState.OPEN)

    def duplicate(self) -> None:
        """Let the slave's host connect twice."""
        self.done.append("duplicate")
        double = Link(self._case.clock, "10.0.0.2:1", HA)
        server = self._case.master.factory.buildProtocol(double.near.getHost())
        if server is not None:
            double.far.attach(server)
            double.near.write(encode_report(self._store.commit_log_max))
            self._case.links.insert(0, double)

    def restart_slave(self) -> None:
        """Stop following, and begin again."""
        self.done.append("restart")
        self._service.stopService()
        self._service = self._start()

    def refuse(self) -> None:
        """Let the master refuse connections until the next such step."""
        self.done.append("refuse")
        self._case.is_down = not self._case.is_down

    def _start(self) -> SlaveService:
        return self._case.slave(
            self._store, heartbeat_interval=1.0, housekeeping_interval=HOUSEKEEPING
        )

    def _newest(self, do: Callable[[Link], object]) -> None:
        if self._case.links:
            do(self._case.links[-1])

    def _cut_next(self, link: Link) -> None:
        """Break a new connection later, if that was planned."""
        if self._cut_at is None:
            return
        direction, left = self._cut_at
        self._cut_at = None
        clock = self._case.clock

        def inspect(data: bytes) -> bytes:
            nonlocal left
            passed, left = data[:left], max(0, left - len(data))
            if not left:
                clock.callLater(0, link.reset)
            return passed

        (link.near, link.far)[direction].inspect = inspect


class AnyHarmTests(PairCase):
    """Of the connections of one slave after another."""

    def test_always_a_prefix(self) -> None:
        """After each harm, and a copy once there is no more of it."""
        self.master.stopService()
        self.master = self.make_master(
            self.master_store,
            # Less than a record, so that connections end within one.
            batch_size=64,
            heartbeat_interval=1.0,
            housekeeping_interval=HOUSEKEEPING,
        )
        self.acknowledged_too_much: list[list[str]] = []
        for seed in range(SEEDS):
            self.harm(random.Random(seed))

    def harm(self, dice: random.Random) -> None:
        """Harm the connections of a new slave."""
        slave = self.open_slave()
        harm = Harm(self, slave, dice)
        self.master.on_ack = lambda: self.check_acknowledged(slave, harm)
        for _ in range(STEPS):
            harm.step()
            self.assert_prefix(slave)
        harm.heal()
        self.assert_copied(slave)
        self.assertEqual(self.acknowledged_too_much, [])
        harm.stop()
        self.links.clear()
        self.turn(HOUSEKEEPING + 2)

    def check_acknowledged(self, slave: MessageStore, harm: Harm) -> None:
        """What the master may acknowledge is in the slave's log, at each report."""
        if self.master.acked_by(1) > slave.commit_log_max:
            self.acknowledged_too_much.append(list(harm.done))
