"""The page about ``mqadmin`` is up to date, and has every command."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from doc.mqadmin.page import PAGE, page
from rocketmq_tw.broker.absent import ABSENT
from rocketmq_tw.wire.codes import RequestCode
from tests.interop.mqadmin.command import Expected
from tests.interop.mqadmin.script import SCRIPT

#: What only controllers are asked, of which there are none, and Apache RocketMQ's name
#: server has none either by default.
CONTROLLER = range(1001, 1014)
#: How many subcommands 4.9.7 has, how many 5.5.0 has, and both together.
COMMANDS = {"v49": 57, "v55": 96, "": 101}


class PageTests(SynchronousTestCase):
    """``doc/howto/mqadmin.rst``."""

    maxDiff = None

    def test_is_up_to_date(self) -> None:
        """It is what ``python -m doc.mqadmin`` writes."""
        written = PAGE.read_text(encoding="utf-8")
        self.assertEqual(written, page(), "run: python -m doc.mqadmin")

    def test_every_command(self) -> None:
        """The script has all subcommands of each release."""
        for release in ("v49", "v55"):
            found = {each.name for each in SCRIPT if each.only in ("", release)}
            self.assertEqual(len(found), COMMANDS[release], sorted(found))
        self.assertEqual(len({each.name for each in SCRIPT}), COMMANDS[""])

    def test_every_request(self) -> None:
        """Each that a command sends has a handler, or a sentence of its own."""
        declared = set(map(int, RequestCode))
        for each in SCRIPT:
            for code in map(int, each.codes.split()):
                known = code in declared or code in ABSENT or code in CONTROLLER
                self.assertTrue(known, f"{each.text} sends {code}")

    def test_reasons(self) -> None:
        """What is not the same has a reason."""
        for each in SCRIPT:
            self.assertEqual(bool(each.why), each.expected is not Expected.SAME, each)
