"""
The dashboards and rules of ``apache/rocketmq-exporter``: what they ask Prometheus.

Apache License 2.0, as of November 2026; the overview is number 10477 at Grafana's site.
Written down by the names and the labels that they ask for; titles are ours.
"""

from __future__ import annotations

from .grafana import Dashboard, Query, Variable

_PROJECT = "apache/rocketmq-exporter"
_RUNTIME = "rocketmq_brokeruntime_"
_CLIENT = "rocketmq_client_"
#: Times of sends are counted in these.
_TIMES = (
    *("0ms", "0to10ms", "10to50ms", "50to100ms", "100to200ms", "200to500ms"),
    *("500to1s", "1to2s", "2to3s", "3to4s", "4to5s", "5to10s", "10stomore"),
)
_TIMES = tuple(f"{_RUNTIME}pmdt_{each}" for each in _TIMES)
_HEAD_WAITS = tuple(
    f"{_RUNTIME}{each}_threadpoolqueue_headwait_timemills"
    for each in ("pull", "query", "send")
)
_OF_CLIENTS = tuple(
    f"{_CLIENT}{each}"
    for each in (
        *("consume_fail_msg_count", "consume_fail_msg_tps", "consume_ok_msg_tps"),
        *("consume_rt", "consumer_pull_rt", "consumer_pull_tps"),
    )
)
_OF_BROKERS = tuple(
    f"{_RUNTIME}{each}"
    for each in (
        *("getfound_tps10", "gettotal_tps10", "gettransfered_tps10", "getmiss_tps10"),
        *("put_tps10", "commitlog_disk_ratio", "consumequeue_disk_ratio"),
        *("commitlogdir_capacity_free", "commitlogdir_capacity_total"),
        *("commitlog_maxoffset", "commitlog_minoffset", "msg_put_total_today_now"),
        *("msg_gettotal_today_now", "dispatch_behind_bytes", "put_message_size_total"),
        *("put_message_average_size", "msg_gettotal_yesterdaymorning"),
        *("msg_puttotal_yesterdaymorning", "msg_gettotal_todaymorning"),
        "msg_puttotal_todaymorning",
    )
)
_MESSAGES = (
    *("rocketmq_broker_tps", "rocketmq_broker_qps", "rocketmq_consumer_offset"),
    *("rocketmq_consumer_message_size", "rocketmq_producer_offset"),
    *("rocketmq_consumer_tps", "rocketmq_producer_message_size"),
    *("rocketmq_producer_tps", "rocketmq_group_get_latency_by_storetime"),
)
_BEHIND = (
    "sum(rocketmq_producer_offset) by (topic)"
    " - on(topic) group_right sum(rocketmq_consumer_offset) by (group,topic)"
)
#: Of its ``example.rules``: what is behind beyond what comes in five minutes.
_FALLS_BEHIND = (
    f"({_BEHIND}) - ignoring(group) group_left"
    " sum(avg_over_time(rocketmq_producer_tps[5m])) by (topic)*5*60"
)
#: Everything is named without labels.
OVERVIEW = Dashboard(
    "10477",
    _PROJECT,
    (),
    (
        *(Query(name, name) for name in _MESSAGES),
        Query("messages behind", _BEHIND),
        Query("falls behind", _FALLS_BEHIND),
        Query("sends", "sum(rocketmq_producer_tps) by (cluster) >= 0"),
        Query("consumes", "sum(rocketmq_consumer_tps) by (cluster) >= 0"),
        *(
            Query(name, name)
            for name in (*_TIMES, *_HEAD_WAITS, *_OF_CLIENTS, *_OF_BROKERS)
        ),
    ),
)

_HERE = 'Cluster="$cluster",Env="$env"'
_CHOSEN = {"b": 'broker=~"$broker"', "t": 'topic=~"$topic"', "g": 'group=~"$group"'}


def _selected(name: str, chosen: str = "") -> str:
    """Return a name with the labels that are chosen by variables, in letters."""
    labels = ",".join([_HERE, *(_CHOSEN[letter] for letter in chosen)])
    return f"{name}{{{labels}}}"


def _one(name: str, chosen: str = "") -> Query:
    return Query(name, _selected(name, chosen))


def _sum(name: str, by: str, chosen: str, function: str = "sum") -> Query:
    text = f"{function}({_selected(name, chosen)}) by ({by})"
    return Query(f"{name} by {by}", text)


def _difference(name: str, other: str) -> Query:
    left, right = (_selected(f"{_RUNTIME}{each}") for each in (name, other))
    return Query(f"{name} - {other}", f"{left} - {right}")


_DIFF = f"sum({_selected('rocketmq_group_diff', 'tg')}) by (group,topic)"
_NOT_SYSTEM = "^(?!.*?SYS).*$"
_PRODUCED = 'rocketmq_producer_tps{Cluster=~"$cluster"}'
_CONSUMED = 'rocketmq_consumer_tps{Cluster=~"$cluster"}'
#: The one with variables.
DETAILED = Dashboard(
    "rocketmq-exporter",
    _PROJECT,
    (
        Variable("env", "label_values(rocketmq_broker_tps,Env)"),
        Variable("cluster", 'label_values(rocketmq_broker_tps{Env=~"$env"},Cluster)'),
        Variable(
            "broker", 'label_values(rocketmq_broker_tps{Cluster=~"$cluster"},broker)'
        ),
        Variable("topic", f"label_values({_PRODUCED}, topic)", True, "", _NOT_SYSTEM),
        Variable("group", f"label_values({_CONSUMED}, group)", True, "", _NOT_SYSTEM),
    ),
    (
        _one("rocketmq_broker_tps"),
        Query("disk", f"{_selected(f'{_RUNTIME}commitlog_disk_ratio')}*100"),
        *(Query(name, f"sum({_selected(name)})") for name in _TIMES[:9]),
        Query("over 3 s", "+".join(f"sum({_selected(name)})" for name in _TIMES[9:])),
        Query(
            "over 200 ms, by broker",
            " + ".join(f"sum({_selected(each)}) by (brokerIP)" for each in _TIMES[5:]),
        ),
        *(_one(name) for name in _HEAD_WAITS),
        _one(f"{_RUNTIME}dispatch_behind_bytes"),
        _sum(
            "rocketmq_group_get_latency_by_storetime",
            "group, topic, broker",
            "bgt",
            "max",
        ),
        _difference("msg_puttotal_todaymorning", "msg_puttotal_yesterdaymorning"),
        _difference("msg_put_total_today_now", "msg_puttotal_todaymorning"),
        _difference("msg_gettotal_todaymorning", "msg_gettotal_yesterdaymorning"),
        _difference("msg_gettotal_today_now", "msg_gettotal_todaymorning"),
        _one(f"{_RUNTIME}earliest_message_timestamp"),
        _one("rocketmq_broker_tps", "b"),
        _one("rocketmq_broker_qps", "b"),
        _one("rocketmq_producer_tps", "bt"),
        _sum("rocketmq_producer_tps", "topic", "bt"),
        _one("rocketmq_consumer_tps", "btg"),
        _sum("rocketmq_consumer_tps", "group", "btg"),
        _sum("rocketmq_producer_message_size", "broker", "b"),
        _sum("rocketmq_consumer_message_size", "broker", "b"),
        _sum("rocketmq_producer_message_size", "topic", "bt"),
        _sum("rocketmq_consumer_message_size", "topic, group", "btg"),
        Query("behind", f"{_DIFF} >= 0 and {_DIFF} <= 100000"),
        Query("behind by less than nothing", f"{_DIFF} < 0", "nobody is"),
        Query("behind by much", f"{_DIFF} > 100000", "nobody is"),
        _sum("rocketmq_group_retrydiff", "group", "g"),
        _one(f"{_CLIENT}consume_fail_msg_count", "gt"),
        _sum(f"{_CLIENT}consume_fail_msg_count", "group", "gt"),
        *(
            _one(f"{_CLIENT}{name}", "gt")
            for name in (
                *("consumer_pull_tps", "consume_ok_msg_tps", "consumer_pull_rt"),
                "consume_rt",
            )
        ),
        _one(f"{_RUNTIME}commitlog_minoffset"),
        _difference("commitlog_maxoffset", "commitlog_minoffset"),
        _one(f"{_RUNTIME}commitlog_maxoffset"),
        _one("rocketmq_producer_offset", "bt"),
        _one("rocketmq_topic_retry_offset", "b"),
        _one("rocketmq_topic_dlq_offset", "b"),
        _one("rocketmq_consumer_offset", "bt"),
    ),
)
