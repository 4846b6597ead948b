"""
Accounts of ACL 1.0 and the requests of clients, and an oracle of what is allowed.

Apache RocketMQ's classes decide the same frames in ``tests/interop/test_access.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.signature import signer
from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.heartbeat import (
    GetConsumerList,
    Heartbeat,
    UnregisterClient,
)
from rocketmq_tw.wire.requests.message import QueryMessage
from rocketmq_tw.wire.requests.offset import UpdateConsumerOffset
from rocketmq_tw.wire.requests.pull import PullMessage
from rocketmq_tw.wire.requests.send import SendBack, SendMessage, SendMessageV2

#: Whose requests need no signature.
WHITE, OWN_WHITE = "10.0.1.7", "10.0.2.9"
OTHER = "10.0.3.1"


class Rights(msgspec.Struct, frozen=True):
    """What an account may do; a topic or group that is not listed has the default."""

    topic: str = "DENY"
    group: str = "DENY"
    topics: dict[str, str] = {}
    groups: dict[str, str] = {}
    is_admin: bool = False


ACCOUNTS = {
    "nothing-1": Rights(),
    "sends-1": Rights(topics={"T1": "PUB", "T2": "DENY"}, group="PUB|SUB"),
    "reads-1": Rights(topics={"T1": "SUB"}, groups={"G1": "SUB"}),
    "default-1": Rights("PUB|SUB", "SUB", {"T1": "DENY", "T2": "SUB"}, {"G1": "DENY"}),
    "mixed-1": Rights("PUB", "DENY", {"T2": "PUB|SUB"}, {"G2": "PUB|SUB", "G1": "PUB"}),
    "admin-1": Rights(is_admin=True),
    "admin-2": Rights("DENY", "SUB", {"T1": "PUB"}, is_admin=True),
}
UNKNOWN = "unknown-1"
TOPICS, GROUPS = ("T1", "T2", "T3"), ("G1", "G2", "G3")


class Asked(msgspec.Struct, frozen=True):
    """
    One request.

    :ivar who: the account; None does not sign.
    :ivar needs: ``topic`` or ``group``, the name, and ``PUB`` or ``SUB``.
    """

    request: Request[Any]
    needs: tuple[tuple[str, str, str], ...]
    who: str | None
    secret: str
    address: str

    def frame(self) -> bytes:
        """Return it as it is sent."""
        sign = None
        if self.who is not None:
            sign = signer(Credentials(self.who, self.secret))
        return encode_request(self.request, 1, sign=sign)

    @property
    def is_allowed(self) -> bool:
        """What should come of it."""
        if self.address == WHITE:
            return True
        rights = ACCOUNTS.get(self.who or "")
        if rights is None:
            return False
        if self.address == OWN_WHITE and self.who == "nothing-1":
            return True
        if self.secret != secret_of(self.who or ""):
            return False
        if rights.is_admin and not rights.topics and not rights.groups:
            return True
        return all(_has(rights, *need) for need in self.needs)


def _has(rights: Rights, kind: str, name: str, wanted: str) -> bool:
    """Whether an account has one right."""
    default, listed = (
        (rights.topic, rights.topics)
        if kind == "topic"
        else (rights.group, rights.groups)
    )
    return wanted in listed.get(name, default).split("|")


def secret_of(account: str) -> str:
    """Return the secret of an account."""
    return f"secret-of-{account}"


def requests() -> Iterator[tuple[Request[Any], tuple[tuple[str, str, str], ...]]]:
    """Return requests of clients, and what Apache RocketMQ wants for them."""
    for topic in TOPICS:
        sent = (("topic", topic, "PUB"),)
        read = (("topic", topic, "SUB"),)
        values = ("P", topic, "TBW102", 4, 0, 0, 1, 0)
        yield SendMessage(*values, body=b"x"), sent
        yield SendMessageV2(*values, body=b"x"), sent
        yield QueryMessage(topic, "k", 1, 0, 9), read
        for group in GROUPS:
            of_group = ("group", group, "SUB")
            both = (*read, of_group)
            yield PullMessage(group, topic, 0, 0, 1, 0, 0, 0), both
            yield UpdateConsumerOffset(group, topic, 0, 0), both
            # Apache RocketMQ wants the right to the group only.
            yield SendBack(0, group, 0, origin_topic=topic), both
            yield Heartbeat(body=heartbeat(group, topic)), both
    for group in GROUPS:
        of_group = ("group", group, "SUB")
        yield GetConsumerList(group), (of_group,)
        yield UnregisterClient("c", consumer_group=group), (of_group,)
        yield Heartbeat(body=heartbeat(group)), (of_group,)


def heartbeat(group: str, *topics: str) -> bytes:
    """Return the body of a consumer's heartbeat, as Java writes it."""
    subscriptions = [
        {"topic": topic, "subString": "*", "subVersion": 1} for topic in topics
    ]
    consumer = {
        "groupName": group,
        "consumeType": "CONSUME_PASSIVELY",
        "messageModel": "CLUSTERING",
        "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET",
        "subscriptionDataSet": subscriptions,
        "unitMode": False,
    }
    return msgspec.json.encode({"clientID": "c", "consumerDataSet": [consumer]})


def cases() -> Iterator[Asked]:
    """Return every account with every request, and other ways to be refused."""
    for request, needs in requests():
        for who in ACCOUNTS:
            yield Asked(request, needs, who, secret_of(who), OTHER)
            yield Asked(request, needs, who, "another-secret", OTHER)
        yield Asked(request, needs, UNKNOWN, secret_of(UNKNOWN), OTHER)
        yield Asked(request, needs, None, "", OTHER)
        yield Asked(request, needs, None, "", WHITE)
        yield Asked(request, needs, "nothing-1", "another-secret", OWN_WHITE)
        yield Asked(request, needs, "sends-1", "another-secret", OWN_WHITE)


def file() -> str:
    """Return ``plain_acl.yml`` with the accounts."""
    lines = ["globalWhiteRemoteAddresses:", "  - 10.0.1.*", "accounts:"]
    for name, rights in ACCOUNTS.items():
        lines += [f"  - accessKey: {name}", f"    secretKey: {secret_of(name)}"]
        if name == "nothing-1":
            lines.append("    whiteRemoteAddress: 10.0.2.9")
        lines.append(f"    admin: {str(rights.is_admin).lower()}")
        lines.append(f"    defaultTopicPerm: {rights.topic}")
        lines.append(f"    defaultGroupPerm: {rights.group}")
        for kind, listed in (("topic", rights.topics), ("group", rights.groups)):
            if listed:
                lines.append(f"    {kind}Perms:")
                lines += [f"      - {each}={right}" for each, right in listed.items()]
    return "\n".join(lines) + "\n"
