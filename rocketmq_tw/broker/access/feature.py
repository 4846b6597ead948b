"""
Installs the guards of a broker, as its settings ask for.

Without access control nothing is imported for it, and requests of administrators are
accepted only from this machine.
"""

from __future__ import annotations

from twisted.logger import Logger

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.remoting.addresses import is_loopback_endpoint
from rocketmq_tw.remoting.router import Router

_log = Logger()

#: What runtime information shows.
GAUGES = (
    "accessEntries",
    "accessEntriesRefused",
    "accessRefused",
    "accessUsers",
    "accessUsersRefused",
)


def install(broker: Broker, router: Router) -> None:
    """Register the guard; without access control one for administration only."""
    config = broker.config
    # Not Apache RocketMQ's; those of access control replace them.
    for name in GAUGES:
        broker.stats.gauges[name] = int
    if not config.access.is_on:
        if not config.access.remote_administration and not is_loopback_endpoint(
            config.listen
        ):
            from rocketmq_tw.remoting.local_administration import refuse_remote

            refuse_remote(router, "remoteAdministration=true in broker.conf")
        return
    from rocketmq_tw.broker.access.control import install_access_control

    if not config.tls.server.is_on:
        _log.warn(
            "access control is on, but TLS is off: who can read or change what passes"
            " on the network can repeat requests and read messages"
        )
    if not config.access.guards_slaves:
        _log.warn(
            "access control is on, but whoever reaches the port for slaves can copy all"
            " messages: set innerClientAuthenticationCredentials or haAllowedAddresses"
        )
    install_access_control(broker, router)
