"""Tables and lists of topics, groups and brokers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.bodies.cluster import BrokerMemberGroup, ClusterInfo
from rocketmq_tw.wire.bodies.groups import GroupList, SubscriptionGroupTable
from rocketmq_tw.wire.bodies.topics import (
    TopicConfigAndMappingTable,
    TopicConfigTable,
    TopicList,
)
from rocketmq_tw.wire.errors import BadField


class TopicTests(SynchronousTestCase):
    """Topics."""

    def test_table_of_4_9(self) -> None:
        """A table without mappings is read where mappings may come."""
        text = b'{"topicConfigTable":{"T":{"topicName":"T","readQueueNums":"4"}}}'
        table = TopicConfigAndMappingTable.decode(text)
        self.assertEqual(table.topic_config_table["T"].read_queue_nums, 4)
        self.assertEqual(table.topic_queue_mapping_info_map, {})

    def test_a_topic_needs_a_name(self) -> None:
        """A topic without a name is refused."""
        text = b'{"topicConfigTable":{"T":{"readQueueNums":4}}}'
        self.assertRaises(BadField, TopicConfigTable.decode, text)

    def test_list(self) -> None:
        """Null is the empty list."""
        self.assertEqual(TopicList.decode(b'{"topicList":null}'), TopicList())


class GroupTests(SynchronousTestCase):
    """Consumer groups."""

    def test_malformed_boolean(self) -> None:
        """A boolean that is none is false; the other settings of its group stay."""
        text = (
            b'{"subscriptionGroupTable":{"G":{"groupName":"G","consumeEnable":"maybe",'
            b'"consumeBroadcastEnable":"true","retryMaxTimes":"3"}}}'
        )
        group = SubscriptionGroupTable.decode(text).subscription_group_table["G"]
        self.assertFalse(group.consume_enable)
        self.assertTrue(group.consume_broadcast_enable)
        self.assertEqual(group.retry_max_times, 3)

    def test_list(self) -> None:
        """Null is the empty list."""
        self.assertEqual(GroupList.decode(b'{"groupList":null}'), GroupList())


class ClusterTests(SynchronousTestCase):
    """Brokers by name."""

    def test_ids_are_numbers(self) -> None:
        """Broker ids are keys, bare or quoted."""
        for text in (
            b'{"cluster":"C","brokerName":"b","brokerAddrs":{0:"1:1"}}',
            b'{"cluster":"C","brokerName":"b","brokerAddrs":{"0":"1:1"}}',
        ):
            self.assertEqual(BrokerMemberGroup.decode(text).broker_addrs, {0: "1:1"})

    def test_names(self) -> None:
        """The names of a cluster's brokers are a set."""
        info = ClusterInfo.decode(b'{"clusterAddrTable":{"C":["b","a","b"]}}')
        self.assertEqual(info.cluster_addr_table, {"C": frozenset({"a", "b"})})
