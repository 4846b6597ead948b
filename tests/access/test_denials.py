"""Tests of refusals."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.access.denials import Denials
from rocketmq_tw.auth.errors import AccessDenied
from rocketmq_tw.remoting.peer_log import PeerLog
from tests.broker.cases import sent


class DenialTests(SynchronousTestCase):
    """What a refused peer gets, and what is written down."""

    def test_refusal(self) -> None:
        """All are counted and answered; a host has a line a minute."""
        denials = Denials(PeerLog(Clock()))
        with capturedLogs() as events:
            for port in range(3):
                error = AccessDenied("No permission\nfor topic T")
                refused = denials.refuse(sent(), f"10.0.0.9:{port}", error)
        self.assertEqual((int(refused.code), refused.remark), (16, str(error)))
        self.assertEqual(denials.count, 3)
        (line,) = map(formatEvent, events)
        assert line is not None
        self.assertIn("refused SendMessageV2 from 10.0.0.9:0", line)
        self.assertNotIn("\n", line)
