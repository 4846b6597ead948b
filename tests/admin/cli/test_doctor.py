"""``rocketmq-admin doctor``."""

from __future__ import annotations

import msgspec

from tests.admin.cli.cases import CommandCase


class DoctorTests(CommandCase):
    """Findings as text and as JSON."""

    def test_nothing(self) -> None:
        """A cluster that works is exit code 0."""
        self.assertIn("nothing is wrong", self.output("doctor", "--wait", "0"))

    def test_found(self) -> None:
        """A fault is exit code 1, with its word and an advice."""
        self.unreachable("broker-b")
        text = self.output("doctor", code=1)
        self.assertIn("[broker-unreachable]", text)
        self.assertIn("-> if the broker runs", text)

    def test_json(self) -> None:
        """Each finding is a line of JSON."""
        text = self.output("doctor", "--json", "--topic", "nothing", code=1)
        [line] = [msgspec.json.decode(each) for each in text.splitlines()]
        self.assertEqual(
            (line["fault"], line["severity"]), ("no-route-unknown", "fault")
        )
