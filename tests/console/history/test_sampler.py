"""Samples, taken from a cluster in memory."""

from __future__ import annotations

from rocketmq_tw.console.history.sampler import Sampler
from rocketmq_tw.wire.requests.group import GetAllGroups
from tests.admin.cases import AdminCase


class SamplerTests(AdminCase):
    """What is sampled, and when."""

    brokers = 1

    def setUp(self) -> None:
        """Begin to sample."""
        super().setUp()
        self.sampler = Sampler(self.cluster.clock, self.admin, 10.0)

    def test_rates(self) -> None:
        """A sample at once, and then periodically, with the time of day."""
        self.sampler.start()
        self.cluster.advance(20)
        self.sampler.stop()
        line = self.sampler.rates.line("in")
        self.assertEqual(len(line.times), 3)
        first = line.times[0]
        self.assertEqual(line.times, (first, first + 10_000, first + 20_000))
        self.cluster.advance(30)
        self.assertEqual(self.sampler.rates.line("in"), line)

    def test_many_groups(self) -> None:
        """Some are looked at in each round, and all in turn."""
        self.cluster.create_topic("orders", 1)
        for number in range(23):
            self.consume(f"group-{number:02}", "orders")
        self.cluster.advance(6)
        self.sampler.start()
        self.addCleanup(self.sampler.stop)
        self.cluster.advance(1)
        self.assertEqual(len(self.sampler.lags.lines()), 20)
        self.cluster.advance(10)
        lines = self.sampler.lags.lines()
        self.assertEqual(len(lines), 23)
        self.assertEqual([len(line.times) for line in lines], [2] * 17 + [1] * 6)

    def test_nobody_responds(self) -> None:
        """Rounds go on, and are complete again once somebody does."""
        link = ("10.0.4.1", self.cluster.name_servers[0].host)
        self.cluster.network.cut(*link)
        self.sampler.start()
        self.addCleanup(self.sampler.stop)
        self.cluster.advance(60)
        self.assertEqual(self.sampler.rates.lines(), ())
        self.cluster.network.heal(*link)
        self.cluster.advance(60)
        self.assertNotEqual(self.sampler.rates.lines(), ())

    def test_without_offsets(self) -> None:
        """For groups that have read nothing, brokers are not asked for all theirs."""
        for number in range(5):
            self.run_admin(self.admin.groups.create(f"group-{number}"))
        traffic = self.cluster.broker.traffic
        traffic.clear()
        self.sampler.start()
        self.addCleanup(self.sampler.stop)
        self.cluster.advance(1)
        self.assertEqual(len(self.sampler.lags.lines()), 5)
        self.assertEqual(len(traffic.requests(GetAllGroups)), 1)
