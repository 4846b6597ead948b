"""Tests of :mod:`rocketmq_tw.namesrv.errors`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.namesrv.errors import RegistrationRefused, TableFull


class ErrorTests(SynchronousTestCase):
    """The sentences that a broker's operator reads."""

    def test_sentences(self) -> None:
        """A limit is named, and the other has Apache RocketMQ's own words."""
        self.assertEqual(str(RegistrationRefused()), "register broker failed")
        error = TableFull("maxTopics", 5)
        self.assertEqual(
            str(error), "the broker is not registered; maxTopics (5) is reached"
        )
