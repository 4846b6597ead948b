"""
Faults between the parts of a cluster, caused by a test.

=============  ====================================  ===================================
fault          existing connections                  new connections
=============  ====================================  ===================================
``cut``        bytes wait until ``heal``             time out until ``heal``
``silence``    bytes are lost without notice         work
``reset``      are lost at both ends                 work
``refuse``     work                                  are refused until ``admit``
=============  ====================================  ===================================

The death of a process is a fault of its node: see
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
    """A name server or a broker: something that runs on its own host."""

    @property
    def host(self) -> str:
        """The host's address."""


Part = HasHost | Client | str


class Faults:
    """
    Causes faults of a network.

    A part is a broker, a name server or a client of the cluster, or the address of a
    host.
    """

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network

    def cut(self, one: Part, other: Part) -> None:
        """Let no packet pass between two parts; data sent meanwhile waits."""
        self._network.cut(host_of(one), host_of(other))

    def heal(self, one: Part, other: Part) -> None:
        """Let packets pass again; data that waited arrives."""
        self._network.heal(host_of(one), host_of(other))

    def silence(self, one: Part, other: Part) -> None:
        """
        Make the existing connections of two parts half-open.

        Data written to them is lost, and neither part is notified, as when a firewall
        has forgotten a connection.
        """
        self._network.set_state(host_of(one), host_of(other), LinkState.SILENT)

    def reset(self, one: Part, other: Part) -> None:
        """Break the existing connections of two parts; both may connect again."""
        for link in self._network.links_between(host_of(one), host_of(other)):
            link.reset()

    def refuse(self, part: Part) -> None:
        """Refuse new connections to a part; existing ones stay."""
        self._network.refuse(host_of(part))

    def admit(self, part: Part) -> None:
        """Accept new connections again."""
        self._network.admit(host_of(part))

    def heal_all(self) -> None:
        """End all cuts and refusals; half-open connections stay half-open."""
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
