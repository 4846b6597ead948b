"""The kind of a message, from what it asks for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.send.kinds import Kind, kind_of
from rocketmq_tw.broker.send.properties import Special

TRANSACTIONAL = Special(is_transactional=True)
TIMED = Special(is_timed=True)
ALL = Special("3", is_transactional=True, is_timed=True)


def kind(
    special: Special, level: int = 0, times: int = 0, is_dead_letter: bool = False
) -> Kind:
    """Choose a kind."""
    return kind_of(
        special,
        delay_level=level,
        reconsume_times=times,
        is_dead_letter=is_dead_letter,
    )


class KindTests(SynchronousTestCase):
    """Which of several wishes counts."""

    def test_one_wish(self) -> None:
        """Each has its kind."""
        self.assertIs(kind(TRANSACTIONAL), Kind.TRANSACTIONAL)
        self.assertIs(kind(Special("3"), level=3), Kind.DELAYED)
        self.assertIs(kind(TIMED), Kind.TIMED)

    def test_no_delay(self) -> None:
        """Level 0 and less are no delay."""
        for level in (0, -1):
            self.assertIs(kind(Special(str(level)), level=level), Kind.PLAIN)
            self.assertIs(kind(TIMED, level=level), Kind.TIMED)

    def test_level_before_time(self) -> None:
        """A delay level counts more than a time."""
        self.assertIs(kind(TIMED, level=1), Kind.DELAYED)

    def test_transaction_before_delay(self) -> None:
        """A transaction counts more than a delay, unless the message is retried."""
        self.assertIs(kind(ALL, level=3), Kind.TRANSACTIONAL)
        self.assertIs(kind(ALL, level=0, times=1), Kind.TRANSACTIONAL)
        self.assertIs(kind(ALL, level=3, times=1), Kind.DELAYED)

    def test_dead_letters(self) -> None:
        """A dead letter is one, whatever it asks for."""
        self.assertIs(kind(ALL, level=3, is_dead_letter=True), Kind.DEAD_LETTER)
