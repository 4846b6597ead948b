"""Tests of :mod:`rocketmq_tw.broker.roles`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig, BrokerRole
from rocketmq_tw.broker.roles import check_roles, idle_of_roles
from rocketmq_tw.settings import BadSetting

SLAVE, SYNC = BrokerRole.SLAVE, BrokerRole.SYNC_MASTER


class RoleTests(SynchronousTestCase):
    """Settings that depend on each other."""

    def refused(self, **more: Any) -> str:
        """Return the sentence with which settings are refused."""
        error = self.assertRaises(BadSetting, check_roles, BrokerConfig(**more))
        return str(error)

    def test_accepted(self) -> None:
        """A lone master, one that waits for slaves, and a slave."""
        check_roles(BrokerConfig())
        check_roles(BrokerConfig(broker_role=SYNC, in_sync_replicas=2))
        check_roles(BrokerConfig(broker_role=SLAVE, broker_id=1))
        address = "10.0.0.1:10912"
        check_roles(
            BrokerConfig(broker_role=SLAVE, broker_id=2, ha_master_address=address)
        )

    def test_ids(self) -> None:
        """A master has id 0, a slave another one."""
        self.assertIn("expected 0, as a master's is", self.refused(broker_id=1))
        self.assertIn("above 0", self.refused(broker_role=SLAVE))

    def test_slave_in_memory(self) -> None:
        """A slave copies files."""
        more = {"broker_role": SLAVE, "broker_id": 1}
        said = self.refused(**more, memory_store_size=1 << 20)
        self.assertIn("SLAVE needs a store on disk", said)

    def test_replicas(self) -> None:
        """Only a master with files waits for slaves."""
        more = {"broker_role": SYNC, "in_sync_replicas": 2}
        said = self.refused(**more, memory_store_size=1 << 20)
        self.assertIn("slaves copy files", said)

    def test_idle(self) -> None:
        """Settings that count only with others are named without them."""
        for role in (BrokerRole.ASYNC_MASTER, SLAVE):
            config = BrokerConfig(in_sync_replicas=2, broker_role=role)
            self.assertEqual(idle_of_roles(config), ["inSyncReplicas"])
        keys = {
            "min_in_sync_replicas": 2,
            "enable_auto_in_sync_replicas": True,
            "lock_in_strict_mode": True,
        }
        acting = {**keys, "enable_slave_acting_master": True}
        names = ["enableAutoInSyncReplicas", "lockInStrictMode", "minInSyncReplicas"]
        self.assertEqual(idle_of_roles(BrokerConfig()), [])
        self.assertEqual(idle_of_roles(BrokerConfig(**keys)), names)
        self.assertEqual(idle_of_roles(BrokerConfig(**acting)), [names[0], names[2]])
        self.assertEqual(idle_of_roles(BrokerConfig(**acting, broker_role=SYNC)), [])

    def test_master_address(self) -> None:
        """It is a slave's, with a port."""
        said = self.refused(ha_master_address="a:1")
        self.assertIn("a master copies nobody", said)
        more = {"broker_role": SLAVE, "broker_id": 1}
        said = self.refused(**more, ha_master_address="nowhere")
        self.assertIn("host:port of the master's haListenPort", said)
