"""Hosts and origins, as browsers write them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.errors import HttpError
from rocketmq_tw.console.web.origins import Origins


class OriginTests(SynchronousTestCase):
    """Which are ours."""

    def is_accepted(
        self, host: str | None, origin: str | None = None, site: str | None = None
    ) -> bool:
        """Return whether a request of the API is accepted."""
        try:
            Origins(["mq.example."]).check(host, origin, site, is_api=True)
        except HttpError:
            return False
        return True

    def test_hosts(self) -> None:
        """Names in any case, with and without a port or the last dot."""
        for host in ("mq.example", "MQ.EXAMPLE:80", "mq.example.", "10.0.0.7", "[::1]"):
            self.assertTrue(self.is_accepted(host), host)
        for host in ("", "mq.example.evil", "10.0.0.7.evil", "[mq", "::1.evil", "0x7f"):
            self.assertFalse(self.is_accepted(host), host)

    def test_origins(self) -> None:
        """The scheme is a proxy's, perhaps; host and port are those of the request."""
        self.assertTrue(self.is_accepted("mq.example:1", "https://mq.example:1"))
        for origin in ("", "null", "http://mq.example", "file://mq.example:1", "x"):
            self.assertFalse(self.is_accepted("mq.example:1", origin), origin)
