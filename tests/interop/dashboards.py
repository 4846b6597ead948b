"""
The dashboards for 5.x that an Apache project publishes, as what they ask Prometheus.

It is ``apache/rocketmq-dashboard`` (Apache License 2.0), as of November 2026: twelve
dashboards in ``server/src/main/resources/grafana``, and its own page of metrics.
Written down by the names and the labels that they ask for; titles are ours.

Where a query says why it is empty, it is empty on each broker of Apache's, too: the
dashboards for 5.x name much that no release serves. ``python -m tests.interop.watched
--apache`` holds that.
"""

from __future__ import annotations

from msgspec.structs import replace

from .grafana import Dashboard, Query, Variable

_PROJECT = "apache/rocketmq-dashboard"

_NO_METRIC = "no release has a metric of this name"
_OF_EXPORTER = "a metric of Apache's exporter, not of brokers"
_NO_LABEL = "5.x has no such label: node_id is the broker, consumer_group the group"
_JVM = "a Java agent's metric, not one of RocketMQ"


def _plain(name: str, labels: str = "cluster", why: str = _NO_METRIC) -> Query:
    selector = ",".join(f'{label}="${label}"' for label in labels.split(","))
    return Query(name, f"{name}{{{selector}}}", why)


def _rate(what: str, labels: str = "cluster", by: str = "", why: str = "") -> Query:
    """Return the rate of a counter of messages within a minute, as a sum."""
    query = _plain(f"rocketmq_messages_{what}_total", labels)
    grouped = f"sum by ({by})" if by else "sum"
    text = f"{grouped} (rate({query.expression}[1m]))"
    return Query(f"messages {what} by {by or 'cluster'}", text, why)


def _jvm(name: str, **more: str) -> Query:
    selector = "".join(f',{label}="{value}"' for label, value in more.items())
    text = f'{name}{{cluster="$cluster",broker="$broker"{selector}}}'
    return Query(name, text, _JVM)


def _late(name: str) -> Query:
    rate = f'sum by (le) (rate({name}_bucket{{cluster="$cluster"}}[5m]))'
    return Query(name, f"histogram_quantile(0.99, {rate})", _NO_METRIC)


_IN, _OUT = "rocketmq_messages_in_total", "rocketmq_messages_out_total"
_BROKER = "cluster,broker"
_PAUSE = 'rate(jvm_gc_pause_seconds_sum{cluster="$cluster",broker="$broker"}[1m])'

#: All twelve as one: their variables are the same, and they repeat one another.
STUDIO = Dashboard(
    "RocketMQ 5.x",
    _PROJECT,
    (
        Variable("cluster", f"label_values({_IN}, cluster)"),
        Variable("broker", f'label_values({_IN}{{cluster="$cluster"}}, broker)'),
        Variable("topic", f'label_values({_IN}{{cluster="$cluster"}}, topic)'),
    ),
    (
        _rate("in"),
        _rate("out"),
        Query("topics", f'count(count by (topic) ({_IN}{{cluster="$cluster"}}))'),
        Query("groups", f'count(count by (group) ({_OUT}{{cluster="$cluster"}}))'),
        Query("brokers", f'count(count by (broker) ({_IN}{{cluster="$cluster"}}))'),
        Query("brokers, before", f'count({_IN}{{cluster="$cluster"}})'),
        # It is seen where no broker has the label, and so the variable is empty.
        _rate("in", _BROKER, "broker"),
        _rate("out", _BROKER, "broker"),
        _rate("in", by="topic"),
        _rate("in", "cluster,topic", "topic"),
        _rate("out", "cluster,topic", "topic"),
        _rate("out", "cluster,group", "group", _NO_LABEL),
        _plain("rocketmq_producer_count", why=_OF_EXPORTER),
        _plain("rocketmq_consumer_count"),
        _plain("rocketmq_connection_count", _BROKER),
        _plain("rocketmq_producer_message_size", why=_OF_EXPORTER),
        _plain("rocketmq_consumer_message_size", why=_OF_EXPORTER),
        _plain("rocketmq_dispatch_behind_bytes", _BROKER),
        _plain("rocketmq_dispatch_behind_bytes", "cluster,topic"),
        _plain("rocketmq_disk_use_ratio", _BROKER),
        _plain("rocketmq_threadpool_queue_size", _BROKER),
        _plain("rocketmq_threadpool_queue_capacity", _BROKER),
        _plain("rocketmq_threadpool_reject_count", _BROKER),
        _plain("rocketmq_dlq_resend_count"),
        _plain("rocketmq_dlq_resend_latency"),
        _late("rocketmq_dispatch_latency"),
        _late("rocketmq_send_to_client_latency"),
        _jvm("jvm_memory_used_bytes", area="heap"),
        _jvm("jvm_memory_used_bytes", area="nonheap"),
        _jvm("jvm_threads_live_threads"),
        Query("garbage", _PAUSE, _JVM),
    ),
)


def _summed(name: str, by: str, function: str = "sum") -> Query:
    text = f"rate({name}[1m])" if name.endswith("_total") else name
    return Query(name, f"{function}({text}) by ({by})")


#: What the page of metrics of the same project asks of brokers of 5.x.
NATIVE = Dashboard(
    "Page of metrics, 5.x",
    _PROJECT,
    (),
    (
        _summed(_IN, "cluster, node_id"),
        _summed(_OUT, "cluster, node_id, consumer_group"),
        _summed("rocketmq_throughput_in_total", "cluster, node_id"),
        _summed("rocketmq_throughput_out_total", "cluster, node_id, consumer_group"),
        _summed("rocketmq_consumer_lag_messages", "cluster, topic, consumer_group"),
        _summed(
            "rocketmq_consumer_lag_latency_milliseconds",
            "cluster, topic, consumer_group",
            "max",
        ),
        _summed("rocketmq_topic_number", "cluster", "max"),
        _summed("rocketmq_consumer_group_number", "cluster", "max"),
        Query("health", 'min(up{job=~".*rocketmq.*"}) by (job, instance)'),
    ),
)


def with_exporter(found: Dashboard) -> Dashboard:
    """Return a dashboard as it is where the exporter is scraped, too."""
    queries = (
        replace(each, empty="" if each.empty == _OF_EXPORTER else each.empty)
        for each in found.queries
    )
    return replace(found, queries=tuple(queries))
