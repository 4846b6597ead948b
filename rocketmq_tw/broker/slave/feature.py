"""Installs what makes a broker a slave; a master gets nothing of it."""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.slave.documents import TableCopies
from rocketmq_tw.broker.slave.read_only import refuse_pulls, refuse_writes
from rocketmq_tw.broker.slave.sync import SlaveSync
from rocketmq_tw.remoting.router import Router


def install(broker: Broker, router: Router) -> SlaveSync | None:
    """Refuse what only a master does, and copy the master's tables."""
    if not broker.config.is_slave:
        return None
    refuse_writes(router, broker.config.broker_ip1)
    tables = broker.tables
    copies = TableCopies(
        topics=tables.topics,
        groups=tables.groups,
        offsets=tables.offsets,
        clock=broker.clock,
    )
    sync = SlaveSync(
        reactor=broker.clock,
        master=broker.master,
        documents=[*copies.all(), *broker.replicated],
    )
    broker.lifecycle.on_start.append(sync.start)
    broker.lifecycle.on_stop.append(sync.stop)
    return sync
