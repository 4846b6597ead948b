"""
The client of an administrator, for scripts::

    async with AdminClient(reactor, "127.0.0.1:9876") as admin:
        lag = await admin.groups.lag("billing")
        print(lag.total, lag.rate)

Methods that wait return Deferreds, results are frozen values
(:mod:`rocketmq_tw.admin.results`). What asks many brokers does not stop at the first
that fails: ``failed`` of the result says which, and why. It belongs to no consumer
group and sends no heartbeats.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.client.identity import make_client_id, make_local_name
from rocketmq_tw.client.name_servers import parse_name_servers
from rocketmq_tw.client.session import ClientSession

if TYPE_CHECKING:
    from rocketmq_tw.admin.brokers import Brokers
    from rocketmq_tw.admin.clients import Clients
    from rocketmq_tw.admin.cluster import Cluster
    from rocketmq_tw.admin.dead_letters import DeadLetters
    from rocketmq_tw.admin.doctor.finding import Finding
    from rocketmq_tw.admin.groups import Groups
    from rocketmq_tw.admin.messages import Messages
    from rocketmq_tw.admin.name_servers import NameServers
    from rocketmq_tw.admin.topics import Topics
    from rocketmq_tw.admin.users import Users
    from rocketmq_tw.auth.credentials import Credentials
    from rocketmq_tw.client.client import Client
    from rocketmq_tw.remoting.pool import Direct
    from rocketmq_tw.tls.settings import Tls
    from rocketmq_tw.wire.command import Sign


class AdminClient:
    """
    Inspects and changes a cluster.

    :param reactor: makes connections, and is the clock.
    :param name_servers: ``host:port;host:port``, or a sequence of addresses.
    :param credentials: the user who signs all requests; None signs nothing.
    :param tls: use TLS with name servers and brokers.
    :param endpoint: the template of endpoint strings, for all servers.
    :param translate: replaces advertised addresses that cannot be reached from here.
    :param timeout: seconds, of each request.
    :param session: the parts of a client that exist already; see :meth:`of`.
    :param direct: the endpoints of servers in this process.
    :ivar calls: sends the requests.
    :raises ValidationError: the name servers are not addresses.
    """

    def __init__(
        self,
        reactor: Any,
        name_servers: str | Iterable[str],
        *,
        credentials: Credentials | None = None,
        tls: Tls | None = None,
        endpoint: str = "tcp:{host}:{port}",
        translate: Callable[[str], str] | None = None,
        timeout: float = 5.0,
        session: ClientSession | None = None,
        direct: Direct | None = None,
    ) -> None:
        self._is_own = session is None
        self._session = session or ClientSession(
            reactor,
            name_servers=parse_name_servers(name_servers),
            client_id=make_client_id(None),
            local_name=make_local_name(None),
            endpoint=endpoint,
            tls=tls,
            sign=_signer(credentials),
            translate=translate,
            direct=direct,
        )
        self.reactor = reactor
        self.calls = Calls(self._session, timeout)

    @classmethod
    def of(cls, client: Client, timeout: float = 5.0) -> Self:
        """
        Return one that uses the connections of a client, which is not stopped with it.
        """
        session = client.session
        names = session.name_servers.addresses
        return cls(session.clock, names, session=session, timeout=timeout)

    # -- life

    @returning_deferred
    async def start(self) -> Self:
        """
        Wait for a name server; without it, the first method waits for one.

        :raises NameServerUnavailable: none has responded.
        """
        try:
            await self.calls.registered()
        except BaseException:
            await self.stop()
            raise
        return self

    @returning_deferred
    async def stop(self) -> None:
        """Close the connections, unless they are those of a client."""
        await self.calls.stop()
        if self._is_own:
            await self._session.stop()

    async def __aenter__(self) -> Self:
        """Wait for a name server."""
        return await self.start()

    async def __aexit__(self, *_exception: object) -> None:
        """Close the connections."""
        await self.stop()

    # -- the nouns, each imported when it is used first

    @property
    def cluster(self) -> Cluster:
        """Name servers and brokers, and how they fare."""
        from rocketmq_tw.admin.cluster import Cluster

        return Cluster(self.calls)

    @property
    def topics(self) -> Topics:
        """Topics: their settings, queues, consumers and producers."""
        from rocketmq_tw.admin.topics import Topics

        return Topics(self.calls)

    @property
    def groups(self) -> Groups:
        """Consumer groups: their settings, members and offsets."""
        from rocketmq_tw.admin.groups import Groups

        return Groups(self.calls)

    @property
    def clients(self) -> Clients:
        """Connected clients, and what consumers say of themselves."""
        from rocketmq_tw.admin.clients import Clients

        return Clients(self.calls)

    @property
    def messages(self) -> Messages:
        """Messages: by id, by key, by time, as they come; sending one."""
        from rocketmq_tw.admin.messages import Messages

        return Messages(self.calls)

    @property
    def dead_letters(self) -> DeadLetters:
        """Messages that a group failed to consume too often."""
        from rocketmq_tw.admin.dead_letters import DeadLetters

        return DeadLetters(self.calls)

    @property
    def brokers(self) -> Brokers:
        """Settings, statistics and replication of brokers."""
        from rocketmq_tw.admin.brokers import Brokers

        return Brokers(self.calls)

    @property
    def name_servers(self) -> NameServers:
        """Settings of name servers, and the keys they keep."""
        from rocketmq_tw.admin.name_servers import NameServers

        return NameServers(self.calls)

    @property
    def users(self) -> Users:
        """Users of ACL 2.0, and what each of them may do."""
        from rocketmq_tw.admin.users import Users

        return Users(self.calls)

    def doctor(
        self,
        *,
        topic: str | None = None,
        group: str | None = None,
        wait: float = 5.0,
    ) -> AsyncIterator[Finding]:
        """
        Find out what is wrong, as an asynchronous iterator; see
        :mod:`rocketmq_tw.admin.doctor`.

        :param topic: also find out why this topic has no route.
        :param group: look at this group only.
        :param wait: seconds between two looks at the lag of groups.
        """
        from rocketmq_tw.admin.doctor.examination import Examination

        asked = Examination(self.calls, topic=topic, group=group, wait=wait)
        return asked.findings()


def _signer(credentials: Credentials | None) -> Sign | None:
    """Return what signs requests; None without credentials."""
    if credentials is None:
        return None
    from rocketmq_tw.auth.signature import signer

    return signer(credentials)
