"""
Where a slave's master is, as the name servers say.

Each response to a registration names the master, or none if the name server does not
know it now. What was said last counts; a name server whose connection is lost says
nothing. The address for copies (``haServerAddr``) stays when no name server knows the
master any more: the master may be restarting, or merely cut off from them.

Source: ``BrokerController.handleRegisterBrokerResult`` of RocketMQ 5, which uses the
first of the responses.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.addresses import split_host_port
from rocketmq_tw.wire.requests.registration import RegisterResponse


class Master:
    """
    The address of a slave's master.

    :param own_address: this broker's; a response that names it is ignored.
    :ivar address: ``host:port`` for requests; empty while it is unknown.
    :ivar ha_address: ``host:port`` that the log is copied from; empty until it is
        known.
    :ivar on_change: called when one of them has changed.
    """

    _log = Logger()

    def __init__(self, own_address: str = "") -> None:
        self._own_address = own_address
        # What each name server with a connection said last, the latest at the end.
        self._said: dict[str, RegisterResponse] = {}
        self.address = ""
        self.ha_address = ""
        self.on_change: list[Callable[[], object]] = []

    def registered(self, name_server: str, response: RegisterResponse | None) -> None:
        """
        Note what a name server has responded to a registration.

        :param response: None if its connection is lost.
        """
        self._said.pop(name_server, None)
        if response is not None:
            self._said[name_server] = response
        if not self._said:
            return  # Nobody says anything: what was known holds.
        for said in reversed(self._said.values()):
            if said.master_addr and self._is_usable(said.master_addr):
                self.set(said.master_addr, said.ha_server_addr or "")
                return
        self.set("", "")

    def set(self, address: str, ha_address: str) -> None:
        """
        Use these addresses.

        :param ha_address: if it is empty, the one that was known stays.
        """
        if not self._is_usable(ha_address):
            ha_address = self.ha_address
        if (address, ha_address) == (self.address, self.ha_address):
            return
        self.address, self.ha_address = address, ha_address
        if address:
            self._log.info(
                "the master is {address}, its log is at {ha_address}",
                address=log_safe(address),
                ha_address=log_safe(ha_address or "an unknown address"),
            )
        else:
            self._log.warn("no name server knows the master of this slave now")
        for callback in list(self.on_change):
            callback()

    def _is_usable(self, address: str) -> bool:
        """Return whether a text is the address of another broker."""
        try:
            split_host_port(address)
        except ValueError:
            return False
        return address != self._own_address
