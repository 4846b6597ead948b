"""The settings of a broker, as a ``broker.conf`` of Apache RocketMQ has them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import settings
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.delay.levels import parse_levels
from rocketmq_tw.store.config import DELAY_LEVELS_MS


class ConfigTests(SynchronousTestCase):
    """Defaults and names."""

    def test_a_common_file(self) -> None:
        """What operators set is understood; what there is no use for is named."""
        config, unknown = settings.apply(
            BrokerConfig,
            {
                "brokerClusterName": "C",
                "brokerName": "broker-a",
                "brokerId": "0",
                "deleteWhen": "04",
                "fileReservedTime": "48",
                "brokerRole": "ASYNC_MASTER",
                "flushDiskType": "ASYNC_FLUSH",
                "brokerIP1": "10.0.0.1",
                "listenPort": "10921",
                "autoCreateTopicEnable": "false",
                "storePathRootDir": "/data",
            },
        )
        self.assertEqual((config.broker_ip1, config.listen_port), ("10.0.0.1", 10921))
        self.assertFalse(config.auto_create_topic_enable)
        self.assertLessEqual(set(unknown), {"deleteWhen", "fileReservedTime"})

    def test_defaults(self) -> None:
        """They are Apache's."""
        config = BrokerConfig()
        self.assertEqual((config.listen_port, config.broker_permission), (10911, 6))
        self.assertEqual(config.default_topic_queue_nums, 8)
        self.assertEqual(config.max_message_size, 4 << 20)
        self.assertEqual(parse_levels(config.message_delay_level), DELAY_LEVELS_MS)

    def test_shown(self) -> None:
        """All of it can be written as text and read back."""
        config = BrokerConfig(broker_name="a", broker_ip1="10.0.0.1")
        again, unknown = settings.apply(BrokerConfig, settings.to_values(config))
        self.assertEqual((again, unknown), (config, []))
