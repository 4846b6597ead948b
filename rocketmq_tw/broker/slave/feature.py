"""Installs what makes a broker a slave; a master gets nothing of it."""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.replication import Replication
from rocketmq_tw.broker.slave.documents import TableCopies
from rocketmq_tw.broker.slave.master import Master
from rocketmq_tw.broker.slave.read_only import refuse_pulls, refuse_writes
from rocketmq_tw.broker.slave.sync import SlaveSync
from rocketmq_tw.remoting.router import Router


def install(broker: Broker, router: Router) -> SlaveSync | None:
    """Refuse what only a master does, and copy the master's log and tables."""
    config, tables, master = broker.config, broker.tables, broker.master
    if not config.is_slave:
        return None
    refuse_writes(router, config.broker_ip1)
    if not config.slave_read_enable:
        refuse_pulls(router)
    copies = TableCopies(
        topics=tables.topics,
        groups=tables.groups,
        offsets=tables.offsets,
        clock=broker.clock,
    )
    sync = SlaveSync(
        reactor=broker.clock,
        master=master,
        documents=[*copies.all(), *broker.replicated],
    )
    master.on_change.append(lambda: _follow(broker.replication, master))
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
