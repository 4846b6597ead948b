"""Tests of the limits of texts in registrations."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.namesrv.checks import (
    MAX_FILTER_SERVERS,
    MAX_TEXT,
    check_filter_servers,
    check_texts,
)
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody
from tests.namesrv.fixtures import Served, registration, topics


class CheckTests(SynchronousTestCase):
    """Texts that are as long as they may be, and longer ones."""

    def test_texts(self) -> None:
        """Each of them may have so many characters."""
        longest = "x" * MAX_TEXT
        for name in (
            "cluster_name",
            "broker_name",
            "broker_addr",
            "ha_server_addr",
            "zone_name",
        ):
            check_texts(registration("A", "B", **{name: longest}))
            wrong = registration("A", "B", **{name: longest + "x"})
            error = self.assertRaises(Refused, check_texts, wrong)
            self.assertIn("has 256 characters, at most 255 are kept", str(error))
        check_texts(registration("A", "B", ha_server_addr=None, zone_name=None))

    def test_filter_servers(self) -> None:
        """There may be so many, and each is checked."""
        check_filter_servers(["x" * MAX_TEXT] * MAX_FILTER_SERVERS)
        for wrong, why in (
            (["f:1"] * (MAX_FILTER_SERVERS + 1), "17 filter servers, at most 16"),
            (["x" * (MAX_TEXT + 1)], "the address of a filter server has 256"),
        ):
            error = self.assertRaises(Refused, check_filter_servers, wrong)
            self.assertIn(why, str(error))


class RefusalTests(Served):
    """Registrations over the wire."""

    def test_refused(self) -> None:
        """The broker gets a sentence, and nothing of it is kept."""
        body = RegisterBrokerBody(topics("A", "B"), ("f:1",) * 17).encode()
        for wrong in (
            registration(body=body, body_crc32=None),
            registration("A", "B", zone_name="z" * 256),
        ):
            code, remark = self.refused(wrong)
            self.assertEqual(code, 29)
            self.assertIn("the broker is not registered: ", remark)
        self.assertEqual(self.service.table.groups, {})
