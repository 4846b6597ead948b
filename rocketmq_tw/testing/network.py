"""
A network in memory: hosts, their listening ports, and the connections between them.

Each host has its own reactor (:class:`~rocketmq_tw.testing.reactor.MemoryReactor`),
with which services are made as with the real one::

    clock = Clock()
    network = MemoryNetwork(clock)
    service = NamesrvService(NamesrvConfig(), network.reactor("10.0.0.1"))
    service.startService()                          # listens on 10.0.0.1:9876
    client = Client(network.reactor("10.0.2.1"), "10.0.0.1:9876")

Only the test makes time pass: connections are made and data arrives when
``clock.advance(0)`` runs due calls.
"""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.internet.task import Clock
from zope.interface import implementer

from rocketmq_tw.testing.link import Link, LinkState
from rocketmq_tw.testing.reactor import MemoryReactor
from rocketmq_tw.testing.threads import ManualThreads
from rocketmq_tw.testing.traffic import Traffic


@implementer(IListeningPort)
class MemoryPort:
    """
    A listening port.

    While it does not read (``stopReading``), new connections wait in a backlog, as in a
    kernel.

    :ivar interface: the requested interface; the port is reached at its host's address
        nevertheless.
    """

    def __init__(
        self,
        network: MemoryNetwork,
        address: str,
        factory: IProtocolFactory,
        interface: str = "",
    ) -> None:
        self.interface = interface
        self._network = network
        self._address = address
        self._factory = factory
        self._reading = True
        self._backlog: list[Link] = []

    def startListening(self) -> None:  # noqa: N802
        """
        Listen on the address.

        :raises CannotListenError: another port listens on it.
        """
        self._network.add_port(self._address, self)
        self._factory.doStart()

    def stopListening(self) -> None:  # noqa: N802
        """Stop listening; connections stay open, except those in the backlog."""
        self._network.remove_port(self._address, self)
        backlog, self._backlog = self._backlog, []
        for link in backlog:
            link.reset()
        self._factory.doStop()

    def stopReading(self) -> None:  # noqa: N802
        """Accept no connections; new ones wait in the backlog."""
        self._reading = False

    def startReading(self) -> None:  # noqa: N802
        """Accept the connections in the backlog, and new ones."""
        self._reading = True
        backlog, self._backlog = self._backlog, []
        for link in backlog:
            self.accept(link)

    def accept(self, link: Link) -> None:
        """Give a connection its protocol, now or when the port reads again."""
        if not self._reading:
            self._backlog.append(link)
            return
        traffic = self._network.traffic_of(link.far.getHost().host)
        if traffic is not None:
            link.far.inspect = traffic.inspector(link.far)
        protocol = self._factory.buildProtocol(link.far.getPeer())
        if protocol is None:
            link.far.abortConnection()
        else:
            link.far.attach(protocol)

    def getHost(self) -> IPv4Address:  # noqa: N802
        """Return the address it listens on."""
        host, _, port = self._address.rpartition(":")
        return IPv4Address("TCP", host, int(port))


class MemoryNetwork:
    """
    Hosts and the links between them.

    :param clock: makes connections and delivers bytes.
    :ivar links: every connection that is open at one end at least, oldest first.
    :ivar attempts: the address of every attempt to connect, in order.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.attempts: list[str] = []
        self._links: list[Link] = []
        self._ports: dict[str, MemoryPort] = {}
        self._refusing: set[str] = set()
        self._cut: set[frozenset[str]] = set()
        self._traffic: dict[str, Traffic] = {}
        self._connections = 0

    def reactor(self, host: str, threads: ManualThreads | None = None) -> MemoryReactor:
        """
        Return a new reactor for a host.

        :param host: an address or a name, which is not resolved.
        :param threads: runs the blocking calls of the host's programs; at once by
            default.
        """
        return MemoryReactor(self, host, threads or ManualThreads(held=False))

    @property
    def links(self) -> list[Link]:
        """Every connection that is open at one end at least, oldest first."""
        self._links = [link for link in self._links if link.is_open]
        return list(self._links)

    @property
    def ports(self) -> dict[str, MemoryPort]:
        """All listening ports, by ``host:port``, oldest first."""
        return dict(self._ports)

    def watch(self, host: str, traffic: Traffic) -> None:
        """Pass the requests to a host through a :class:`Traffic`."""
        self._traffic[host] = traffic

    def traffic_of(self, host: str) -> Traffic | None:
        """Return the Traffic of a host, if there is one."""
        return self._traffic.get(host)

    # -- called by reactors

    def add_port(self, address: str, port: MemoryPort) -> None:
        """
        Add a port that accepts connections to an address.

        :raises CannotListenError: another port listens on it.
        """
        if address in self._ports:
            host, _, number = address.rpartition(":")
            error = OSError(98, "Address already in use")
            raise CannotListenError(host, int(number), error)
        self._ports[address] = port

    def remove_port(self, address: str, port: MemoryPort) -> None:
        """Remove a port."""
        if self._ports.get(address) is port:
            del self._ports[address]

    def is_reachable(self, here: str, there: str) -> bool:
        """Whether packets pass between two hosts."""
        return frozenset((here, there)) not in self._cut

    def connect(self, here: str, address: str) -> Link | None:
        """
        Connect a host to a reachable address.

        :returns: None if no port listens there, or connections are refused.
        """
        port = self._ports.get(address)
        host = address.rpartition(":")[0]
        if port is None or address in self._refusing or host in self._refusing:
            return None
        link = Link(self.clock, f"{here}:{50000 + self._connections}", address)
        self._connections = (self._connections + 1) % 10000
        self._links = [*self.links, link]
        return link

    def accept(self, link: Link, address: str) -> None:
        """Pass the server's end of a new connection to the port at an address."""
        self._ports[address].accept(link)

    # -- faults

    def refuse(self, where: str) -> None:
        """Refuse new connections to a host, or to one ``host:port``."""
        self._refusing.add(where)

    def admit(self, where: str) -> None:
        """Accept new connections again."""
        self._refusing.discard(where)

    def cut(self, one: str, other: str) -> None:
        """Let no packet pass between two hosts; data sent meanwhile waits."""
        self._cut.add(frozenset((one, other)))
        self.set_state(one, other, LinkState.CUT)

    def heal(self, one: str, other: str) -> None:
        """Let packets pass again; data that waited arrives first."""
        self._cut.discard(frozenset((one, other)))
        self.set_state(one, other, LinkState.OPEN)

    def heal_all(self) -> None:
        """End all cuts and refusals."""
        self._refusing.clear()
        for pair in list(self._cut):
            hosts = sorted(pair)
            self.heal(hosts[0], hosts[-1])

    def set_state(self, one: str, other: str, state: LinkState) -> None:
        """Change what happens to data on all existing connections of two hosts."""
        for link in self.links_between(one, other):
            link.set_state(state)

    def links_between(self, one: str, other: str | None = None) -> list[Link]:
        """Return the existing connections of two hosts, or all of one host if None."""
        return [
            link
            for link in self.links
            if one in link.hosts and (other is None or other in link.hosts)
        ]

    def remove_host(self, host: str) -> None:
        """Close the ports of a host and break its connections, as a kernel does."""
        for address in list(self._ports):
            if address.rpartition(":")[0] == host:
                del self._ports[address]
        for link in self.links_between(host):
            link.end_at(host)
