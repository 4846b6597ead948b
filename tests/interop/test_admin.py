"""Apache's ``mqadmin`` on our servers."""

from __future__ import annotations

import pytest

from .lab import Cluster, Lab
from .pairs import some
from .program import wait_until

TOPIC = "AdminTopic"
GROUP = "G_AdminTopic"
#: As many as there are in the default route: Java's client takes that one for a new
#: topic if its first question to the name server, or its wait for a lock, takes more
#: than three seconds, and then sends to queues that a smaller topic does not have.
QUEUES = 4

COMMANDS = {
    "clusterList": "broker-",
    f"updateTopic -c DefaultCluster -t {TOPIC} -r {QUEUES} -w {QUEUES}": "success",
    "topicList": TOPIC,
    "topicList -c": "DefaultCluster",
    f"topicRoute -t {TOPIC}": "brokerAddrs",
    f"topicStatus -t {TOPIC}": "broker-",
    f"topicClusterList -t {TOPIC}": "DefaultCluster",
    f"consumerProgress -g {GROUP}": "Diff Total: 0",
    f"consumerProgress -g {GROUP}{{inTopic}}": TOPIC,
    "consumerProgress": GROUP,
    "brokerStatus -b {broker}": "bootTimestamp",
    "getBrokerConfig -b {broker}": "brokerName",
    f"consumerConnection -g {GROUP}": TOPIC,
    f"queryMsgByKey -t {TOPIC} -k key-s-3": "#Message ID",
    f"queryMsgByUniqueKey -t {TOPIC} -i {{msgId}}": "trackType=CONSUMED",
    "queryMsgById -i {offsetMsgId}{inTopic}": "Queue Offset",
    f"queryMsgByOffset -t {TOPIC} -b {{name}} -i 0 -o 0": "Queue Offset",
    f"printMsg -t {TOPIC}": "MSGID",
    "updateSubGroup -c DefaultCluster -g G_made": "success",
    "deleteSubGroup -c DefaultCluster -g G_made": "success",
    "updateTopicPerm -c DefaultCluster -t AdminPerm -p 4": "success",
    "deleteTopic -c DefaultCluster -t AdminPerm": "success",
    "exportConfigs -c DefaultCluster -f {directory}": "success",
    "exportMetadata -c DefaultCluster -f {directory}": "success",
    "exportMetrics -c DefaultCluster -f {directory}": "success",
    "updateKvConfig -s some_space -k some_key -v some_value": "success",
    "deleteKvConfig -s some_space -k some_key": "success",
    f"cloneGroupOffset -s {GROUP} -d G_AdminClone -t {TOPIC}": "success",
    "brokerConsumeStats -b {broker}": GROUP,
    f"queryCq -t {TOPIC} -q 0 -i 0 -b {{broker}}": "physicOffset",
    f"statsAll -t {TOPIC}": GROUP,
    # Some seconds after it the consumer owns no queues, for about ten seconds.
    f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s now": "{name}",
    f"consumerStatus -g {GROUP}": "Rebalance OK",
}

REFUSED = {
    "updateBrokerConfig -b {broker} -k maxMessageSize -v 1000": (
        "maxMessageSize cannot be changed while the broker runs"
    ),
}
"""What our broker refuses, and the sentence that the tool prints."""


@pytest.mark.parametrize(
    ("shared", "release"),
    # What 5.5 prints is compared with Apache's servers in test_mqadmin.py.
    some([("ours", "v49"), ("ours", "v55"), ("ours", "v53")], 1),
    indirect=["shared"],
)
def test_mqadmin(shared: tuple[Lab, Cluster], release: str) -> None:
    """Each command prints what it should, and no exception."""
    lab, cluster = shared
    names = cluster.names
    lab.end_tools()  # some commands work only once in a process
    for topic in (TOPIC, "AdminPerm"):
        lab.make_topic(names, topic, queues=QUEUES)
    consumer = lab.consumer("v49", names, topic=TOPIC, group=GROUP)
    sender = lab.sender("v49", names, topic=TOPIC, plan="sync:8")
    sender.finish()
    consumer.wait_for("message", 8)
    sent = sender.events("sent")[0]
    words = {
        "broker": cluster.brokers[0].address,
        "name": sent["broker"],
        "msgId": sent["msgId"],
        "offsetMsgId": sent["offsetMsgId"],
        "directory": str(lab.scratch),
        "inTopic": "" if release == "v49" else f" -t {TOPIC}",
    }
    progress = f"consumerProgress -g {GROUP}"

    def committed() -> bool:
        # The retry topic may be committed first; then the other is not listed yet.
        printed = lab.admin(names, progress, release)
        topics = [line.split()[0] for line in printed.splitlines() if line.strip()]
        return "Diff Total: 0" in printed and topics.count(TOPIC) == QUEUES

    wait_until(committed, 60, "the offsets of the group")
    wrong = {}
    for command, expected in COMMANDS.items():
        printed = lab.admin(names, command.format(**words), release)
        # After a message comes how each group fared; a group that has just started
        # may lack its retry topic, and the tool says so.
        failed = "Exception" in printed.split("Message Body Path")[0]
        if expected.format(**words) not in printed or failed:
            wrong[command] = printed[-1500:]
    for command, expected in REFUSED.items():
        printed = lab.admin(names, command.format(**words), release)
        if expected not in printed:
            wrong[command] = printed[-1500:]
    printed = lab.admin(names, f"{progress} -s true", release)
    rows = [line.split() for line in printed.splitlines()]
    owners = {row[5] for row in rows if row and row[0] == TOPIC}
    consumer.stop()
    assert not wrong
    assert owners and "N/A" not in owners, printed
