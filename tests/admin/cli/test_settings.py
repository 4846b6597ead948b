"""Settings that are chosen by name."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin import NotFound
from rocketmq_tw.admin.cli.settings import chosen_settings, chosen_statistics
from rocketmq_tw.admin.results.brokers import Settings, Statistics
from tests.admin.cli.cases import CommandCase


class ChosenTests(SynchronousTestCase):
    """Two servers."""

    found = Settings({"a": {"x": "1", "y": "2"}, "b": {"x": "3"}})

    def test_some(self) -> None:
        """Only what is named is left; without a name all of it."""
        self.assertEqual(
            chosen_settings(self.found, ["x"]).values,
            {"a": {"x": "1"}, "b": {"x": "3"}},
        )
        self.assertEqual(chosen_settings(self.found, []), self.found)

    def test_unknown(self) -> None:
        """What no server has does not exist."""
        with self.assertRaises(NotFound):
            chosen_settings(self.found, ["y", "z"])
        with self.assertRaises(NotFound):
            chosen_statistics(Statistics("a", "a:1", {"x": "1"}), ["z"])
        self.assertEqual(chosen_settings(Settings({}), ["z"]).values, {})


class SettingsTests(CommandCase):
    """Commands that show settings."""

    def test_names(self) -> None:
        """They choose in JSON, too; an unknown one is an error."""
        words = ("broker", "config", "broker-a", "brokerName")
        [values] = self.json(*words)["values"].values()
        self.assertEqual(values, {"brokerName": "broker-a"})
        self.assertEqual(
            list(self.json("broker", "stats", "broker-a", "bootTimestamp")["values"]),
            ["bootTimestamp"],
        )
        for noun in (("broker", "config", "broker-a"), ("nameserver", "config")):
            text = self.error(*noun, "noSuchSetting")
            self.assertEqual(text, 'error: there is no setting "noSuchSetting"\n')
        text = self.error("broker", "config", "broker-a", "brokername")
        self.assertIn('no setting "brokername": Did you mean brokerName?', text)
        text = self.error("broker", "stats", "broker-a", "noSuchFigure")
        self.assertEqual(text, 'error: there is no statistic "noSuchFigure"\n')

    def test_keys(self) -> None:
        """A key that does not exist is not deleted."""
        self.output("nameserver", "put", "space", "k", "v")
        text = self.error("nameserver", "delete", "space", "other", "--yes")
        self.assertIn('there is no key "other" in the namespace "space"', text)
        self.output("nameserver", "delete", "space", "k", "--yes")
        self.error("nameserver", "delete", "space", "k", "--yes")
