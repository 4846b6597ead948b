"""The settings of metrics."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics_settings import MetricsSettings, take_metrics
from rocketmq_tw.settings import BadSetting


def taken(option: str | None = None, **values: str) -> MetricsSettings:
    """Take the settings out of a file's."""
    return take_metrics(values, option)


class MetricsSettingsTests(SynchronousTestCase):
    """Apache RocketMQ's keys, and the option of the programs."""

    def test_off(self) -> None:
        """Without a setting nothing is served, nor with DISABLE."""
        for made in (
            taken(),
            taken(metricsExporterType="DISABLE"),
            taken(metricsExporterType="0", metricsPromExporterPort="5558"),
        ):
            self.assertFalse(made.is_on)
            self.assertFalse(made.is_exposed)

    def test_on(self) -> None:
        """The port is Apache RocketMQ's; the address is this machine's own."""
        for kind in ("PROM", "prom", "2"):
            made = taken(metricsExporterType=kind)
            self.assertEqual(made.listen, "tcp:5557:interface=127.0.0.1")
            self.assertFalse(made.is_exposed)

    def test_where(self) -> None:
        """Host and port may be others; whoever can be reached says so."""
        made = taken(
            metricsExporterType="PROM",
            metricsPromExporterHost="0.0.0.0",
            metricsPromExporterPort="5600",
        )
        self.assertEqual(made.listen, "tcp:5600:interface=0.0.0.0")
        self.assertTrue(made.is_exposed)
        made = taken(
            metricsExporterType="PROM",
            metricsPromExporterHost="[::1]",
            metricsToken="secret",
        )
        self.assertEqual(made.listen, r"tcp:5557:interface=\:\:1")

    def test_option(self) -> None:
        """It turns metrics on, and takes precedence over the file."""
        self.assertEqual(taken("5600").listen, "tcp:5600:interface=127.0.0.1")
        self.assertEqual(taken("10.0.0.1:5600").listen, "tcp:5600:interface=10.0.0.1")
        self.assertEqual(taken("tcp:5600").listen, "tcp:5600")
        made = taken("5600", metricsExporterType="PROM", metricsLabel="a:b")
        self.assertEqual(made.listen, "tcp:5600:interface=127.0.0.1")
        self.assertEqual(made.labels, (("a", "b"),))

    def test_bad_option(self) -> None:
        """The error names the option."""
        error = self.assertRaises(ValueError, taken, "99999")
        self.assertIn("--metrics: ", str(error))

    def test_token(self) -> None:
        """It is not shown, and lets others in whoever can reach the port."""
        made = taken("tcp:5600", metricsToken="secret")
        self.assertEqual(made.token.text, "secret")
        self.assertNotIn("secret", repr(made))
        self.assertFalse(made.is_exposed)
        error = self.assertRaises(BadSetting, taken, metricsToken="sécret")
        self.assertNotIn("cret", str(error).replace("metricsToken", ""))

    def test_others(self) -> None:
        """Limits, labels, TLS and queues."""
        made = taken(
            "5600",
            metricsLabel="rack:r1, zone:a:b,",
            metricsOtelCardinalityLimit="10",
            metricsTls="true",
            metricsOfQueues="false",
            metricsOfSizes="false",
            metricsMinInterval="5",
        )
        self.assertEqual(made.labels, (("rack", "r1"), ("zone", "a:b")))
        self.assertEqual(
            (made.limit, made.uses_tls, made.counts_queues), (10, True, False)
        )
        self.assertEqual((made.counts_sizes, made.interval), (False, 5))

    def test_taken(self) -> None:
        """All keys are removed, also those of exporters that do not exist here."""
        values = {
            "metricsGrpcExporterTarget": "http://x",
            "metricsGrpcExporterHeader": "a:b",
            "metricGrpcExporterTimeOutInMills": "3000",
            "metricGrpcExporterIntervalInMills": "60000",
            "metricLoggingExporterIntervalInMills": "10000",
            "metricsInDelta": "false",
        }
        self.assertFalse(take_metrics(values, None).is_on)
        self.assertEqual(values, {})

    def test_refused(self) -> None:
        """What cannot be done says so in a sentence."""
        for key, value, words in (
            ("metricsExporterType", "OTLP_GRPC", "served for Prometheus, and not sent"),
            ("metricsExporterType", "3", "served for Prometheus, and not sent"),
            ("metricsExporterType", "yes", "expected PROM or DISABLE"),
            ("metricsInDelta", "true", "Prometheus computes increases by itself"),
            ("metricsInDelta", "maybe", "expected true or false"),
            ("metricsPromExporterPort", "70000", "a port up to 65535"),
            ("metricsPromExporterPort", "x", "a whole number >= 1"),
            ("metricsOtelCardinalityLimit", "0", "a whole number >= 1"),
            ("metricsLabel", "a", "name:value,name:value"),
            ("metricsLabel", "1a:b", "name:value,name:value"),
            ("metricsLabel", "__name__:b", "name:value,name:value"),
            ("metricsTls", "1", "expected true or false"),
            ("metricsOfSizes", "1", "expected true or false"),
            ("metricsMinInterval", "0", "a whole number >= 1"),
        ):
            error = self.assertRaises(BadSetting, taken, **{key: value})
            self.assertIn(key, str(error))
            self.assertIn(words, str(error))

    def test_resolved(self) -> None:
        """A name to listen on is resolved once, before the program becomes a daemon."""
        made = taken("localhost:5600").resolved(lambda text: text + "!")
        self.assertEqual(made.listen, "tcp:5600:interface=localhost!")
        self.assertFalse(taken().resolved(lambda text: text + "!").is_on)
