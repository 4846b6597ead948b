"""Failures of handshakes, in plain words."""

from __future__ import annotations

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.tls.explain import certificate_problem, handshake_problem


def error(reason: str) -> SSL.Error:
    """Make an error as OpenSSL reports it."""
    return SSL.Error([("SSL routines", "", reason)])


class ExplainTests(SynchronousTestCase):
    """Each reason that users meet, and the others."""

    def test_known(self) -> None:
        """The words say what to look for."""
        for reason, words in (
            ("wrong version number", "it does not speak TLS here"),
            ("http request", "it speaks HTTP instead of TLS"),
            ("unsupported protocol", "older than 1.2"),
            ("tlsv1 alert protocol version", "no version of TLS is allowed by both"),
            ("tlsv13 alert certificate required", "wants a certificate"),
            ("peer did not return a certificate", "has sent no certificate"),
            ("tlsv1 alert unknown ca", "does not trust the authority"),
            ("no shared cipher", "no cipher suite is allowed by both"),
        ):
            self.assertIn(words, handshake_problem(error(reason)))

    def test_unknown(self) -> None:
        """The reason is shown as it is."""
        said = handshake_problem(error("Bad Moon"))
        self.assertEqual(said, "the handshake failed: bad moon")

    def test_end(self) -> None:
        """An end without notice has several forms."""
        for each in (
            SSL.Error([]),
            SSL.Error(),
            SSL.SysCallError(-1, "Unexpected EOF"),
        ):
            self.assertIn("closed the connection", handshake_problem(each))

    def test_certificates(self) -> None:
        """By OpenSSL's numbers."""
        self.assertEqual(certificate_problem(10), "it has expired")
        self.assertIn("error 999", certificate_problem(999))
