"""The client of an administrator, with coroutines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from twisted.internet.defer import Deferred

from rocketmq_tw.admin.client import AdminClient as TwistedAdminClient
from rocketmq_tw.admin.tail import Tail as TwistedTail
from rocketmq_tw.aio.client import Client
from rocketmq_tw.aio.futures import result_of
from rocketmq_tw.client.errors import NotRunning

if TYPE_CHECKING:
    from rocketmq_tw.admin.brokers import Brokers
    from rocketmq_tw.admin.clients import Clients
    from rocketmq_tw.admin.cluster import Cluster
    from rocketmq_tw.admin.dead_letters import DeadLetters
    from rocketmq_tw.admin.doctor.finding import Finding
    from rocketmq_tw.admin.groups import Groups
    from rocketmq_tw.admin.messages import Messages
    from rocketmq_tw.admin.name_servers import NameServers
    from rocketmq_tw.admin.results.messages import FoundMessage
    from rocketmq_tw.admin.topics import Topics
    from rocketmq_tw.admin.users import Users

T = TypeVar("T")


class AdminClient:
    """
    Inspects and changes a cluster; what is a Deferred in
    :class:`rocketmq_tw.admin.AdminClient` is a coroutine here.

    ::

        async with AdminClient("127.0.0.1:9876") as admin:
            print(await admin.groups.lag("billing"))

    A type checker sees what is awaited. It accepts a method of a noun wherever anything
    awaitable is accepted: by ``asyncio.gather``, ``wait_for`` and ``ensure_future``,
    but not by ``create_task``.

    :param timeout: seconds, of each request.
    :param options: see :class:`rocketmq_tw.aio.Client`.
    """

    def __init__(
        self, name_servers: str | Iterable[str], *, timeout: float = 5.0, **options: Any
    ) -> None:
        self._client = Client(name_servers, **options)
        self._is_own = True
        self._timeout = timeout
        self._admin: TwistedAdminClient | None = None

    @classmethod
    def of(cls, client: Client, timeout: float = 5.0) -> Self:
        """Return one that uses a client, which is not stopped with it."""
        admin = cls.__new__(cls)
        admin._client = client
        admin._is_own = False
        admin._timeout = timeout
        admin._admin = None
        return admin

    async def start(self) -> Self:
        """
        Start, and wait for a name server.

        :raises NameServerUnavailable: none has responded.
        """
        if self._is_own:
            await self._client.start()
        self._admin = TwistedAdminClient.of(self._client._running(), self._timeout)
        return self

    async def stop(self) -> None:
        """Close the connections, unless they are those of a client."""
        admin, self._admin = self._admin, None
        if admin is not None:
            await result_of(admin.stop())
        if self._is_own:
            await self._client.stop(0)

    async def __aenter__(self) -> Self:
        """Start, and wait for a name server."""
        return await self.start()

    async def __aexit__(self, *_exception: object) -> None:
        """Close the connections."""
        await self.stop()

    # -- the nouns; a type checker sees what is awaited

    @property
    def cluster(self) -> Cluster:
        """See :class:`rocketmq_tw.admin.cluster.Cluster`."""
        return cast("Cluster", _Noun(self._running().cluster))

    @property
    def topics(self) -> Topics:
        """See :class:`rocketmq_tw.admin.topics.Topics`."""
        return cast("Topics", _Noun(self._running().topics))

    @property
    def groups(self) -> Groups:
        """See :class:`rocketmq_tw.admin.groups.Groups`."""
        return cast("Groups", _Noun(self._running().groups))

    @property
    def clients(self) -> Clients:
        """See :class:`rocketmq_tw.admin.clients.Clients`."""
        return cast("Clients", _Noun(self._running().clients))

    @property
    def messages(self) -> Messages:
        """See :class:`rocketmq_tw.admin.messages.Messages`."""
        return cast("Messages", _Noun(self._running().messages))

    @property
    def dead_letters(self) -> DeadLetters:
        """See :class:`rocketmq_tw.admin.dead_letters.DeadLetters`."""
        return cast("DeadLetters", _Noun(self._running().dead_letters))

    @property
    def brokers(self) -> Brokers:
        """See :class:`rocketmq_tw.admin.brokers.Brokers`."""
        return cast("Brokers", _Noun(self._running().brokers))

    @property
    def name_servers(self) -> NameServers:
        """See :class:`rocketmq_tw.admin.name_servers.NameServers`."""
        return cast("NameServers", _Noun(self._running().name_servers))

    @property
    def users(self) -> Users:
        """See :class:`rocketmq_tw.admin.users.Users`."""
        return cast("Users", _Noun(self._running().users))

    def doctor(
        self, *, topic: str | None = None, group: str | None = None, wait: float = 5.0
    ) -> AsyncIterator[Finding]:
        """Find out what is wrong; see :meth:`rocketmq_tw.admin.AdminClient.doctor`."""
        return _iterate(self._running().doctor(topic=topic, group=group, wait=wait))

    def _running(self) -> TwistedAdminClient:
        """Return the client; raise NotRunning if it is not started, or stopped."""
        if self._admin is None:
            raise NotRunning("the client is not running: use async with")
        return self._admin


class _Noun:
    """Lets the methods of a noun return what asyncio can await."""

    def __init__(self, noun: object) -> None:
        self._noun = noun

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._noun, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            returned = method(*args, **kwargs)
            if isinstance(returned, TwistedTail):
                return Tail(returned)
            if isinstance(returned, Deferred):
                return result_of(returned)
            return result_of(Deferred.fromCoroutine(returned))

        return call


class Tail:
    """
    The messages of a topic as they come; see
    :meth:`rocketmq_tw.admin.messages.Messages.tail`.
    """

    def __init__(self, tail: TwistedTail) -> None:
        self._tail = tail

    @property
    def failing(self) -> dict[str, str]:
        """The queues that cannot be read now, and why."""
        return self._tail.failing

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FoundMessage:
        """Return the next message."""
        has_next, message = await result_of(_step(self._tail))
        if not has_next:
            raise StopAsyncIteration
        assert message is not None
        return message

    async def start(self) -> None:
        """Begin at the present ends of the queues."""
        await result_of(Deferred.fromCoroutine(self._tail.start()))

    async def aclose(self) -> None:
        """Cancel the pulls; iterating ends."""
        await result_of(Deferred.fromCoroutine(self._tail.aclose()))

    async def __aenter__(self) -> Self:
        """Begin at the present ends of the queues."""
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Cancel the pulls."""
        await self.aclose()


async def _iterate(iterator: AsyncIterator[T]) -> AsyncIterator[T]:
    """Iterate over what awaits Deferreds."""
    while True:
        has_next, value = await result_of(_step(iterator))
        if not has_next:
            return
        assert value is not None
        yield value


def _step(iterator: AsyncIterator[T]) -> Deferred[tuple[bool, T | None]]:
    """Return whether there is a next value, and that value."""

    async def step() -> tuple[bool, T | None]:
        try:
            return True, await anext(iterator)
        except StopAsyncIteration:
            return False, None

    return Deferred.fromCoroutine(step())
