"""
Finds out why clients get "no route" for a topic.

There are five causes: nobody has the topic; another name server has it; brokers have
it, but no name server knows; its queues may not be written to; or the brokers that
have it are without a master.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rocketmq_tw.admin.doctor.finding import Finding, finding
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.model.topic import is_writable


def no_route(
    topic: str, routes: Mapping[str, TopicRoute | None], holders: tuple[str, ...]
) -> Iterator[Finding]:
    """
    Judge the route of a topic.

    :param routes: what each name server responded; None if it does not know the topic.
    :param holders: the brokers that have the topic.
    """
    known = {server: route for server, route in routes.items() if route is not None}
    lacking = sorted(server for server, route in routes.items() if route is None)
    if not known and holders:
        yield finding(
            "no-route-not-registered",
            topic,
            f"{', '.join(holders)} have the topic, but no name server knows of it",
            "look for errors of registration in the broker's log; the broker registers"
            " its topics again every 30 s",
        )
    elif not known:
        yield finding(
            "no-route-unknown",
            topic,
            "no broker has the topic",
            f"create it (rocketmq-admin topic create {topic}), or let brokers create"
            " topics at the first message (autoCreateTopicEnable)",
        )
    elif lacking:
        yield finding(
            "no-route-other-name-server",
            topic,
            f"{', '.join(sorted(known))} know the topic, but not {', '.join(lacking)}:"
            " clients find it or not, depending on which name server they ask",
            "list all name servers in the settings namesrvAddr of brokers",
        )
    for route in known.values():
        found = _unwritable(topic, route)
        if found is not None:
            yield found
            return


def _unwritable(topic: str, route: TopicRoute) -> Finding | None:
    """Return why nobody can send to the topic; None if somebody can."""
    if route.writable(topic):
        return None
    if any(is_writable(d.perm) and d.write_queue_nums > 0 for d in route.queue_datas):
        names = sorted({data.broker_name for data in route.queue_datas})
        return finding(
            "no-route-no-master",
            topic,
            f"only slaves of {', '.join(names)} are registered: it can be read, and"
            " nothing can be sent to it",
            "start the masters",
        )
    return finding(
        "no-route-not-writable",
        topic,
        "no broker has a queue of it that may be written to",
        f"give it the permission (rocketmq-admin topic update {topic} --permission rw),"
        " or let the broker take messages again (rocketmq-admin broker allow-writes)",
    )
