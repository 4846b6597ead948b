"""Tests of requests for features that the broker does not have."""

from __future__ import annotations

from rocketmq_tw.broker.absent import ABSENT
from rocketmq_tw.wire.fields import DECLARED
from rocketmq_tw.wire.requests import accounts, auth
from tests.broker.cases import BrokerCase

#: Those of access control are there once it is switched on.
SWITCHED = {
    int(declared.code)
    for module in (accounts, auth)
    for declared in vars(module).values()
    if isinstance(declared, type) and "code" in vars(declared)
}


class AbsentTests(BrokerCase):
    """Each has a code and a sentence."""

    def test_sentences(self) -> None:
        """No code is that of success, and each remark says something."""
        for code, (status, why) in ABSENT.items():
            self.assertNotEqual(status, 0, code)
            self.assertGreater(len(why.split()), 4, code)

    def test_nothing_handles_them(self) -> None:
        """What has a handler is not absent, whatever the settings."""
        self.assertLessEqual(set(ABSENT) & set(DECLARED), SWITCHED)
        handled = [code for code in ABSENT if self.router.find(code) is not None]
        self.assertEqual(handled, [])

    def test_response(self) -> None:
        """It is what the router of the broker responds."""
        response = self.router.unsupported(3001)
        self.assertEqual(response.status, 3)
        self.assertIn("authenticationEnabled=true", response.remark or "")
