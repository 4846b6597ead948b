"""Names of codes, and the languages of clients."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire import codes
from rocketmq_tw.wire.codes import RequestCode, ResponseCode, code_name


class CodeTests(SynchronousTestCase):
    """Numbers of the protocol."""

    def test_response_names(self) -> None:
        """A known response code has a name, an unknown one its number."""
        self.assertEqual(code_name(17), "TOPIC_NOT_EXIST (17)")
        self.assertEqual(code_name(0), "SUCCESS (0)")
        self.assertEqual(code_name(-7), "code -7")

    def test_numbers(self) -> None:
        """A few numbers that every client knows."""
        self.assertEqual(RequestCode.SEND_MESSAGE_V2, 310)
        self.assertEqual(RequestCode.PULL_MESSAGE, 11)
        self.assertEqual(RequestCode.GET_ROUTEINFO_BY_TOPIC, 105)
        self.assertEqual(ResponseCode.FLUSH_DISK_TIMEOUT, 10)

    def test_languages(self) -> None:
        """A binary header has the ordinal of a language."""
        self.assertEqual(codes.LANGUAGES.index("JAVA"), 0)
        self.assertEqual(codes.LANGUAGES.index("GO"), 9)
        self.assertIn(codes.LANGUAGE, codes.LANGUAGES)
