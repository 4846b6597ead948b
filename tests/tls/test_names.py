"""Names in certificates."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.tls.files import load_certificates
from rocketmq_tw.tls.names import names_of
from tests.tls.authority import Authority


class NameTests(SynchronousTestCase):
    """What users read; the rest is tested with connections."""

    def test_names(self) -> None:
        """Names first, then addresses."""
        authority = Authority(self.mktemp())
        for hosts, words in (
            (("10.0.0.1", "mq.example", "::1"), "mq.example, 10.0.0.1, ::1"),
            ((), "no name or address"),
        ):
            path, _ = authority.issue(hosts=hosts)
            [certificate] = load_certificates("key", path)
            self.assertEqual(names_of(certificate), words)
        [certificate] = load_certificates("key", authority.ca)
        self.assertEqual(names_of(certificate), "no name or address")
