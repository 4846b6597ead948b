"""Tests of permissions that are asked for while a request is handled."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.late_checks import LateChecks
from rocketmq_tw.model.access import Action
from rocketmq_tw.wire.requests.rules import topic_need
from tests.broker.cases import Peer, sent
from tests.broker.doubles import call_from

NEED = topic_need("T", Action.PUB)


class LateCheckTests(SynchronousTestCase):
    """Who is asked."""

    def test_without(self) -> None:
        """Without access control nobody is, and all is permitted."""
        LateChecks()(sent(), call_from(Peer(), 0), NEED)
        self.assertFalse(LateChecks().is_used)

    def test_asked(self) -> None:
        """Access control learns what is needed, and by which request."""
        asked: list[Any] = []
        checks = LateChecks()
        checks.use(lambda request, call, need: asked.append((request, call, need)))
        self.assertTrue(checks.is_used)
        request, call = sent(), call_from(Peer(), 0)
        checks(request, call, NEED)
        self.assertEqual(asked, [(request, call, NEED)])
