"""Tests of names and passwords in settings."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.access.secrets import INNER, Secret, sign_as, take_inner, take_secret
from rocketmq_tw.settings import BadSetting


class SecretTests(SynchronousTestCase):
    """What is read, and what is shown."""

    def test_taken(self) -> None:
        """The setting is removed from the others, which may be shown."""
        values = {INNER: '{"accessKey":"me","secretKey":"hidden"}', "other": "1"}
        self.assertEqual(take_inner(values), Secret("me", "hidden"))
        self.assertEqual(values, {"other": "1"})
        self.assertIsNone(take_inner(values))

    def test_bad(self) -> None:
        """What is no pair of texts is refused, and not quoted."""
        for text in ("hidden", "{}", '{"n":"hidden"}', '{"n":1,"p":"hidden"}', "[" * 9):
            error = self.assertRaises(
                BadSetting, take_secret, {"key": text}, "key", "n", "p"
            )
            self.assertNotIn("hidden", str(error))

    def test_shows_no_secret(self) -> None:
        """Neither the pair nor what signs with it shows the password."""
        secret = Secret("me", "hidden")
        self.assertNotIn("hidden", f"{secret!r} {sign_as(secret)!r}")
        self.assertIsNone(sign_as(None))
