"""
Apache's dashboard, run against our servers and against Apache's 5.3.

``python -m tests.interop.dashboard SOURCE`` builds the Java half of
``rocketmq-dashboard`` with Maven, from a Git address or a checkout. Each of its pages
must get from ours what it gets from Apache's: success, and every field that is there.
So must each of its changes; and the pages of traces must show those of our client. The
pages of users and permissions must show the same of brokers with access control.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import partial
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from . import apache
from .dashboard_users import differences, users_shown
from .lab import OURS, Cluster, Lab
from .program import Program, wait_until
from .sources import WebProgram, built

#: None could name a field. (Apache's lists a group with the topic's name, too.)
TOPIC, GROUP, PRODUCERS = "Topic_Shown", "G_Shown", "P_Shown"
#: Of these our client writes traces.
TRACED, TRACED_GROUP = "Topic_Traced", "G_Traced"
#: These the dashboard makes.
MADE, MADE_GROUP = "Topic_Made", "G_Made"
#: What its pages ask for, with the words of :func:`use`; ``field=word`` has another.
PAGES = (
    "cluster/list.query",
    "topic/list.query",
    "topic/list.queryTopicType",
    "topic/stats.query topic",
    "topic/route.query topic",
    "topic/queryConsumerByTopic.query topic",
    "topic/queryTopicConsumerInfo.query topic",
    "topic/examineTopicConfig.query topic",
    "consumer/groupList.query",
    "consumer/group.query consumerGroup address",
    "consumer/examineSubscriptionGroupConfig.query consumerGroup",
    "consumer/fetchBrokerNameList.query consumerGroup",
    "consumer/consumerRunningInfo.query consumerGroup clientId jstack",
    "producer/producerConnection.query producerGroup topic",
    "message/viewMessage.query topic msgId",
    "message/queryMessageByTopicAndKey.query topic key",
    "message/queryMessageByTopic.query topic begin end",
    "ops/homePage.query",
    "ops/rocketMqStatus.query",
    "messageTrace/viewMessage.query topic=tracedTopic msgId=tracedId",
    "messageTrace/viewMessageTraceDetail.query msgId=tracedId",
    "messageTrace/viewMessageTraceGraph.query msgId=tracedId",
    "messageTrace/viewMessageTraceGraph.query msgId=committedId",
)
#: The page of a message's trace, and what it shows of one in a transaction.
TRACE = "messageTrace/viewMessageTraceGraph.query msgId=committedId"
KINDS = ["EndTransaction", "Pub", "SubAfter", "SubBefore"]
_CLUSTER = {"clusterNameList": ["DefaultCluster"], "brokerNameList": []}
_PERIOD = {"pageNum": 1, "pageSize": 20, "taskId": "", "begin": 0, "end": 4102444800000}
_RESET = {"consumerGroupList": [GROUP], "topic": TOPIC, "force": True}
#: What is asked for by POST, in this order, with its body; words in braces are filled.
CHANGES: tuple[tuple[str, Any], ...] = (
    (
        "topic/createOrUpdate.do",
        {
            **_CLUSTER,
            "topicName": MADE,
            "writeQueueNums": 4,
            "readQueueNums": 4,
            "perm": 6,
            "order": False,
            "messageType": "NORMAL",
        },
    ),
    (
        "topic/sendTopicMessage.do",
        {"topic": MADE, "key": "k", "tag": "t", "messageBody": "text"},
    ),
    (
        "consumer/createOrUpdate.do",
        {**_CLUSTER, "subscriptionGroupConfig": {"groupName": MADE_GROUP}},
    ),
    ("message/queryMessagePageByTopic.query", {**_PERIOD, "topic": TOPIC}),
    (
        "dlqMessage/queryDlqMessageByConsumerGroup.query",
        {**_PERIOD, "topic": f"%DLQ%{GROUP}"},
    ),
    ("message/consumeMessageDirectly.do topic consumerGroup msgId clientId", None),
    (
        "dlqMessage/batchResendDlqMessage.do",
        [
            {
                "topicName": TOPIC,
                "consumerGroup": GROUP,
                "msgId": "{msgId}",
                "clientId": "{clientId}",
            }
        ],
    ),
    ("consumer/resetOffset.do", {**_RESET, "resetTime": 1_700_000_000_000}),
    ("consumer/skipAccumulate.do", {**_RESET, "resetTime": -1}),
    (
        "consumer/deleteSubGroup.do",
        {"groupName": MADE_GROUP, "brokerNameList": ["{brokerName}"]},
    ),
    ("topic/deleteTopic.do clusterName topic=madeTopic", None),
)
#: Its settings are its own: that they are shown is enough.
CONFIG = "cluster/brokerConfig.query brokerAddr"
MEMBERS = "consumer/consumerConnection.query consumerGroup address"
PROGRESS = "consumer/queryTopicByConsumer.query consumerGroup address"
#: A key of a table, and not the name of a field: it has some other character.
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
Fields = set[str]


class Dashboard(WebProgram):
    """The dashboard of a cluster, in a process of its own."""

    def __init__(
        self,
        jar: Path,
        names: str,
        scratch: Path,
        options: Mapping[str, object] | None = None,
    ) -> None:
        data = scratch / "dashboard-data"
        options = {
            **(options or {}),
            "rocketmq.config.namesrvAddrs[0]": names,
            "rocketmq.config.dataPath": data,
            "rocketmq.config.isVIPChannel": "false",
        }
        super().__init__(jar, scratch, options)
        self._cookies = CookieJar()
        handler = urllib.request.HTTPCookieProcessor(self._cookies)
        self._opener = urllib.request.build_opener(handler)

    def ask(self, page: str, words: dict[str, str]) -> Any:
        """Return the response to a request of a page; an error is a text."""
        return self._response(self._request(page, words))

    def change(
        self, page: str, body: Any, words: dict[str, str], method: str = "POST"
    ) -> Any:
        """Return the response to what the page asks for by POST, or otherwise."""
        text = json.dumps(body)
        for name, word in words.items():
            text = text.replace("{" + name + "}", word)
        request = self._request(page, words)
        request.method = method
        request.data = b"" if body is None else text.encode()
        request.add_header("Content-Type", "application/json")
        self.ask("rocketmq-dashboard/csrf-token", {})
        [token] = [each.value for each in self._cookies if each.name == "XSRF-TOKEN"]
        request.add_header("X-XSRF-TOKEN", token or "")
        return self._response(request)

    def _request(self, page: str, words: dict[str, str]) -> urllib.request.Request:
        """Return the request of a page, with the words that it names."""
        path, *fields = page.split()
        named = [field.partition("=") for field in fields]
        query = urlencode({name: words[word or name] for name, _, word in named})
        return urllib.request.Request(f"http://127.0.0.1:{self.port}/{path}?{query}")

    def _response(self, request: urllib.request.Request) -> Any:
        try:
            with self._opener.open(request, timeout=60) as response:
                return json.loads(response.read())
        except (urllib.error.HTTPError, ValueError) as error:
            return str(error)


def use(lab: Lab, cluster: Cluster) -> dict[str, str]:
    """Send and consume messages, stay connected; return what pages are asked for."""
    names = cluster.names
    lab.make_topic(names, TOPIC, queues=4)
    consumer = lab.consumer("v53", names, topic=TOPIC, group=GROUP)
    consumer.wait_for("started")
    plan = {"plan": "sync:100", "linger": 900, "group": PRODUCERS}
    sender = lab.sender("v53", names, topic=TOPIC, **plan)
    sender.wait_for("sent", 100)
    consumer.wait_for("message", 100)
    return {
        "topic": TOPIC,
        "consumerGroup": GROUP,
        "producerGroup": PRODUCERS,
        "jstack": "false",
        "begin": "0",
        "end": "4102444800000",
        "brokerAddr": cluster.brokers[0].address,
        "address": cluster.brokers[0].address,
        "clusterName": "DefaultCluster",
        "madeTopic": MADE,
        **of_a_message(sender),
        **trace(lab, cluster),
    }


def trace(lab: Lab, cluster: Cluster) -> dict[str, str]:
    """Send and consume with our client, which writes traces; return what it was."""
    names = cluster.names
    lab.make_topic(names, TRACED, queues=1)
    given = {"topic": TRACED, "trace": "1"}
    consumer = lab.consumer(OURS, names, group=TRACED_GROUP, **given)
    consumer.wait_for("started")
    plan = "sync:1,commit:1"
    sender = lab.sender(OURS, names, plan=plan, group="P_Traced", **given)
    sender.finish()
    consumer.wait_for("message", 2)
    consumer.stop()
    sent, committed = (each["msgId"] for each in sender.events("sent"))
    return {"tracedTopic": TRACED, "tracedId": sent, "committedId": committed}


def of_a_message(sender: Program) -> dict[str, str]:
    """Return id and key of the first message that was sent."""
    first = sender.events("sent")[0]
    return {"msgId": first["msgId"], "key": f"key-s-{first['i']}"}


def fields(value: Any, path: str = "") -> Fields:
    """Return the paths of all fields; entries of lists and tables are one."""
    if isinstance(value, list):
        return {found for each in value for found in fields(each, f"{path}[]")}
    if not isinstance(value, dict):
        return {path}
    found = {path}
    for key, each in value.items():
        name = key if _FIELD.fullmatch(key) else "*"
        found |= fields(each, f"{path}.{name}")
    return found


def succeeded(response: Any) -> bool:
    """Return whether a page got what it asked for."""
    return isinstance(response, dict) and response.get("status") == 0


def traced(response: Any) -> list[str]:
    """Return the kinds of the traces on a page, in order."""
    views = response["data"]["messageTraceViews"] if succeeded(response) else []
    return sorted(each["traceType"] for each in views)


def shown(make: str, jar: Path, scratch: Path) -> dict[str, Any]:
    """Run a cluster and the dashboard; return the responses to all pages."""
    lab = Lab(scratch / make)
    dashboard = None
    try:
        cluster = lab.cluster(make)
        words = use(lab, cluster)
        dashboard = Dashboard(jar, cluster.names.address, scratch / make)

        def is_committed() -> bool:
            page = dashboard.ask(PROGRESS, words)
            return succeeded(page) and any(
                each["topic"] == TOPIC and each["diffTotal"] == 0
                for each in page["data"]
            )

        wait_until(is_committed, 120, "the offsets of the group")
        members = dashboard.ask(MEMBERS, words)["data"]["connectionSet"]
        words["clientId"] = members[0]["clientId"]
        routes = dashboard.ask("topic/route.query topic", words)["data"]
        words["brokerName"] = routes["brokerDatas"][0]["brokerName"]
        wait_until(lambda: traced(dashboard.ask(TRACE, words)) == KINDS, 60, "traces")
        found = {
            page: dashboard.ask(page, words)
            for page in (MEMBERS, PROGRESS, *PAGES, CONFIG)
        }
        for page, body in CHANGES:
            found[page] = dashboard.change(page, body, words)
        return found
    finally:
        if dashboard is not None:
            dashboard.end()
        lab.close()


def compare(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """Return what pages lack that are shown of our servers."""
    wrong = []
    for page, response in theirs.items():
        if not succeeded(response):
            print(f"fails on Apache's, too: {page}: {str(response)[:200]}")
        elif not succeeded(ours[page]):
            wrong.append(f"{page}: {str(ours[page])[:300]}")
        elif page != CONFIG:
            missing = fields(response) - fields(ours[page])
            wrong += [f"{page} lacks {path}" for path in sorted(missing)]
    return wrong


def main(words: list[str]) -> int:
    """Run the command line; return 1 if a page lacks something."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop.dashboard")
    parser.add_argument("source", help="a Git address, or a checkout")
    asked = parser.parse_args(words)
    apache.build()
    with tempfile.TemporaryDirectory(prefix="dashboard-") as directory:
        scratch = Path(directory)
        jar = built(asked.source, scratch, "rocketmq-dashboard-*.jar")
        theirs = shown("v53", jar, scratch)
        ours = shown(OURS, jar, scratch)
        start = partial(Dashboard, jar)
        users = {make: users_shown(make, scratch, start) for make in ("v53", OURS)}
    wrong = compare(theirs, ours) + differences(users["v53"], users[OURS])
    good = sum(succeeded(response) for response in ours.values())
    print(f"{good} of {len(ours)} pages succeed on ours")
    same = len(users[OURS]) - len(differences(users["v53"], users[OURS]))
    print(f"{same} of {len(users[OURS])} responses are the same with access control")
    for line in wrong:
        print(line)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
