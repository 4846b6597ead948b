"""
Checks the store and the ports before a broker's program becomes a daemon.

Nothing is changed and nothing stays open. See :mod:`rocketmq_tw.remoting.preflight`.
"""

from __future__ import annotations

import os

from rocketmq_tw.broker.config import FAST_PORT_GAP, BrokerConfig, BrokerRole
from rocketmq_tw.broker.replication import ha_endpoint, ha_port_of
from rocketmq_tw.remoting.addresses import EndpointString
from rocketmq_tw.remoting.preflight import check_port
from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.files.lock import StoreLock


def check_broker(config: BrokerConfig, in_chroot: bool = False) -> None:
    """
    Check that a broker could start now.

    :param in_chroot: skip the paths, which will have another meaning.
    :raises RocketMQError: the reason why it could not.
    """
    if not config.memory_store_size and not in_chroot:
        _check_folder(config.store_path_root_dir)
        _check_lock(os.path.join(config.store_path_root_dir, "lock"))
    endpoint = config.listen or f"tcp:{config.listen_port}"
    check_port(endpoint)
    if config.listen_port > FAST_PORT_GAP:
        parts = EndpointString.parse(endpoint)
        check_port(str(parts.on_port(config.listen_port - FAST_PORT_GAP)))
    if config.broker_role is not BrokerRole.SLAVE and not config.memory_store_size:
        check_port(ha_endpoint(config, ha_port_of(config, config.listen_port)))


def _check_folder(root: str) -> None:
    """Check that the store's folder can be used or created."""
    path = root
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    if not os.path.isdir(path):
        raise StoreUnreadable(path, "it is not a folder")
    needed = os.R_OK | os.W_OK | os.X_OK if path == root else os.W_OK | os.X_OK
    if not os.access(path, needed):
        raise StoreUnreadable(path, "this user may not read and write there")


def _check_lock(path: str) -> None:
    """Check that no other broker has the store open."""
    if os.path.exists(path):
        lock = StoreLock(path)
        lock.acquire()
        lock.release()
