"""
A network in memory: hosts, who listens there, and the connections between them.

Each host has a reactor of its own (:class:`~rocketmq_tw.testing.reactor.MemoryReactor`)
with which services are made as with the real one::

    clock = Clock()
    network = MemoryNetwork(clock)
    service = NamesrvService(NamesrvConfig(), network.reactor("10.0.0.1"))
    service.startService()                          # listens on 10.0.0.1:9876
    client = Client(network.reactor("10.0.2.1"), "10.0.0.1:9876")

Nothing takes time but what a test lets take time: connections are made, and bytes
arrive, when ``clock.advance(0)`` runs what is due.
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

    Who connects while it does not read (``stopReading``) is connected, as in the
    backlog of a kernel, and accepted once it reads.

    :ivar interface: what was asked for; it is reached at its host's address all the
        same.
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
        Take the address.

        :raises CannotListenError: another port has it.
        """
        self._network.add_port(self._address, self)
        self._factory.doStart()

    def stopListening(self) -> None:  # noqa: N802
        """Give the address up; connections stay, except those in the backlog."""
        self._network.remove_port(self._address, self)
        backlog, self._backlog = self._backlog, []
        for link in backlog:
            link.reset()
        self._factory.doStop()

    def stopReading(self) -> None:  # noqa: N802
        """Accept nobody; who connects waits."""
        self._reading = False

    def startReading(self) -> None:  # noqa: N802
        """Accept who waits, and who comes."""
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
        """Return where it listens."""
        host, _, port = self._address.rpartition(":")
        return IPv4Address("TCP", host, int(port))


class MemoryNetwork:
    """
    Hosts and the links between them.

    :param clock: makes connections and delivers bytes.
    :ivar links: every connection that one of its ends believes in, oldest first.
    :ivar attempts: every address that was connected to, in order.
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
        Make the reactor of a host.

        :param host: an address or a name; nothing is looked up.
        :param threads: runs what the host's programs hand to threads; at once by
            default.
        """
        return MemoryReactor(self, host, threads or ManualThreads(held=False))

    @property
    def links(self) -> list[Link]:
        """Every connection that one of its ends believes in, oldest first."""
        self._links = [link for link in self._links if link.is_open]
        return list(self._links)

    @property
    def ports(self) -> dict[str, MemoryPort]:
        """Everything that listens, by ``host:port``, oldest first."""
        return dict(self._ports)

    def watch(self, host: str, traffic: Traffic) -> None:
        """Let the requests that reach a host pass through a :class:`Traffic`."""
        self._traffic[host] = traffic

    def traffic_of(self, host: str) -> Traffic | None:
        """Return what watches a host."""
        return self._traffic.get(host)

    # -- what reactors ask

    def add_port(self, address: str, port: MemoryPort) -> None:
        """
        Let a port accept what connects to an address.

        :raises CannotListenError: another one does.
        """
        if address in self._ports:
            host, _, number = address.rpartition(":")
            error = OSError(98, "Address already in use")
            raise CannotListenError(host, int(number), error)
        self._ports[address] = port

    def remove_port(self, address: str, port: MemoryPort) -> None:
        """Forget a port."""
        if self._ports.get(address) is port:
            del self._ports[address]

    def is_reachable(self, here: str, there: str) -> bool:
        """Whether packets pass between two hosts."""
        return frozenset((here, there)) not in self._cut

    def connect(self, here: str, address: str) -> Link | None:
        """
        Connect a host to an address that it can reach.

        :returns: None if nobody listens there, or connections are refused.
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
        """Let the port at an address have the server's end of a new connection."""
        self._ports[address].accept(link)

    # -- faults

    def refuse(self, where: str) -> None:
        """Refuse new connections to a host, or to one ``host:port`` of it."""
        self._refusing.add(where)

    def admit(self, where: str) -> None:
        """End :meth:`refuse`."""
        self._refusing.discard(where)

    def cut(self, one: str, other: str) -> None:
        """Let no packet pass between two hosts; what is sent meanwhile waits."""
        self._cut.add(frozenset((one, other)))
        self.set_state(one, other, LinkState.CUT)

    def heal(self, one: str, other: str) -> None:
        """Let packets pass again, those that waited first."""
        self._cut.discard(frozenset((one, other)))
        self.set_state(one, other, LinkState.OPEN)

    def heal_all(self) -> None:
        """End all cuts and refusals."""
        self._refusing.clear()
        for pair in list(self._cut):
            hosts = sorted(pair)
            self.heal(hosts[0], hosts[-1])

    def set_state(self, one: str, other: str, state: LinkState) -> None:
        """Change what becomes of bytes on all present connections of two hosts."""
        for link in self.links_between(one, other):
            link.set_state(state)

    def links_between(self, one: str, other: str | None = None) -> list[Link]:
        """List the present connections of two hosts; of one with all if None."""
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
