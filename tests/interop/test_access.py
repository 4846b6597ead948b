"""
Access control with Apache RocketMQ: its clients and tools on our broker, our client on
its brokers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from . import steps
from .corpus import check_once
from .lab import OURS, Lab, Server
from .program import wait_for_messages, wait_until

PLAN = "sync:20,async:20,oneway:20,batch:20"
COUNT = 80

PLAIN = """
globalWhiteRemoteAddresses: []
accounts:
  - accessKey: client-key
    secretKey: secret-of-client
    admin: false
    defaultTopicPerm: DENY
    defaultGroupPerm: DENY
    topicPerms:
      - Allowed_v49=PUB|SUB
      - Allowed_v55=PUB|SUB
      - Allowed_go=PUB|SUB
      - Allowed_ours=PUB|SUB
    groupPerms:
      - G_Allowed_v49=SUB
      - G_Allowed_v55=SUB
      - G_Allowed_go=SUB
      - G_Allowed_ours=SUB
      - interop_producer=PUB|SUB
  - accessKey: admin-key
    secretKey: secret-of-admin
    admin: true
"""
ACCOUNT = {"user": "client-key", "password": "secret-of-client"}

USERS = {
    "authenticationEnabled": "true",
    "authorizationEnabled": "true",
    "initAuthenticationUser": '{"username":"admin","password":"secret-of-admin"}',
    "innerClientAuthenticationCredentials": (
        '{"accessKey":"inner","secretKey":"secret-of-inner"}'
    ),
}
PROVIDERS = {
    f"{what}Provider": f"org.apache.rocketmq.auth.{package}.provider.{name}"
    for what, package, name in (
        ("authentication", "authentication", "DefaultAuthenticationProvider"),
        (
            "authenticationMetadata",
            "authentication",
            "LocalAuthenticationMetadataProvider",
        ),
        ("authorization", "authorization", "DefaultAuthorizationProvider"),
        (
            "authorizationMetadata",
            "authorization",
            "LocalAuthorizationMetadataProvider",
        ),
    )
}
ADMIN = {"user": "admin", "password": "secret-of-admin"}
BOB = {"user": "bob", "password": "secret-of-bob"}


def check_allowed(lab: Lab, names: Server, make: str, who: dict[str, str]) -> None:
    """Send and receive as a user who may."""
    topic = f"Allowed_{make}"
    lab.sender(make, names, topic=topic, plan=PLAN, **who).finish()
    consumer = lab.consumer(make, names, topic=topic, group=f"G_{topic}", **who)
    lines = wait_for_messages([consumer], COUNT, 60)
    consumer.stop()
    check_once(range(COUNT), lines)


def check_denied(lab: Lab, names: Server, make: str, options: dict[str, Any]) -> None:
    """Nothing is sent, whoever it is."""
    program = lab.sender(make, names, topic="Denied", plan="sync:1", **options)
    with pytest.raises(AssertionError):
        program.finish()
    assert not program.events("sent")


@pytest.fixture
def plain(tmp_path: Path) -> str:
    """Write the accounts of ACL 1.0."""
    path = tmp_path / "plain_acl.yml"
    path.write_text(PLAIN)
    return str(path)


def test_plain(lab: Lab, plain: str) -> None:
    """Accounts of ``plain_acl.yml``: clients that may, and those that may not."""
    names = lab.name_server(OURS)
    lab.broker(OURS, names, aclEnable="true", aclFile=plain)
    for make in ("v49", "v55", OURS):
        check_allowed(lab, names, make, ACCOUNT)
    for make in ("v49", "v55"):
        for who in ({}, ACCOUNT, {**ACCOUNT, "password": "another"}):
            check_denied(lab, names, make, who)


def test_go(lab: Lab, plain: str) -> None:
    """The Go client, whose consumer needs a topic that exists."""
    steps.build("go")
    names = lab.name_server(OURS)
    broker = lab.broker(OURS, names, aclEnable="true", aclFile=plain)
    lab.wait_for_brokers(names, broker)
    check_allowed(lab, names, "go", ACCOUNT)
    for who in ({}, {**ACCOUNT, "password": "another"}):
        check_denied(lab, names, "go", who)


def test_tools(lab: Lab) -> None:
    """``mqadmin`` makes a user, says what it may do, and takes that away."""
    names = lab.name_server(OURS)
    broker = lab.broker(OURS, names, **USERS)
    home = lab.scratch / "home-tools" / "conf"
    home.mkdir(parents=True, exist_ok=True)
    (home / "tools.yml").write_text("accessKey: admin\nsecretKey: secret-of-admin\n")
    where = f"-b {broker.address}"
    resources = ",".join(
        f"Topic:Allowed_{make},Group:G_Allowed_{make}" for make in ("v49", "v55", OURS)
    )
    wrong = {}
    for command, expected in (
        (f"createUser {where} -u bob -p secret-of-bob -t Normal", "success"),
        (f"getUser {where} -u bob", "Normal"),
        (f"listUser {where} -f bob", "bob"),
        (
            f"createAcl {where} -s User:bob -r {resources} -a Pub,Sub -d Allow",
            "success",
        ),
        (f"getAcl {where} -s User:bob", "Topic:Allowed_v49"),
        (f"listAcl {where} -s User:bob", "Group:G_Allowed_v55"),
        (f"updateUser {where} -u bob -s enable", "success"),
    ):
        printed = lab.admin(names, command, "v55")
        if expected not in printed or "Exception" in printed:
            wrong[command] = printed[-1500:]
    assert not wrong
    for make in ("v49", "v55", OURS):
        check_allowed(lab, names, make, BOB)
    for who in ({}, BOB, {**BOB, "password": "another"}):
        check_denied(lab, names, "v55", who)
    for command in (
        f"deleteAcl {where} -s User:bob -r Topic:Allowed_v49",
        f"deleteUser {where} -u bob",
    ):
        printed = lab.admin(names, command, "v55")
        assert "success" in printed, printed


@pytest.mark.parametrize("release", ["v49", "v55"])
def test_apache(lab: Lab, release: str) -> None:
    """Our client signs as Apache RocketMQ's brokers expect."""
    names = lab.name_server(release)
    if release == "v49":
        # It is looked for below the home of the broker, which is in this folder.
        (lab.scratch / "plain_acl.yml").write_text(PLAIN)
        flags = ("-Drocketmq.acl.plain.file=../plain_acl.yml",)
        more: dict[str, Any] = {"aclEnable": "true", "jvm": flags}
        who = ACCOUNT
    else:
        # The evaluator of 5.5.1 is in no registry: the broker has that of 5.5.0.
        more = {**USERS, **PROVIDERS, "authorizationEnabled": "false"}
        who = ADMIN
    lab.broker(release, names, **more)

    def is_ready() -> bool:
        program = lab.sender(OURS, names, topic="Allowed_ours", plan="sync:1", **who)
        try:
            program.finish()
        except AssertionError:
            return False
        return True

    wait_until(is_ready, 60, "a broker that accepts the signature")
    topic = "Allowed_ours"
    options = {"topic": topic, "group": f"G_{topic}", **who}
    consumer = lab.consumer(OURS, names, **options)
    wait_for_messages([consumer], 1, 60)
    consumer.stop()
    check_denied(lab, names, OURS, {**who, "password": "another-secret"})
    check_denied(lab, names, OURS, {})
