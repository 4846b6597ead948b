"""Requests to many servers at once."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.calls import (
    NO_MASTER,
    PARALLEL,
    Calls,
    Outcomes,
    at_masters,
    registered,
)
from rocketmq_tw.admin.errors import NothingResponded, RefusedByAll
from rocketmq_tw.client.session import ClientSession
from rocketmq_tw.model.route import BrokerData
from rocketmq_tw.remoting.errors import BrokerError, ConnectError, RequestTimeout
from rocketmq_tw.wire.bodies.cluster import ClusterInfo


def refused(code: int) -> BrokerError:
    """Return the error of a broker that refuses."""
    return BrokerError(code, "why", "a:1", "Request")


class OutcomeTests(SynchronousTestCase):
    """What many servers responded."""

    def test_without(self) -> None:
        """Errors that only say that something does not exist can be left out."""
        found = Outcomes({"a": 1}, {"b": refused(17), "c": refused(16)})
        self.assertEqual(list(found.without(17).errors), ["c"])

    def test_need_one(self) -> None:
        """One response is enough; otherwise the reasons are listed."""
        Outcomes({"a": 1}, {"b": refused(1)}).need_one("it")
        with self.assertRaises(RefusedByAll) as caught:
            Outcomes({}, {"b": refused(16)}).need_one("it cannot be done")
        text = "it cannot be done: b: NO_PERMISSION (16): why"
        self.assertEqual(str(caught.exception), text)
        away = ConnectError("b:1", "refused")
        both: Outcomes[int] = Outcomes({}, {"a": refused(16), "b": away})
        self.assertRaises(NothingResponded, both.need_one, "it")
        none: Outcomes[int] = Outcomes({}, {})
        with self.assertRaises(NothingResponded) as nobody:
            none.need_one("it")
        self.assertIn("there is no broker", str(nobody.exception))


class EachTests(SynchronousTestCase):
    """Many are asked, but not all at once."""

    def setUp(self) -> None:
        """Make the calls of a session that nothing is sent by."""
        session = ClientSession(
            Clock(), name_servers=["a:1"], client_id="me", local_name="me"
        )
        self.calls = Calls(session, 5.0)
        self.asked: dict[str, Deferred[int]] = {}

    async def ask(self, address: str) -> int:
        """Wait for what the test responds."""
        self.asked[address] = Deferred()
        return await self.asked[address]

    def test_parallel(self) -> None:
        """The next is asked when one has responded; the order is kept."""
        names = {f"b{i:02}": f"{i}" for i in range(PARALLEL + 2)}
        done = Deferred.fromCoroutine(self.calls.each(names, self.ask))
        self.assertEqual(len(self.asked), PARALLEL)
        self.asked["3"].callback(3)
        self.assertEqual(len(self.asked), PARALLEL + 1)
        for i in (0, 1, 2, *range(4, PARALLEL + 2)):
            self.asked[str(i)].callback(i)
        self.assertEqual(list(self.successResultOf(done).ok), sorted(names))

    def test_errors(self) -> None:
        """Errors of the wire are kept; a mistake of ours is raised."""
        done = Deferred.fromCoroutine(self.calls.each({"a": "1", "b": "2"}, self.ask))
        self.asked["1"].errback(refused(16))
        self.asked["2"].callback(2)
        found = self.successResultOf(done)
        self.assertEqual(found.ok, {"b": 2})
        self.assertEqual(found.failed, {"a": "NO_PERMISSION (16): why"})
        done = Deferred.fromCoroutine(self.calls.each({"a": "1"}, self.ask))
        self.asked["1"].errback(KeyError("mistake"))
        self.failureResultOf(done, KeyError)


class ChangeTests(SynchronousTestCase):
    """What many servers responded, as one error."""

    def test_change(self) -> None:
        """Who has not responded may have done it."""
        late = RequestTimeout("a:1", "R had no response within 1 s")
        for errors, why in (
            ({"a": refused(16), "b": late}, "not done, as far as is known: a: "),
            ({"a": ConnectError("a:1", "refused")}, "not done: a: "),
        ):
            with self.assertRaises(NothingResponded) as caught:
                Outcomes({}, errors).need_change("not done")
            self.assertIn(why, str(caught.exception))
        with self.assertRaises(RefusedByAll):
            Outcomes({}, {"a": refused(16)}).need_change("not done")
        Outcomes({"b": 1}, {"a": late}).need_change("not done")


class RegisteredTests(SynchronousTestCase):
    """The brokers that name servers know."""

    def test_readers_and_masters(self) -> None:
        """A name without a master is read from its slave, and not written to."""
        info = ClusterInfo(
            broker_addr_table={
                "b": BrokerData("C", "b", {1: "b:2", 2: "b:3"}),
                "a": BrokerData(None, "a", {0: "a:1", 1: "a:2"}),
            },
            cluster_addr_table={"C": frozenset({"a", "b"})},
        )
        found = registered(info, lambda address: f"x{address}")
        self.assertEqual(found.masters(), {"a": "xa:1"})
        self.assertEqual(found.readers(), {"a": "xa:1", "b": "xb:2"})
        self.assertEqual(found.readers("D"), {})
        self.assertEqual(found.without_master(), {"b": NO_MASTER})
        self.assertEqual(found.without_master("D"), {})
        held = at_masters(Outcomes({"a": 1, "b": 2}, {}), found)
        self.assertEqual((held.ok, held.failed), ({"a": 1}, {"b": NO_MASTER}))
        self.assertEqual(found.clusters, ("C",))
