"""Brokers that were there."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.results.cluster import BrokerStatus, ClusterStatus
from rocketmq_tw.console.history.presence import KEPT, MOST, Presence


def broker(name: str, number: int = 0) -> BrokerStatus:
    """Return one."""
    return BrokerStatus(cluster="c", name=name, id=number, address=f"{name}:{number}")


class PresenceTests(SynchronousTestCase):
    """Who is named."""

    def setUp(self) -> None:
        """See three brokers."""
        self.clock = Clock()
        self.presence = Presence(self.clock)
        self.presence.saw([broker("a"), broker("a", 1), broker("b")])

    def missing(self, *brokers: BrokerStatus, **failed: str) -> list[str]:
        """Return the sentences."""
        found = self.presence.missing(ClusterStatus((), brokers, failed))
        return [each.sentence for each in found]

    def test_gone(self) -> None:
        """One that is gone, for two hours; one that is back is not."""
        all_of_them = (broker("a"), broker("a", 1), broker("b"))
        self.assertEqual(self.missing(*all_of_them), [])
        [sentence] = self.missing(*all_of_them[:2])
        self.assertEqual(
            sentence,
            "the master of b has not been registered for less than a minute:"
            " it has stopped",
        )
        self.clock.advance(185)
        [sentence] = self.missing(broker("a"), broker("b"))
        self.assertIn("slave 1 of a has not been registered for 3 min", sentence)
        self.clock.advance(KEPT)
        self.assertEqual(self.missing(), [])

    def test_silent(self) -> None:
        """One that is registered and does not respond is named already."""
        self.assertEqual(
            self.missing(broker("a"), broker("a", 1), **{"b:0": "no response"}), []
        )

    def test_bounded(self) -> None:
        """However many there were, some are remembered."""
        self.presence.saw(broker(f"n{number}") for number in range(MOST + 5))
        self.assertEqual(len(self.missing()), MOST)
