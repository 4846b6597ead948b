"""
The settings of metrics, under Apache RocketMQ's names.

A broker and a name server read the same ones; a name server of Apache RocketMQ has
none. They are read at every start, so nothing else of metrics is imported here::

    metricsExporterType = PROM
    metricsPromExporterHost = 10.0.0.7
    metricsPromExporterPort = 5557

Source: ``BrokerConfig`` and ``MetricsExporterType`` of RocketMQ 5.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from rocketmq_tw.remoting.addresses import (
    MAX_PORT,
    is_loopback_endpoint,
    server_endpoint,
    without_brackets,
)
from rocketmq_tw.settings import BadSetting, take_flag, truth

#: The port of Apache RocketMQ.
DEFAULT_PORT = 5557
#: Where metrics are served unless a setting says otherwise: to this machine.
DEFAULT_HOST = "127.0.0.1"
#: Series of one metric, as in Apache RocketMQ.
DEFAULT_LIMIT = 50_000

#: The option of the programs.
METRICS_OPTIONS = [
    [
        "metrics",
        None,
        None,
        "serve metrics for Prometheus: a port of this machine's own address, host:port"
        " or an endpoint string [default: none are served]",
    ],
]

_TYPES = {
    **{"": False, "DISABLE": False, "0": False},
    **{"PROM": True, "2": True},
}
_OTHER_TYPES = {"OTLP_GRPC", "1", "LOG", "3"}
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
#: Of exporters that do not exist here; they have no effect in Apache RocketMQ either,
#: unless their exporter is chosen.
_WITHOUT_EFFECT = (
    "metricsGrpcExporterTarget",
    "metricsGrpcExporterHeader",
    "metricGrpcExporterTimeOutInMills",
    "metricGrpcExporterIntervalInMills",
    "metricLoggingExporterIntervalInMills",
)


class Token(msgspec.Struct, frozen=True):
    """What a scraper has to know; it is not shown."""

    text: str = ""

    def __repr__(self) -> str:
        return "Token(...)"


class MetricsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whether and where metrics are served.

    :ivar listen: an endpoint string; empty serves none.
    :ivar labels: names and values that are added to all series.
    :ivar limit: how many series one metric may have; others are left out.
    :ivar token: must come with each request, as in ``Authorization: Bearer``; empty
        lets everybody read.
    :ivar uses_tls: the port uses the certificate of the server's other ports.
    :ivar counts_queues: whether there are series for single queues.
    :ivar counts_sizes: whether there is a histogram of the sizes of messages.
    :ivar interval: seconds for which a page is given again, at least.
    """

    listen: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    limit: int = DEFAULT_LIMIT
    token: Token = Token()
    uses_tls: bool = False
    counts_queues: bool = True
    counts_sizes: bool = True
    interval: int = 0

    @property
    def is_on(self) -> bool:
        """Whether metrics are served."""
        return bool(self.listen)

    @property
    def is_exposed(self) -> bool:
        """Whether everybody who reaches this machine can read them."""
        return self.is_on and not (self.token.text or is_loopback_endpoint(self.listen))

    def resolved(self, resolve: Callable[[str], str]) -> MetricsSettings:
        """Return the same with the address of a host name to listen on."""
        if not self.is_on:
            return self
        return msgspec.structs.replace(self, listen=resolve(self.listen))


def take_metrics(values: dict[str, str], option: str | None) -> MetricsSettings:
    """
    Remove the settings of metrics from those of a server, and return them.

    :param option: that of the command line, which takes precedence.
    :raises BadSetting: a value cannot be used.
    :raises ValueError: the option cannot be used.
    """
    for key in _WITHOUT_EFFECT:
        values.pop(key, None)
    is_on = _takes_prometheus(values)
    endpoint = _take_endpoint(values)
    if take_flag(values, "metricsInDelta"):
        expected = "false: Prometheus computes increases by itself"
        raise BadSetting("metricsInDelta", "true", expected)
    made = MetricsSettings(
        listen=endpoint if is_on else "",
        labels=_take_labels(values),
        limit=_take_number(values, "metricsOtelCardinalityLimit", DEFAULT_LIMIT),
        token=Token(_take_token(values)),
        uses_tls=take_flag(values, "metricsTls"),
        counts_queues=_take_choice(values, "metricsOfQueues"),
        counts_sizes=_take_choice(values, "metricsOfSizes"),
        interval=_take_number(values, "metricsMinInterval", 0),
    )
    if option is None:
        return made
    try:
        listen = server_endpoint(option, DEFAULT_HOST)
    except ValueError as error:
        raise ValueError(f"--metrics: {error}") from None
    return msgspec.structs.replace(made, listen=listen)


def _takes_prometheus(values: dict[str, str]) -> bool:
    """Return whether the exporter is that for Prometheus."""
    key = "metricsExporterType"
    kind = values.pop(key, "").strip()
    if kind.upper() in _OTHER_TYPES:
        expected = "PROM or DISABLE: metrics are served for Prometheus, and not sent"
        raise BadSetting(key, kind, expected)
    if kind.upper() not in _TYPES:
        raise BadSetting(key, kind, "PROM or DISABLE")
    return _TYPES[kind.upper()]


def _take_endpoint(values: dict[str, str]) -> str:
    """Return the endpoint string of the exporter's host and port."""
    host = values.pop("metricsPromExporterHost", "").strip() or DEFAULT_HOST
    port = _take_number(values, "metricsPromExporterPort", DEFAULT_PORT)
    if port > MAX_PORT:
        key, expected = "metricsPromExporterPort", f"a port up to {MAX_PORT}"
        raise BadSetting(key, str(port), expected)
    try:
        return server_endpoint(str(port), without_brackets(host))
    except ValueError:
        expected = "an address or a host name"
        raise BadSetting("metricsPromExporterHost", host, expected) from None


def _take_number(values: dict[str, str], key: str, default: int) -> int:
    """Return a whole number from 1 on."""
    text = values.pop(key, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise BadSetting(key, text, "a whole number >= 1")
    return int(text)


def _take_choice(values: dict[str, str], key: str) -> bool:
    """Return whether something is on, which is the default."""
    return truth(key, values.pop(key, ""), default=True)


def _take_labels(values: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the labels of ``k:v,k:v``."""
    key = "metricsLabel"
    text = values.pop(key, "").strip()
    labels: dict[str, str] = {}
    for piece in text.split(","):
        if not piece.strip():
            continue
        name, separator, value = piece.strip().partition(":")
        if not separator or not _LABEL.fullmatch(name) or name.startswith("__"):
            expected = "name:value,name:value, names of letters, digits and _"
            raise BadSetting(key, text, expected)
        labels[name] = value
    return tuple(labels.items())


def _take_token(values: dict[str, str]) -> str:
    """Return the token; the error does not quote it."""
    token = values.pop("metricsToken", "").strip()
    if not token.isascii() or any(not character.isprintable() for character in token):
        raise BadSetting("metricsToken", "...", "printable ASCII characters")
    return token
