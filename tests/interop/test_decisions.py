"""
Apache RocketMQ's own classes decide who may do what, as our tests' oracles do.

Its class path mixes 5.5.1 with the access control of 5.5.0, the last one in Maven
Central: a broker made of it fails when it authorizes, but these classes work.
"""

from __future__ import annotations

import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.signature import signer
from rocketmq_tw.model.access import Need, ResourceKind
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from rocketmq_tw.wire.requests.lock import LockQueues, UnlockQueues
from rocketmq_tw.wire.requests.rules import RULES
from rocketmq_tw.wire.requests.send import SendBack
from rocketmq_tw.wire.requests.topic import CreateTopic
from tests.auth import matrix
from tests.broker.access import plain_matrix, samples

from .apache import JAVA, class_path

#: The first offset of a queue and its time, which are known with ``Sub`` here.
LOOSER = {RequestCode.GET_MIN_OFFSET, RequestCode.GET_EARLIEST_MSG_STORETIME}


def answers(release: str, name: str, lines: list[str], home: Path) -> list[str]:
    """Give lines to a program in one file, and return those that it prints."""
    source = JAVA / "access" / f"{name}.java"
    flags = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    flags += [f"-Drocketmq.home.dir={home}", f"-Duser.home={home}"]
    done = subprocess.run(
        ["java", *flags, "-cp", class_path(release), str(source)],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split("\n")[:-1]


def decisions(release: str, name: str, lines: list[str], home: Path) -> list[bool]:
    """Give lines to a program, and read what it decides about each case."""
    words = answers(release, name, lines, home)
    assert set(words) <= {"allow", "deny"}, words[:9]
    return [word == "allow" for word in words]


def policy_lines() -> list[str]:
    """Return the users of the matrix, their rules, and all cases."""
    users = {**matrix.USERS, matrix.DISABLED: matrix.USERS["all"], matrix.SUPER: ()}
    lines = []
    for user in users:
        kind = "Super" if user == matrix.SUPER else "Normal"
        status = "disable" if user == matrix.DISABLED else "enable"
        lines.append(f"user\t{user}\t{kind}\t{status}")
    for user, rules in users.items():
        for rule in rules:
            actions, sources = ",".join(rule.actions), ",".join(rule.sources)
            decision = "Allow" if rule.is_allowed else "Deny"
            parts = ("rule", user, rule.policy, rule.resource, actions, sources)
            lines.append("\t".join((*parts, decision)))
    for case in matrix.cases():
        actions = ",".join(case.actions)
        lines.append(f"case\t{case.user}\t{case.resource}\t{actions}\t{case.address}")
    return lines


def usual(kind: type[Request[Any]]) -> Request[Any]:
    """Make a request about the topic T and the group G, which Java reads, too."""
    request = samples.sample(kind)
    for field in ("topic", "group", "consumer_group", "group_name", "origin_topic"):
        if hasattr(request, field):
            setattr(request, field, "T" if "topic" in field else "G")
    if isinstance(request, Heartbeat):
        request.body = plain_matrix.heartbeat("G", "T")
    elif isinstance(request, LockQueues | UnlockQueues):
        queue = b'{"brokerName":"b","queueId":0,"topic":"T"}'
        request.body = b'{"clientId":"c","consumerGroup":"G","mqSet":[%b]}' % queue
    elif isinstance(request, CreateTopic):
        request.default_topic, request.topic_filter_type = "TBW102", "SINGLE_TAG"
        request.topic_sys_flag, request.order = 0, False
    return request


def test_needs(tmp_path: Path) -> None:
    """Each request needs what it needs there, or more."""
    requests = [usual(kind) for kind in samples.declared().values()]
    sign = signer(Credentials("somebody", "secret"))
    frames = [encode_request(each, 1, sign=sign) for each in requests]
    lines = [b64encode(frame).decode() for frame in frames]
    found = answers("v55", "RequestNeeds", lines, tmp_path)
    judged = 0
    for request, line in zip(requests, found, strict=True):
        code = int(request.code)
        for need in line.split():
            resource, _, actions = need.partition("=")
            judged += 1
            own = RULES[code].needs(request)
            is_as_strict = any(_covers(each, resource, actions) for each in own)
            assert code in LOOSER or is_as_strict, (type(request).__name__, line)
    assert judged > 60


def _covers(need: Need, resource: str, actions: str) -> bool:
    """Whether a need is one there, or one of the cluster, which operators have."""
    is_of_cluster = resource.startswith("Cluster:")
    if need.kind is ResourceKind.CLUSTER and not is_of_cluster:
        return True
    is_same = is_of_cluster or f"{need.kind.value}:{need.name}" == resource
    return is_same and set(need.actions) <= set(actions.split(","))


def test_policies(tmp_path: Path) -> None:
    """Users and policies: nine thousand cases."""
    cases = list(matrix.cases())
    found = decisions("v55", "PolicyDecisions", policy_lines(), tmp_path)
    pairs = zip(cases, found, strict=True)
    assert not [case for case, theirs in pairs if matrix.is_allowed(case) != theirs]


def test_accounts(tmp_path: Path) -> None:
    """
    Accounts of a file: a thousand frames.

    Only a message that is sent back needs more here: the right to its topic.
    """
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "plain_acl.yml").write_text(plain_matrix.file())
    cases = list(plain_matrix.cases())
    lines = [f"{each.address}\t{b64encode(each.frame()).decode()}" for each in cases]
    found = decisions("v49", "PlainDecisions", lines, tmp_path)
    stricter = []
    for asked, theirs in zip(cases, found, strict=True):
        if asked.is_allowed != theirs:
            assert theirs and isinstance(asked.request, SendBack), asked
            stricter.append(asked)
    assert stricter
