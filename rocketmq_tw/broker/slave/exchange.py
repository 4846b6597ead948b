"""
Handles the request with which brokers of one name exchange the master's addresses.

Source: ``AdminBrokerProcessor.exchangeBrokerHaInfo`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.replication import Replication
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.requests.replication import ExchangeHaInfo, HaInfoResponse


class ExchangeProcessor:
    """
    Handles the request.

    :param replication: lets a slave follow its master, before that registers. Its
        tables are copied later: the master takes over the slave's first.
    :param address: ``host:port`` of this broker.
    :param flush_offset: where the log ended when the broker started.
    """

    def __init__(
        self, *, replication: Replication, address: str, flush_offset: int
    ) -> None:
        self._replication = replication
        self._address = address
        self._flush_offset = flush_offset

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(ExchangeHaInfo, self.exchange)

    def exchange(self, request: ExchangeHaInfo, call: Call) -> HaInfoResponse:
        """Return where this master is; or follow the one that a slave is sent."""
        replication = self._replication
        if not replication.is_slave:
            return HaInfoResponse(
                master_ha_address=replication.ha_address,
                master_flush_offset=self._flush_offset,
                master_address=self._address,
            )
        if request.master_ha_address:
            address = request.master_address or replication.master_address
            replication.master_found(address, request.master_ha_address)
        return HaInfoResponse()
