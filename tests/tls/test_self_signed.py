"""The certificate for tests."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.tls.self_signed import self_signed
from tests.tls.authority import NOW


class SelfSignedTests(SynchronousTestCase):
    """It is made, not read."""

    def test_made(self) -> None:
        """It is valid now, and another one each time."""
        one, other = self_signed(NOW), self_signed(NOW)
        [certificate] = one.chain
        self.assertLess(certificate.not_valid_before_utc.timestamp(), NOW)
        self.assertGreater(certificate.not_valid_after_utc.timestamp(), NOW)
        self.assertEqual(certificate.issuer, certificate.subject)
        self.assertNotEqual(certificate, other.chain[0])
        self.assertEqual(certificate.public_key(), one.key.public_key())
