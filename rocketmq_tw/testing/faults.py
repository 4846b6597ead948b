"""
What may go wrong between the parts of a cluster, at a test's command.

=============  ====================================  ===================================
fault          connections there are                 new connections
=============  ====================================  ===================================
``cut``        bytes wait until ``heal``             time out until ``heal``
``silence``    bytes are lost, nobody notices        work
``reset``      are lost at both ends                 work
``refuse``     work                                  are refused until ``admit``
=============  ====================================  ===================================

A process that dies is a fault of its node: see
:meth:`rocketmq_tw.testing.nodes.Node.kill`; so is a disk that stalls or fails:
:attr:`rocketmq_tw.testing.nodes.Node.threads`.
"""

from __future__ import annotations

from typing import Protocol

from rocketmq_tw.client.client import Client
from rocketmq_tw.testing.link import LinkState
from rocketmq_tw.testing.network import MemoryNetwork
from rocketmq_tw.testing.reactor import MemoryReactor


class HasHost(Protocol):
    """A name server, a broker: whatever runs on a host of its own."""

    @property
    def host(self) -> str:
        """The host's address."""


Part = HasHost | Client | str


class Faults:
    """
    Faults of a network.

    Parts are named by what the cluster made (a broker, a name server, a client) or by
    the address of their host.
    """

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network

    def cut(self, one: Part, other: Part) -> None:
        """Let no packet pass between two parts; what is sent meanwhile waits."""
        self._network.cut(host_of(one), host_of(other))

    def heal(self, one: Part, other: Part) -> None:
        """Let packets pass again; those that waited arrive."""
        self._network.heal(host_of(one), host_of(other))

    def silence(self, one: Part, other: Part) -> None:
        """
        Make the present connections of two parts half-open.

        Whatever is written to them is lost, and neither part learns of it: as when a
        firewall has forgotten a connection.
        """
        self._network.set_state(host_of(one), host_of(other), LinkState.SILENT)

    def reset(self, one: Part, other: Part) -> None:
        """Break the present connections of two parts; both may connect again."""
        for link in self._network.links_between(host_of(one), host_of(other)):
            link.reset()

    def refuse(self, part: Part) -> None:
        """Refuse new connections to a part; those there are stay."""
        self._network.refuse(host_of(part))

    def admit(self, part: Part) -> None:
        """End :meth:`refuse`."""
        self._network.admit(host_of(part))

    def heal_all(self) -> None:
        """End all cuts and refusals; half-open connections stay what they are."""
        self._network.heal_all()


def host_of(part: Part) -> str:
    """Return the address of a part's host."""
    if isinstance(part, str):
        return part
    if isinstance(part, Client):
        reactor = part.session.clock
        assert isinstance(reactor, MemoryReactor), "the client is not in the cluster"
        return reactor.host
    return part.host
