"""
The requests of an administrator: to one server, or to many at once.

Many are asked in parallel, but not all of a large cluster at the same moment, and one
that fails does not stop the others: it is reported beside their responses.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import msgspec
from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from rocketmq_tw.admin.errors import (
    AdminError,
    NotFound,
    NothingResponded,
    NotTaken,
    RefusedByAll,
)
from rocketmq_tw.admin.results.cluster import BrokerAddress
from rocketmq_tw.admin.texts import sentence
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.route import MASTER_ID, TopicRoute
from rocketmq_tw.remoting.errors import BrokerError, RequestTimeout
from rocketmq_tw.remoting.pacing import Pacer, Steps
from rocketmq_tw.wire.bodies.cluster import ClusterInfo
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.route import GetClusterInfo

if TYPE_CHECKING:
    from rocketmq_tw.client.producer.producer import Producer
    from rocketmq_tw.client.session import ClientSession

A = TypeVar("A", bound=Response)
T = TypeVar("T")

#: The producer group under which messages are sent.
SENDER_GROUP = "ADMIN_TOOLS"
#: Why nothing is changed at a broker.
NO_MASTER = "it has no master now"
#: How many servers are asked at the same time.
PARALLEL = 16


class Outcomes(msgspec.Struct, Generic[T], frozen=True):
    """
    What many servers responded.

    :ivar ok: their results, by name or address.
    :ivar errors: the errors of the others.
    """

    ok: dict[str, T]
    errors: dict[str, Exception]

    @property
    def failed(self) -> dict[str, str]:
        """The errors as sentences."""
        return {who: sentence(error) for who, error in self.errors.items()}

    def without(self, *codes: int) -> Outcomes[T]:
        """Return them without the errors that say that something does not exist."""
        others = {
            who: error
            for who, error in self.errors.items()
            if not (isinstance(error, BrokerError) and error.code in codes)
        }
        return Outcomes(self.ok, others)

    def need_one(self, what: str) -> None:
        """
        Check that somebody has responded.

        :param what: what was not possible, for the error.
        :raises RefusedByAll: all refused.
        :raises NothingResponded: there was no response at all.
        """
        if self.ok:
            return
        errors = self.errors.values()
        refusals = BrokerError | NotTaken | NotFound
        if errors and all(isinstance(error, refusals) for error in errors):
            raise RefusedByAll(what, self.failed)
        raise NothingResponded(what, self.failed)

    def need_change(self, what: str) -> None:
        """
        Check that somebody has done it; who has not responded may have done it, too.

        :param what: what is not done, for the error.
        :raises RefusedByAll: all refused.
        :raises NothingResponded: there was no response at all.
        """
        if any(isinstance(error, RequestTimeout) for error in self.errors.values()):
            what = f"{what}, as far as is known"
        self.need_one(what)

    def need_known(self, what: str, kind: str, name: str) -> None:
        """
        Check that somebody knows a thing; see :meth:`without` for those who do not.

        :param what: what was not possible if there are other errors.
        :raises NotFound: nobody knows it.
        :raises AdminError: some could not say.
        """
        if self.ok:
            return
        if self.errors:
            self.need_one(what)
        raise NotFound(kind, name)


class Registered(msgspec.Struct, frozen=True):
    """The brokers that the name servers know, sorted by cluster, name and id."""

    brokers: tuple[BrokerAddress, ...]

    def masters(self, cluster: str | None = None) -> dict[str, str]:
        """Return the masters' addresses by name, of one cluster or all."""
        return {
            broker.name: broker.address
            for broker in self.brokers
            if broker.id == MASTER_ID and cluster in (None, broker.cluster)
        }

    def readers(self, cluster: str | None = None) -> dict[str, str]:
        """Return an address of each name: of a slave if there is no master."""
        found: dict[str, str] = {}
        for broker in self.brokers:
            if cluster in (None, broker.cluster):
                found.setdefault(broker.name, broker.address)
        return found

    def without_master(self, cluster: str | None = None) -> dict[str, str]:
        """Return the names of which only slaves are here, and that as a sentence."""
        masters = self.masters(cluster)
        return {n: NO_MASTER for n in self.readers(cluster) if n not in masters}

    @property
    def clusters(self) -> tuple[str, ...]:
        """The names of the clusters."""
        return tuple(sorted({broker.cluster for broker in self.brokers}))


def at_masters(held: Outcomes[T], brokers: Registered) -> Outcomes[T]:
    """
    Return what can be changed; what only a slave has is an error.

    :param held: what readers of brokers have, by name.
    """
    away = brokers.without_master()
    errors = {who: AdminError(NO_MASTER) for who in held.ok if who in away}
    ok = {who: each for who, each in held.ok.items() if who not in errors}
    return Outcomes(ok, {**held.errors, **errors})


class Calls:
    """
    Sends the requests of one administrator.

    :param session: has the connections.
    :param timeout: seconds, of each request.
    """

    def __init__(self, session: ClientSession, timeout: float) -> None:
        self.session = session
        self.timeout = timeout
        self._producer: Producer | None = None
        self._pacer = Pacer(session.clock)

    async def in_steps(self, steps: Steps[T]) -> T:
        """
        Do what takes long in steps of a millisecond or two.

        This may be a broker's process, which serves others meanwhile: all that is done
        in steps at the same time shares 5 ms of each reactor iteration.
        """
        result = self._pacer.run(steps, None, key=object())
        if not isinstance(result, Deferred):
            return result
        # It is None only for a peer that is gone, and there is none.
        return cast(T, await result)

    async def producer(self) -> Producer:
        """Return the producer that sends messages, made when it is needed first."""
        if self._producer is None:
            from rocketmq_tw.client.producer.producer import Producer

            producer = self._producer = Producer(self.session, SENDER_GROUP)
            if not self.session.running:
                # Whether a name server responds is seen when it is needed.
                self.session.start().addErrback(lambda _: None)
            await producer.start()
        return self._producer

    async def stop(self) -> None:
        """Stop the producer."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    def name_server(self, request: Request[A]) -> Deferred[A]:
        """Ask any name server."""
        return self.session.name_servers.call(request, self.timeout)

    @property
    def name_servers(self) -> list[str]:
        """The addresses of all name servers."""
        return sorted(self.session.name_servers.addresses)

    def one_name_server(self, address: str, request: Request[A]) -> Deferred[A]:
        """Ask this name server."""
        return self.session.pool.call(address, request, self.timeout)

    def broker(
        self, address: str, request: Request[A], timeout: float | None = None
    ) -> Deferred[A]:
        """Ask one broker."""
        return self.session.brokers.call(address, request, timeout or self.timeout)

    async def each_name_server(self, make: Callable[[], Request[A]]) -> Outcomes[A]:
        """Ask all name servers; ``make`` makes the request for one."""

        async def ask(address: str) -> A:
            return await self.one_name_server(address, make())

        return await self.each({a: a for a in self.name_servers}, ask)

    async def each_broker(
        self, targets: Mapping[str, str], make: Callable[[str], Request[A]]
    ) -> Outcomes[A]:
        """
        Ask brokers.

        :param targets: addresses by broker name, or by themselves.
        :param make: makes the request for one address.
        """

        async def ask(address: str) -> A:
            return await self.broker(address, make(address))

        return await self.each(targets, ask)

    async def each(
        self,
        targets: Mapping[str, str],
        ask: Callable[[str], Coroutine[Any, Any, T]],
        parallel: int = PARALLEL,
    ) -> Outcomes[T]:
        """
        Call a coroutine function for each address; keep its errors of the wire.

        :param parallel: how many are asked at the same time.
        """
        found: dict[str, T] = {}
        errors: dict[str, Exception] = {}

        left = iter(targets.items())

        async def ask_some() -> None:
            for who, address in left:
                try:
                    found[who] = await ask(address)
                except RocketMQError as error:
                    errors[who] = error

        # A Deferred for each target would take long at a stretch: there may be as many
        # as groups.
        asking = [
            Deferred.fromCoroutine(ask_some())
            for _ in range(min(parallel, len(targets)))
        ]
        for _, outcome in await DeferredList(asking, consumeErrors=True):
            if isinstance(outcome, Failure):
                outcome.raiseException()
        order = list(targets)
        return Outcomes(
            {who: found[who] for who in order if who in found},
            {who: errors[who] for who in order if who in errors},
        )

    async def registered(self) -> Registered:
        """Ask a name server for all brokers."""
        response = await self.name_server(GetClusterInfo())
        return registered(ClusterInfo.decode(response.body), self.session.translate)

    async def masters(
        self, cluster: str | None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """
        Return the masters of a cluster, or all, and the brokers that have none now.

        :raises NotFound: there is no such cluster.
        :raises NothingResponded: there is no master.
        """
        registered = await self.registered()
        if cluster is not None and cluster not in registered.clusters:
            known = ", ".join(registered.clusters) or "none"
            raise NotFound("cluster", cluster, f"there are: {known}")
        masters = registered.masters(cluster)
        if not masters:
            raise NothingResponded("no broker has a master", {})
        return masters, registered.without_master(cluster)

    def in_route(self, route: TopicRoute) -> Registered:
        """Return the brokers of a route."""
        translated = self.session.translate or str
        return Registered(
            tuple(
                sorted(
                    BrokerAddress(
                        cluster=data.cluster or "",
                        name=data.broker_name,
                        id=broker_id,
                        address=translated(address),
                    )
                    for data in route.broker_datas
                    for broker_id, address in data.broker_addrs.items()
                )
            )
        )


def registered(
    info: ClusterInfo, translate: Callable[[str], str] | None = None
) -> Registered:
    """Return the brokers in the response of a name server."""
    clusters = {
        name: cluster
        for cluster, names in sorted(info.cluster_addr_table.items())
        for name in names
    }
    translated = translate or str
    return Registered(
        tuple(
            sorted(
                BrokerAddress(
                    cluster=data.cluster or clusters.get(name, ""),
                    name=name,
                    id=broker_id,
                    address=translated(address),
                )
                for name, data in info.broker_addr_table.items()
                for broker_id, address in data.broker_addrs.items()
            )
        )
    )
