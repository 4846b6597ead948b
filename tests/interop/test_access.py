"""
Access control with Apache RocketMQ: its clients and tools on our broker, our client on
its brokers.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rocketmq_tw.auth.yaml_text import read_yaml, write_yaml

from . import steps
from .corpus import check_once
from .lab import OURS, Lab, Server
from .program import wait_for_messages
from .test_rocketmq_admin import Admin

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
        '{"accessKey":"inner-broker","secretKey":"secret-of-inner"}'
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
MIGRATION = {"migrateAuthFromV1Enabled": "true"}
ADMIN = {"user": "admin", "password": "secret-of-admin"}
BOB = {"user": "bob", "password": "secret-of-bob"}


def check_allowed(lab: Lab, names: Server, make: str, who: dict[str, str]) -> None:
    """Send and receive as a user who may."""
    steps.secured_round_trip(lab, names, make, f"Allowed_{make}", who)


def check_denied(
    lab: Lab, names: Server, make: str, options: dict[str, Any], plan: str = "sync:1"
) -> None:
    """Nothing is sent, whoever it is."""
    steps.check_refused(lab, names, make, options, "Denied", plan)


def check_sent_back(lab: Lab, names: Server, make: str, who: dict[str, str]) -> None:
    """What a consumer refuses comes again: it may read the topic and use the group."""
    topic = f"Allowed_{make}"
    options = {"topic": topic, "group": f"G_{topic}", "refuse": 4, **who}
    # The group has a retry topic since the consumer before, and a route to it.
    consumer = lab.consumer(make, names, **options)
    lab.sender(make, names, topic=topic, seed=topic, plan="sync:20", **who).finish()
    lines = wait_for_messages([consumer], 20, 60)
    consumer.stop()
    check_once(range(20), lines)
    again = [line["properties"]["i"] for line in lines if line["reconsumeTimes"]]
    assert sorted(map(int, again)) == list(range(0, 20, 4))


def guarded_name_server(lab: Lab) -> Server:
    """Start a name server of ours that lets brokers with the inner user register."""
    path = lab.scratch / "names.yml"
    account = USERS["innerClientAuthenticationCredentials"]
    path.write_text(f"accounts: [{account[:-1]},admin: true}}]")
    return lab.name_server(OURS, aclEnable="true", aclFile=path)


@pytest.fixture
def plain(tmp_path: Path) -> str:
    """Write the accounts of ACL 1.0."""
    path = tmp_path / "plain_acl.yml"
    path.write_text(PLAIN)
    return str(path)


def test_plain(lab: Lab, plain: str) -> None:
    """Accounts of ``plain_acl.yml``: clients that may, and those that may not."""
    names = lab.name_server(OURS)
    broker = lab.broker(OURS, names, aclEnable="true", aclFile=plain)
    for make in ("v49", "v55", OURS):
        check_allowed(lab, names, make, ACCOUNT)
    check_sent_back(lab, names, "v55", ACCOUNT)
    for make in ("v49", "v55"):
        for who, plan in (
            ({}, "sync:1"),
            (ACCOUNT, "batch:20"),
            ({**ACCOUNT, "password": "another"}, "async:1"),
        ):
            check_denied(lab, names, make, who, plan)
    check_account_tools(lab, names, broker, plain)


def check_account_tools(lab: Lab, names: Server, broker: Server, path: str) -> None:
    """``mqadmin`` of 4.9 shows accounts, makes one, and takes it away."""
    where = f"-b {broker.address}"
    make = "updateAclConfig -c DefaultCluster -a another-key -s secret-of-another"
    as_administrator(lab, "client-key", "secret-of-client")
    for command in (f"getAclConfig {where}", f"{make} -m true"):
        assert "admin" in run(lab, names, command), command
    as_administrator(lab, "admin-key")
    wrong = {}
    for command, expected in (
        (f"getAclConfig {where}", "Allowed_v55=PUB|SUB"),
        (f"{make} -t Denied=PUB -g interop_producer=PUB|SUB", "success"),
        (f"updateGlobalWhiteAddr {where} -g 10.1.2.*,10.1.3.7 -p {path}", "success"),
        (f"clusterAclConfigVersion {where}", path),
        (f"getAccessConfigSubCommand {where}", "another-key"),
        (f"getAclConfig {where}", "10.1.3.7"),
    ):
        printed = run(lab, names, command)
        if (
            expected not in printed
            or "Exception" in printed
            or "secret-of-c" in printed
        ):
            wrong[command] = printed[-1500:]
    assert not wrong
    who = {"user": "another-key", "password": "secret-of-another"}
    lab.sender(OURS, names, topic="Denied", plan="sync:1", **who).finish()
    printed = run(lab, names, f"deleteAccessConfig {where} -a another-key")
    assert "success" in printed, printed
    check_denied(lab, names, OURS, who)
    for command in (
        f"deleteAccessConfig {where} -a another-key",
        f"updateGlobalWhiteAddr {where} -g * -p /etc/hosts",
    ):
        assert "CODE: 21" in run(lab, names, command), command


def run(lab: Lab, names: Server, command: str) -> str:
    """Run ``mqadmin`` of 4.9."""
    return lab.admin(names, command, "v49")


def test_go(lab: Lab, plain: str) -> None:
    """The Go client, whose consumer needs a topic that exists."""
    steps.build("go")
    names = lab.name_server(OURS)
    broker = lab.broker(OURS, names, aclEnable="true", aclFile=plain)
    lab.wait_for_brokers(names, broker)
    check_allowed(lab, names, "go", ACCOUNT)
    for who in ({}, {**ACCOUNT, "password": "another"}):
        check_denied(lab, names, "go", who)


def test_tools(lab: Lab, plain: str) -> None:
    """``mqadmin`` makes a user, says what it may do, and takes that away."""
    names = guarded_name_server(lab)
    broker = lab.broker(OURS, names, **USERS, **MIGRATION, aclFile=plain)
    as_administrator(lab)
    where = f"-b {broker.address}"
    resources = ",".join(
        f"Topic:Allowed_{make},Group:G_Allowed_{make}" for make in ("v55", OURS)
    )
    check_migrated(lab, names, where, "v55")
    wrong = {}
    for command, expected in (
        (f"createUser {where} -u bob -p secret-of-bob -t Normal", "success"),
        (f"getUser {where} -u bob", "Normal"),
        (f"listUser {where} -f bob", "bob"),
        (
            f"createAcl {where} -s User:bob -r {resources} -a Pub,Sub -d Allow",
            "success",
        ),
        (f"getAcl {where} -s User:bob", "Topic:Allowed_ours"),
        (f"listAcl {where} -s User:bob", "Group:G_Allowed_v55"),
        (f"updateUser {where} -u bob -s enable", "success"),
    ):
        printed = lab.admin(names, command, "v55")
        if expected not in printed or "Exception" in printed:
            wrong[command] = printed[-1500:]
    assert not wrong
    for make in ("v55", OURS):
        check_allowed(lab, names, make, BOB)
    for who in ({}, BOB):
        check_denied(lab, names, "v55", who)
    for command in (
        f"deleteAcl {where} -s User:bob -r Topic:Allowed_v55",
        f"deleteUser {where} -u bob",
    ):
        printed = lab.admin(names, command, "v55")
        assert "success" in printed, printed


def test_apache_accounts(lab: Lab) -> None:
    """Our client signs as the brokers of 4.9 expect."""
    names = lab.name_server("v49")
    # It is looked for below the home of the broker, which is in this folder.
    # It has the form in which our broker writes it after a change.
    document = write_yaml(read_yaml(PLAIN.encode()))
    (lab.scratch / "plain_acl.yml").write_bytes(document)
    flags = ("-Drocketmq.acl.plain.file=../plain_acl.yml",)
    lab.broker("v49", names, aclEnable="true", jvm=flags)
    steps.wait_until_sent(lab, names, OURS, "Allowed_ours", ACCOUNT)
    check_apache(lab, names, ACCOUNT)
    operator = {"user": "admin-key", "password": "secret-of-admin"}
    check_commands(lab, names, operator, ACCOUNT)


def test_apache_users(lab: Lab) -> None:
    """
    Our client has the permissions that a broker of 5.3 gives.

    That broker signs its registrations, as our name server wants.
    """
    names = guarded_name_server(lab)
    (lab.scratch / "plain_acl.yml").write_text(PLAIN)
    flags = ("-Drocketmq.acl.plain.file=../plain_acl.yml",)
    settings = {**USERS, **PROVIDERS, **MIGRATION}
    broker = lab.broker("v53", names, **settings, jvm=flags)
    steps.wait_until_sent(lab, names, OURS, "Allowed_ours", ADMIN)
    as_administrator(lab)
    where = f"-b {broker.address}"
    check_migrated(lab, names, where, "v53")
    allowed = "Topic:Allowed_ours,Group:G_Allowed_ours"
    for command in (
        f"createUser {where} -u bob -p secret-of-bob -t Normal",
        f"createAcl {where} -s User:bob -r {allowed} -a Pub,Sub -d Allow",
    ):
        printed = lab.admin(names, command, "v53")
        assert "success" in printed, printed
    check_apache(lab, names, BOB)
    # Our name server, which takes no such short names, does not know the operator.
    check_commands(lab, names, ADMIN, BOB, code=4)
    check_user_commands(lab, names)


def check_migrated(lab: Lab, names: Server, where: str, release: str) -> None:
    """The accounts of the file have become users, with these policies."""
    makes = ("v49", "v55", "go", "ours")
    expected = {f"Custom Topic:Allowed_{make} [Pub, Sub] Allow" for make in makes}
    expected |= {f"Custom Group:G_Allowed_{make} [Sub] Allow" for make in makes}
    expected |= {f"Default {kind}:* [All] Deny" for kind in ("Topic", "Group")}
    expected.add("Custom Group:interop_producer [Pub, Sub] Allow")
    printed = lab.admin(names, f"listAcl {where} -s User:client-key", release)
    lines = (line.partition("User:client-key ") for line in printed.splitlines())
    found = {" ".join(each.replace("null", "").split()) for _, _, each in lines if each}
    assert found == expected, printed
    printed = lab.admin(names, f"listUser {where}", release)
    for name, kind in (("client-key", "Normal"), ("admin-key", "Super")):
        assert re.search(f"{name} .* {kind} ", printed), printed


def check_apache(lab: Lab, names: Server, who: dict[str, str]) -> None:
    """A user may use one topic, and nobody else anything."""
    topic = "Allowed_ours"
    lab.sender(OURS, names, topic=topic, plan="sync:1", **who).finish()
    consumer = lab.consumer(OURS, names, topic=topic, group=f"G_{topic}", **who)
    wait_for_messages([consumer], 2, 60)
    consumer.stop()
    for other in (who, {**who, "password": "another-secret"}, {}):
        check_denied(lab, names, OURS, other)


def check_commands(
    lab: Lab,
    names: Server,
    operator: dict[str, str],
    user: dict[str, str],
    code: int = 0,
) -> None:
    """
    ``rocketmq-admin`` does what its user may, and says who may not do the rest.

    :param code: with which it ends where a name server is asked, too.
    """

    def acting_as(who: dict[str, str]) -> Admin:
        secret = lab.scratch / f"secret of {who['user']} is {who['password']}"
        secret.write_text(who["password"])
        options = ("--access-key", who["user"], "--secret-file", str(secret))
        return Admin(names.address, *options)

    admin, bob = acting_as(operator), acting_as(user)
    wrong = acting_as({"user": operator["user"], "password": "another-secret"})
    create = ("topic", "create", "Commanded", "--queues", "1")
    for other in (bob, wrong, Admin(names.address)):
        assert "broker-" in other.text(*create, code=1)
    assert len(admin.json(*create, code=code)["done"]) == 1
    for other in (bob, wrong, Admin(names.address)):
        other.text("message", "send", "Commanded", "x", code=1)
    sent = bob.json("message", "send", "Allowed_ours", "x")
    assert sent["status"] == "SEND_OK"
    assert admin.json("group", "create", "G_Commanded")["done"]
    assert admin.json("group", "lag", "G_Allowed_ours", "--no-owners")["queues"]
    assert admin.json("topic", "delete", "Commanded", "--yes", code=code)["done"]


def check_user_commands(lab: Lab, names: Server) -> None:
    """``rocketmq-admin user`` makes a user, who may then send to one topic."""
    secret, hers = lab.scratch / "secret", lab.scratch / "hers"
    secret.write_text(ADMIN["password"])
    hers.write_text("secret-of-eve")
    options = ("--access-key", ADMIN["user"], "--secret-file", str(secret))
    admin = Admin(names.address, *options)
    eve = Admin(names.address, "--access-key", "eve", "--secret-file", str(hers))
    create = ("user", "create", "eve", "--password-file", str(hers))
    assert len(admin.json(*create)["done"]) == 1
    assert "exists already" in admin.text(*create, code=1)
    assert "eve" in [each["name"] for each in admin.json("user", "list", "ev")]
    send = ("message", "send", "Allowed_ours", "x")
    eve.text(*send, code=1)
    grant = ("user", "grant", "eve", "Topic:Allowed_ours", "Topic:%RETRY%*")
    admin.json(*grant, "--action", "pub", "--action", "get")
    assert eve.json(*send)["status"] == "SEND_OK"
    shown = admin.json("user", "show", "eve")
    found = {each["resource"]: each["actions"] for each in shown["permissions"]}
    assert found == {
        "Topic:Allowed_ours": ["Get", "Pub"],
        "Topic:%RETRY%*": ["Get", "Pub"],
    }
    admin.json("user", "revoke", "eve", "Topic:Allowed_ours", "--yes")
    eve.text(*send, code=1)
    admin.json("user", "grant", "eve", "Topic:Allowed_ours", "--action", "Pub")
    assert eve.json(*send)["status"] == "SEND_OK"
    admin.json("user", "update", "eve", "--disable")
    eve.text(*send, code=1)
    [state] = admin.json("user", "show", "eve")["states"]
    assert (state["enabled"], state["is_super"]) == (False, False)
    admin.json("user", "revoke", "eve", "--all", "--yes")
    admin.json("user", "delete", "eve", "--yes")
    assert "there is no user" in admin.text("user", "show", "eve", code=1)


def as_administrator(
    lab: Lab, user: str = "admin", password: str = "secret-of-admin"
) -> None:
    """Let ``mqadmin`` sign; it looks before each command."""
    home = lab.scratch / "home-tools" / "conf"
    home.mkdir(parents=True, exist_ok=True)
    (home / "tools.yml").write_text(f"accessKey: {user}\nsecretKey: {password}\n")
