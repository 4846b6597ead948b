"""Settings of Apache RocketMQ that a broker does not act on."""

from __future__ import annotations

import ast
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import rocketmq_tw
from rocketmq_tw import settings
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.unsupported import UNSUPPORTED
from rocketmq_tw.namesrv.config import NamesrvConfig

_ROOT = Path(rocketmq_tw.__file__).parent


def idle(text: str) -> list[str]:
    """Give the settings of a file that have no effect."""
    values = dict(line.split("=", 1) for line in text.split())
    return settings.apply(BrokerConfig, values, UNSUPPORTED)[1]


class UnsupportedTests(SynchronousTestCase):
    """Some are refused, some are named, and some ask for nothing."""

    def test_refused(self) -> None:
        """Where somebody relies on it, with the reason."""
        for text, said in (
            ("enableControllerMode=true", "there are no controllers yet"),
            ("enableDLegerCommitLog=TRUE", "there is no DLedger"),
            ("storeType=defaultRocksDB", "expected default"),
            ("configManagerVersion=v2", "expected v1"),
            ("enableConsumeQueueExt=true", "expected false"),
            ("enableLmq=true", "there are no light queues"),
            ("enableMultiDispatch=true", "there are no light queues"),
            ("readOnlyCommitLogStorePaths=/a", "expected nothing"),
            ("timerRocksDBEnable=true", "timed messages wait in a wheel"),
            ("timerWheelSnapshotFlush=true", "the timer's wheel is mapped"),
            ("timerStopDequeue=true", "timed messages are always delivered"),
        ):
            error = self.assertRaises(settings.BadSetting, idle, text)
            self.assertIn(said, str(error))

    def test_without_effect(self) -> None:
        """The others are named, known or not."""
        text = (
            "enableCalcFilterBitMap=true warmMapedFileEnable=true zzz=1 listenPort=1"
            " transientStorePoolEnable=true channelExpiredTimeout=1000 nosuch=false"
            " allAckInSyncStateSet=true"
        )
        expected = [
            "allAckInSyncStateSet",
            *("channelExpiredTimeout", "enableCalcFilterBitMap", "nosuch"),
            *("transientStorePoolEnable", "warmMapedFileEnable", "zzz"),
        ]
        self.assertEqual(idle(text), expected)

    def test_switched_off(self) -> None:
        """The same settings, with the values they have here, are not worth a word."""
        text = (
            "brokerId=0 enableControllerMode=false storeType=default"
            " brokerRole=ASYNC_MASTER minInSyncReplicas=1"
            " channelExpiredTimeout=120000"
            " timerWheelEnable=true configManagerVersion=v1 slaveReadEnable=false"
        )
        self.assertEqual(idle(text), [])


class DeclaredTests(SynchronousTestCase):
    """What is declared as a setting has an effect."""

    def test_used(self) -> None:
        """Every field of a configuration is read somewhere."""
        # There is one role; and a path that only Apache's name server writes to.
        without_effect = {"broker_role", "config_store_path"}
        used = set()
        for path in _ROOT.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute):
                    used.add(node.attr)
        for kind in (BrokerConfig, NamesrvConfig):
            unread = set(kind.__struct_fields__) - used - without_effect
            self.assertEqual(unread, set())
