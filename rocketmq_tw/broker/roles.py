"""
Checks the settings of a master and of a slave, which depend on each other.

Source: ``BrokerStartup`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.config import BrokerConfig, BrokerRole
from rocketmq_tw.remoting.addresses import split_host_port
from rocketmq_tw.settings import BadSetting


def check_roles(config: BrokerConfig) -> None:
    """
    Check that the settings of replication agree.

    :raises BadSetting: two of them contradict each other, or ``haMasterAddress`` is not
        ``host:port``.
    """
    if config.broker_role is BrokerRole.SLAVE:
        _check_slave(config)
        return
    if config.broker_id:
        expected = "0, as a master's is; a slave also needs brokerRole=SLAVE"
        raise BadSetting("brokerId", str(config.broker_id), expected)
    if config.ha_master_address:
        expected = "nothing without brokerRole=SLAVE: a master copies nobody"
        raise BadSetting("haMasterAddress", config.ha_master_address, expected)
    if config.in_sync_replicas > 1 and config.memory_store_size:
        expected = "1 in memory: slaves copy files"
        raise BadSetting("inSyncReplicas", str(config.in_sync_replicas), expected)


def idle_of_roles(config: BrokerConfig) -> list[str]:
    """
    Return the keys of settings that ask for something, but have no effect with others.

    Apache RocketMQ ignores them, too.
    """
    acting = config.enable_slave_acting_master
    is_sync = config.broker_role is BrokerRole.SYNC_MASTER
    waits = is_sync and acting
    idle = []
    if config.in_sync_replicas > 1 and not is_sync:
        idle.append("inSyncReplicas")
    if config.enable_auto_in_sync_replicas and not waits:
        idle.append("enableAutoInSyncReplicas")
    if config.lock_in_strict_mode and not acting:
        idle.append("lockInStrictMode")
    if config.min_in_sync_replicas > 1:
        if not waits or not config.enable_auto_in_sync_replicas:
            idle.append("minInSyncReplicas")
    return idle


def _check_slave(config: BrokerConfig) -> None:
    if not config.broker_id:
        expected = "a number above 0 with brokerRole=SLAVE; its master has 0"
        raise BadSetting("brokerId", "0", expected)
    if config.memory_store_size:
        expected = "a master without files to copy; SLAVE needs a store on disk"
        raise BadSetting("brokerRole", "SLAVE", expected)
    if config.ha_master_address:
        try:
            split_host_port(config.ha_master_address)
        except ValueError as error:
            expected = f"host:port of the master's haListenPort: {error}"
            raise BadSetting(
                "haMasterAddress", config.ha_master_address, expected
            ) from None
