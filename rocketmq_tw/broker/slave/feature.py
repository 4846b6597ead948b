"""
Installs what makes a broker a slave, and what brokers of one name do for one another.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.other_brokers import outgoing_of
from rocketmq_tw.broker.registration import broker_identity
from rocketmq_tw.broker.replication import Replication
from rocketmq_tw.broker.slave.acting import ActingSlave
from rocketmq_tw.broker.slave.documents import TableCopies
from rocketmq_tw.broker.slave.exchange import ExchangeProcessor
from rocketmq_tw.broker.slave.master import Master
from rocketmq_tw.broker.slave.pre_online import PreOnline
from rocketmq_tw.broker.slave.read_only import refuse_pulls, refuse_writes
from rocketmq_tw.broker.slave.replicated import Replicated
from rocketmq_tw.broker.slave.sync import SlaveSync
from rocketmq_tw.remoting.router import Router


def install(broker: Broker, router: Router) -> SlaveSync | None:
    """
    Let a slave copy its master, and refuse what only a master does.

    With ``enableSlaveActingMaster`` it acts for a master that is gone, and a broker
    meets the others of its name before it registers.

    :returns: what copies the tables; None for a master.
    """
    config, replication = broker.config, broker.replication
    ExchangeProcessor(
        replication=replication,
        address=broker.address,
        flush_offset=broker.store.commit_log_max,
    ).routes(router)
    tables = broker.tables
    copies = TableCopies(
        topics=tables.topics,
        groups=tables.groups,
        offsets=tables.offsets,
        clock=broker.clock,
    )
    documents = [*copies.all(), *broker.replicated]
    if config.enable_slave_acting_master:
        _look_for_others(broker)
        _prepare_before_registering(broker, documents)
    if not config.is_slave:
        return None
    refuse_writes(router, config.broker_ip1)
    if not config.slave_read_enable:
        refuse_pulls(router)
    master = broker.master
    master.on_change.append(lambda: _follow(replication, master))
    if config.enable_slave_acting_master:
        _act(broker, router)
    sync = SlaveSync(
        reactor=broker.clock,
        master=master,
        documents=documents,
        outgoing=outgoing_of(config),
    )
    broker.lifecycle.on_start.append(sync.start)
    broker.lifecycle.on_stop.append(sync.stop)
    return sync


def _follow(replication: Replication, master: Master) -> None:
    """
    Copy the log of a master that is known.

    One that name servers do not know may be there all the same.
    """
    if master.address:
        replication.master_found(master.address, master.ha_address)


def _look_for_others(broker: Broker) -> None:
    """Look which brokers of this name there are."""
    group, replication = broker.member_group, broker.replication
    group.on_found.append(lambda _: replication.members_found(len(group.addresses)))
    broker.lifecycle.on_start.append(group.start)
    broker.lifecycle.on_stop.append(group.stop)


def _act(broker: Broker, router: Router) -> None:
    """Let a slave act for a master that is gone."""
    config, lifecycle = broker.config, broker.lifecycle
    acting = ActingSlave(
        reactor=broker.clock,
        broker_name=config.broker_name,
        broker_id=config.broker_id,
        master=broker.master,
        replication=broker.replication,
        on_acting=broker.on_acting,
        outgoing=outgoing_of(config),
    )
    acting.routes(router)
    broker.stats.gauges["actsForMaster"] = lambda: int(acting.is_acting)
    broker.member_group.on_found.append(acting.found)
    lifecycle.on_stop.append(acting.stop)


def _prepare_before_registering(broker: Broker, documents: list[Replicated]) -> None:
    """Let a broker that is not to be alone meet the others before it registers."""
    config, lifecycle = broker.config, broker.lifecycle
    if config.total_replicas < 2 or config.skip_pre_online:
        return
    pre_online = PreOnline(
        reactor=broker.clock,
        identity=broker_identity(config, broker.address, broker.replication.ha_address),
        name_servers=broker.name_servers,
        master=broker.master,
        documents=documents,
        status=broker.replication.status,
        outgoing=outgoing_of(config),
    )
    lifecycle.on_online.insert(0, pre_online.run)
    lifecycle.on_drain.append(pre_online.stop)
