"""
A cluster for trying it out, on one machine and in one process: two name servers, two
masters, and a slave of each: ``twistd -ny tac/cluster.tac``.

::

    name servers   127.0.0.1:9876      127.0.0.1:9877
    broker-a       10911, its slave at 10921
    broker-b       10931, its slave at 10941

Messages are kept below ``rocketmq-cluster``. A send is acknowledged when master and
slave have the message, and consumers may read from slaves. ``doc/howto/cluster.rst``
says how to run these servers as programs of their own, and what happens when one fails.
"""

import os
from typing import Any

from twisted.application.service import Application, MultiService
from twisted.internet import reactor

from rocketmq_tw.broker.config import BrokerConfig, BrokerRole
from rocketmq_tw.broker.service import BrokerService
from rocketmq_tw.clock import use_monotonic_time
from rocketmq_tw.garbage import keep_collections_short
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.remoting.listener import Program

# Before anything asks the reactor for the time.
use_monotonic_time(reactor)
keep_collections_short(reactor)

HOST = "127.0.0.1"
FOLDER = os.path.abspath("rocketmq-cluster")
NAME_SERVERS = (9876, 9877)
#: The ports of each master and of its slave. The HA port is the next one.
BROKERS = {"broker-a": (10911, 10921), "broker-b": (10931, 10941)}


def name_server(port: int) -> NamesrvService:
    """Make a name server."""
    path = os.path.join(FOLDER, f"namesrv-{port}", "kvConfig.json")
    return NamesrvService(
        NamesrvConfig(listen=f"{HOST}:{port}", kv_config_path=path), reactor
    )


def broker(name: str, port: int, **settings: Any) -> BrokerService:
    """Make a broker."""
    config = BrokerConfig(
        broker_name=name,
        broker_ip1=HOST,
        broker_ip2=HOST,
        listen=f"tcp:{port}:interface={HOST}",
        listen_port=port,
        store_path_root_dir=os.path.join(FOLDER, f"{name}-{port}"),
        slave_read_enable=True,
        **settings,
    )
    return BrokerService(reactor, config, [f"{HOST}:{each}" for each in NAME_SERVERS])


def services() -> list[MultiService]:
    """Make all servers; name servers first, as they start in this order."""
    made: list[MultiService] = [name_server(port) for port in NAME_SERVERS]
    for name, (master, slave) in BROKERS.items():
        role = BrokerRole.SYNC_MASTER
        made.append(broker(name, master, broker_role=role, in_sync_replicas=2))
        made.append(broker(name, slave, broker_role=BrokerRole.SLAVE, broker_id=1))
    return made


application = Application("rocketmq-cluster")
Program(reactor, *services()).setServiceParent(application)
