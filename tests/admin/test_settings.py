"""Settings that servers do not have, or have not taken."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin import NotFound, NotTaken
from rocketmq_tw.admin.settings import check_changed, check_known, proposed

KNOWN = {"fileReservedTime": "72", "maxTopics": "10", "brokerName": "a"}


class SettingsTests(SynchronousTestCase):
    """Before and after a change."""

    def test_known(self) -> None:
        """It is enough that one server has it."""
        check_known({"maxTopics": "1", "other": "2"}, [KNOWN, {"other": ""}])

    def test_unknown(self) -> None:
        """The name is in the sentence, and those that are like it."""
        with self.assertRaises(NotFound) as caught:
            check_known({"maxTopics": "1", "fileReserveTime": "2"}, [KNOWN])
        self.assertEqual(
            str(caught.exception),
            'there is no setting "fileReserveTime": nothing is changed. Did'
            " you mean fileReservedTime?",
        )

    def test_proposed(self) -> None:
        """Case does not matter; nothing is proposed that is not alike."""
        self.assertEqual(proposed("MAXTOPICS", KNOWN), ". Did you mean maxTopics?")
        self.assertEqual(
            proposed("maxTopic", ["maxTopics", "maxTopi", "minQueues"]),
            ". Did you mean maxTopics or maxTopi?",
        )
        self.assertEqual(proposed("foo", KNOWN), "")
        self.assertEqual(proposed("", KNOWN), "")

    def test_changed(self) -> None:
        """Numbers and truths may be written in another way."""
        check_changed(
            {"a": "048", "b": "TRUE", "c": "0.5", "d": " x", "e": ""},
            {"a": "48", "b": "true", "c": "0.50", "d": "x", "e": ""},
        )

    def test_not_changed(self) -> None:
        """What a server has kept is named."""
        with self.assertRaises(NotTaken) as caught:
            check_changed({"maxTopics": "many", "brokerName": "a"}, KNOWN)
        self.assertEqual(
            str(caught.exception),
            'it has not taken all settings: maxTopics is "10" still',
        )
