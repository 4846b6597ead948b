"""The cluster at a glance."""

from __future__ import annotations

from rocketmq_tw.client import EARLIEST
from tests.console.visits import ConsoleCase


class ClusterTests(ConsoleCase):
    """Name servers, brokers and plots."""

    def test_well(self) -> None:
        """All that there is, and nothing that needs attention."""
        found = self.get("/api/cluster")
        self.assertEqual(found["problems"], [])
        [broker] = found["status"]["brokers"]
        self.assertEqual(broker["name"], "broker-a")
        [server] = found["status"]["name_servers"]
        self.assertTrue(server["responds"])

    def test_broker_is_away(self) -> None:
        """Who does not respond is named; the rest is shown."""
        node = self.unreachable("broker-a")
        found = self.get("/api/cluster")
        [problem] = found["problems"]
        self.assertEqual(problem["subject"], node.address)
        self.assertEqual(problem["severity"], "error")

    def test_broker_is_gone(self) -> None:
        """Name servers have forgotten it; who was sampled is named still."""
        self.visits.parts.sampler.start()
        self.addCleanup(self.visits.parts.sampler.stop)
        self.cluster.advance(1)
        self.cluster.broker.stop()
        self.cluster.advance(61)
        sentences = [p["sentence"] for p in self.get("/api/cluster")["problems"]]
        self.assertEqual(sentences[0], "no broker is registered")
        self.assertIn("the master of broker-a has not been registered", sentences[1])

    def test_nobody_responds(self) -> None:
        """Without a name server there is only that sentence."""
        self.cluster.network.cut("10.0.4.1", self.cluster.name_servers[0].host)
        response = self.visits.get("/api/cluster")
        self.assertEqual(response.status, 502)
        self.assertIn("no name server responded", response.error)

    def test_history(self) -> None:
        """Rates and the lag of groups, as they were sampled."""
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"first")
        seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: seen)
        self.cluster.advance(6)
        self.run_admin(self.cluster.clients[-1].stop())
        self.send("orders", b"a", b"b")
        self.visits.parts.sampler.start()
        self.addCleanup(self.visits.parts.sampler.stop)
        self.cluster.advance(25)
        found = self.get("/api/history")
        self.assertEqual([line["name"] for line in found["rates"]], ["in", "out"])
        self.assertEqual(len(found["rates"][0]["values"]), 3)
        [lag] = found["lags"]
        self.assertEqual((lag["name"], set(lag["values"])), ("billing", {2.0}))
        since = lag["times"][-1]
        found = self.get(f"/api/history?group=billing&since={since}")
        self.assertEqual((found["rates"], len(found["lags"][0]["times"])), ([], 1))
