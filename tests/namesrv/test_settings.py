"""Tests of :mod:`rocketmq_tw.namesrv.settings`."""

from __future__ import annotations

from twisted.logger import capturedLogs, formatEvent

from rocketmq_tw.wire.bodies.kvtable import KVTable, decode_properties
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody
from rocketmq_tw.wire.codes import VERSION
from rocketmq_tw.wire.requests.kvconfig import (
    DeleteKVConfig,
    GetKVConfig,
    GetKVList,
    GetNamesrvConfig,
    PutKVConfig,
    UpdateNamesrvConfig,
)
from rocketmq_tw.wire.requests.route import GetRoute

from .fixtures import Served, registration, topics


class SettingsTests(Served):
    """Requests of administrators."""

    def test_keys(self) -> None:
        """Keys are set, read, listed and forgotten."""
        self.ask(PutKVConfig("n", "k", "v"))
        self.assertEqual(self.ask(GetKVConfig("n", "k")).value, "v")
        table = KVTable.decode(self.ask(GetKVList("n")).body).table
        self.assertEqual(table, {"k": "v"})
        self.ask(DeleteKVConfig("n", "k"))
        self.assertEqual(KVTable.decode(self.ask(GetKVList("n")).body).table, {})
        self.assertEqual(
            self.refused(GetKVConfig("n", "k")),
            (22, "No config item, Namespace: n Key: k"),
        )

    def test_unknown_namespace(self) -> None:
        """A namespace that was never used has no list."""
        self.assertEqual(
            self.refused(GetKVList("n")), (22, "No config item, Namespace: n")
        )

    def test_show(self) -> None:
        """All settings can be read, under Apache's names."""
        values = decode_properties(self.ask(GetNamesrvConfig()).body)
        self.assertEqual(values["listenPort"], "9876")
        self.assertEqual(values["orderMessageEnable"], "false")

    def test_shows_gauges(self) -> None:
        """Beside them it is shown how full the tables are, and what was refused."""
        self.ask(PutKVConfig("n", "k", "v"))
        self.config.max_registration_size = 10
        body = RegisterBrokerBody(topics("A", "B")).encode_compressed(VERSION)
        self.refused(registration(body=body, body_crc32=0))
        self.refused(PutKVConfig("n", "k", "v" * 65_537))
        values = decode_properties(self.ask(GetNamesrvConfig()).body)
        shown = {
            "kvConfigSize": "67",
            "kvConfigRefused": "1",
            "registrationsRefused": "1",
            "connections": "1",
            "connectionsRefused": "0",
        }
        self.assertLessEqual(shown.items(), values.items())

    def test_update(self) -> None:
        """Harmless settings can be changed; that is logged with who did it."""
        with capturedLogs() as events:
            self.ask(UpdateNamesrvConfig(body=b"orderMessageEnable=true\n"))
        self.assertTrue(self.config.order_message_enable)
        [line] = [formatEvent(event) for event in events if "client" in event]
        self.assertIn("settings changed by 10.0.2.1:", line)
        self.assertIn("orderMessageEnable", line)

    def test_update_forbidden(self) -> None:
        """Paths cannot be changed remotely."""
        for key in (b"kvConfigPath", b"rocketmqHome", b"configBlackList"):
            asked = UpdateNamesrvConfig(body=key + b"=/etc/passwd")
            code, remark = self.refused(asked)
            self.assertEqual(
                (code, remark), (16, "Can not update config in black list.")
            )

    def test_update_nothing_by_halves(self) -> None:
        """Unknown keys and bad values are refused, and nothing is changed then."""
        for other in (
            b"listenPort=1",
            b"foo=1",
            b"waitSecondsForService=soon",
            b"waitSecondsForService=3601",
        ):
            body = b"orderMessageEnable=true\n" + other
            code, remark = self.refused(UpdateNamesrvConfig(body=body))
            self.assertEqual(code, 1)
            self.assertIn(other.partition(b"=")[0].decode(), remark)
        self.assertFalse(self.config.order_message_enable)

    def test_update_empty(self) -> None:
        """An empty request is refused."""
        code, remark = self.refused(UpdateNamesrvConfig())
        self.assertEqual(code, 1)
        self.assertIn("nothing cannot be changed while running; these can: ", remark)

    def test_update_changes_routes(self) -> None:
        """Routes that were sent before the change are made again."""
        self.register("A", "B")
        self.ask(PutKVConfig("ORDER_TOPIC_CONFIG", "A", "broker-a:4"))
        self.assertNotIn(b"orderTopicConf", self.ask(GetRoute("A")).body)
        self.ask(UpdateNamesrvConfig(body=b"orderMessageEnable=true\n"))
        self.assertIn(b"orderTopicConf", self.ask(GetRoute("A")).body)
