"""Clusters with access control: users, policies and accounts, and who may do what."""

from __future__ import annotations

from dataclasses import replace

from .command import (
    SETTINGS,
    Command,
    differs,
    more,
    same,
    staged,
)

_BROKER, _CLUSTER = "-b {broker}", "-c GuardedCluster"
_STAGE = "with access control"
_PASSWORDS = "passwords are not shown"
_BOB, _ALLOW = "-s User:bob", "-d Allow"

#: Users and policies of 5.x; an administrator signs.
USERS = staged(
    _STAGE,
    same(f"createUser {_BROKER} -u bob -p secret", "3001", "v55"),
    same(f"createUser {_BROKER} -u bob -p secret", "3001", "v55"),
    same(f"createUser {_CLUSTER} -u eve -p secret -t Super", "106 3001", "v55"),
    same(f"updateUser {_BROKER} -u bob -s disable", "3002", "v55"),
    same(f"updateUser {_CLUSTER} -u eve -p another -t Normal", "106 3002", "v55"),
    same(f"updateUser {_BROKER} -u nobody -s disable", "3002", "v55"),
    differs(f"getUser {_BROKER} -u bob", "3004", _PASSWORDS, "v55"),
    differs(f"getUser {_CLUSTER} -u eve", "106 3004", _PASSWORDS, "v55"),
    same(f"getUser {_BROKER} -u nobody", "3004", "v55"),
    differs(f"listUser {_BROKER}", "3005", _PASSWORDS, "v55"),
    differs(f"listUser {_CLUSTER} -f bo", "106 3005", _PASSWORDS, "v55"),
    same(f"listUser {_BROKER} -f nobody", "3005", "v55"),
    same("copyUser -f {broker} -t {broker}", "3005 3001 3002", "v55"),
    same("copyUser -f {broker} -t {broker} -u bob", "3004 3001 3002", "v55"),
    differs(
        "copyUser -f {broker} -t {other} -u eve",
        "3004 3001",
        "a password that is not shown is not copied",
        "v55",
    ),
    same("createUser -b {other} -u bob -p secret", "3001", "v55"),
    same(f"createAcl {_BROKER} {_BOB} -r Topic:T -a Pub {_ALLOW}", "3006", "v55"),
    same("copyAcl -f {broker} -t {other} -s User:bob", "3009 3006", "v55"),
    same("getAcl -b {other} -s User:bob", "3009", "v55"),
    same(
        f"createAcl {_CLUSTER} {_BOB} -r Group:G -a Sub {_ALLOW} -i 10.0.0.1",
        "106 3006",
        "v55",
    ),
    same(
        f"createAcl {_BROKER} -s User:nobody -r Topic:T -a Pub {_ALLOW}", "3006", "v55"
    ),
    same(f"createAcl {_BROKER} {_BOB} -r Topic:T -a Any {_ALLOW}", "3006", "v55"),
    same(f"createAcl {_BROKER} {_BOB} -r Nothing:T -a Pub {_ALLOW}", "3006", "v55"),
    same(
        f"createAcl {_BROKER} {_BOB} -r Topic:T -a Pub {_ALLOW} -i nowhere",
        "3006",
        "v55",
    ),
    same(f"updateAcl {_BROKER} {_BOB} -r Topic:T -a Sub {_ALLOW}", "3007", "v55"),
    same(
        f"updateAcl {_CLUSTER} {_BOB} -r Topic:U -a Pub -d Deny -i 10.0.0.0/8",
        "106 3007",
        "v55",
    ),
    same(f"getAcl {_BROKER} {_BOB}", "3009", "v55"),
    same(f"getAcl {_CLUSTER} {_BOB}", "106 3009", "v55"),
    same(f"getAcl {_BROKER} -s User:nobody", "3009", "v55"),
    same(f"listAcl {_BROKER}", "3010", "v55"),
    same(f"listAcl {_BROKER} -s bob -r Topic:T", "3010", "v55"),
    same(f"listAcl {_CLUSTER} -s nobody", "106 3010", "v55"),
    same("copyAcl -f {broker} -t {broker}", "3010 3007", "v55"),
    same("copyAcl -f {broker} -t {broker} -s User:bob", "3009 3007", "v55"),
    same(f"deleteAcl {_BROKER} {_BOB} -r Topic:U", "3008", "v55"),
    same(f"deleteAcl {_CLUSTER} {_BOB}", "106 3008", "v55"),
    same(f"deleteAcl {_BROKER} -s User:nobody", "3008", "v55"),
    same(f"deleteUser {_CLUSTER} -u eve", "106 3003", "v55"),
    same(f"deleteUser {_BROKER} -u nobody", "3003", "v55"),
)

#: Accounts of ACL 1.0; an administrator signs.
ACCOUNTS = staged(
    _STAGE,
    same(f"updateAclConfig {_BROKER} -a SomeKey1 -s SomeSecret1", "50", "v49"),
    same(
        f"updateAclConfig {_CLUSTER} -a OtherKey1 -s OtherSecret1 -w 10.0.0.*"
        " -i PUB|SUB -u SUB -t T=PUB,U=DENY -g G=SUB -m false",
        "106 50",
        "v49",
    ),
    differs(
        f"updateAclConfig {_BROKER} -a SomeKey1 -s short",
        "50",
        "the remark does not repeat the secret",
        "v49",
    ),
    differs(f"getAclConfig {_BROKER}", "54", "secrets are not shown", "v49"),
    differs(f"getAclConfig {_CLUSTER}", "106 54", "secrets are not shown", "v49"),
    same(f"clusterAclConfigVersion {_BROKER}", "52", "v49"),
    same(f"clusterAclConfigVersion {_CLUSTER}", "106 52", "v49"),
    same(f"updateGlobalWhiteAddr {_BROKER} -g 10.10.10.*", "53", "v49"),
    same(
        f"updateGlobalWhiteAddr {_CLUSTER} -g 10.10.11.* -p {{accounts}}",
        "106 53",
        "v49",
    ),
    same(f"deleteAclConfig {_BROKER} -a SomeKey1", "51", "v49"),
    same(f"deleteAclConfig {_CLUSTER} -a OtherKey1", "106 51", "v49"),
    more(
        f"deleteAclConfig {_BROKER} -a NoSuchKey1",
        "51",
        "the remark says that there is none",
        "v49",
    ),
)

_GUARDED = "GuardedTopic"
#: What others do with access control on; an administrator signs.
SIGNED = staged(
    _STAGE,
    same("clusterList", "106 28"),
    same(f"updateTopic {_BROKER} -t {_GUARDED} -r 2 -w 2", "17"),
    same(f"updateSubGroup {_BROKER} -g GuardedGroup", "200"),
    same(f"topicRoute -t {_GUARDED}", "105"),
    same(f"sendMessage -t {_GUARDED} -p hello -k KeyG -b {{name}} -i 0", "105 310"),
    same(f"topicStatus -t {_GUARDED}", "105 351 202"),
    same(f"queryMsgByKey -t {_GUARDED} -k KeyG", "105 12", "v55"),
    differs(
        f"queryMsgByKey -t {_GUARDED} -k KeyG",
        "105 12",
        "Apache's 4.9 refuses the signature of its own tool",
        "v49",
    ),
    same(f"printMsg -t {_GUARDED}", "105 31 30 11"),
    same(f"consumeMessage -t {_GUARDED} -b {{name}} -i 0 -o 0 -c 1", "105 11"),
    same(f"queryCq {_BROKER} -t {_GUARDED} -q 0 -i 0", "321"),
    same(f"brokerConsumeStats {_BROKER}", "317"),
    same(f"producer {_BROKER}", "328"),
    same(f"statsAll -t {_GUARDED}", "206 105 300 351 208 315"),
    differs(f"getBrokerConfig {_BROKER}", "26", SETTINGS),
    same(f"updateBrokerConfig {_BROKER} -k fileReservedTime -v 47", "25"),
    same(f"haStatus {_BROKER}", "907", "v55"),
    same(f"cleanExpiredCQ {_BROKER}", "306"),
    same(f"exportMetadata {_BROKER} -t -f {{out}}", "21 305"),
    same(f"deleteSubGroup {_CLUSTER} -g GuardedGroup", "106 207 215 216"),
    # One who may not do any of the next.
    same(f"createUser {_BROKER} -u carl-key -p secret-of-carl", "3001", "v55"),
    same(
        f"createAcl {_BROKER} -s User:carl-key -r Topic:CarlTopic -a Pub {_ALLOW}",
        "3006",
        "v55",
    ),
    same(
        f"updateAclConfig {_BROKER} -a carl-key -s secret-of-carl -t CarlTopic=PUB",
        "50",
        "v49",
    ),
)

_JAVA = "the remark names no place in Apache's source"
_GAP = "Apache's asks for no permission"


def _refused(stage: str, gaps: tuple[str, ...], why: str) -> tuple[Command, ...]:
    """
    Return what is refused to a user.

    :param gaps: what Apache's 4.9 lets anybody do whose signature is right.
    :param why: why other remarks of 4.9 differ.
    """
    found = []
    for text, codes, only in (
        (f"updateTopic {_BROKER} -t OtherGuarded -r 1 -w 1", "17", ""),
        (f"updateSubGroup {_BROKER} -g OtherGuarded", "200", ""),
        (f"topicStatus -t {_GUARDED}", "105 351 202", ""),
        (f"queryMsgByKey -t {_GUARDED} -k KeyG", "105 12", ""),
        (f"brokerConsumeStats {_BROKER}", "317", ""),
        (f"sendMessage -t {_GUARDED} -p hello -b {{name}} -i 0", "105 310", ""),
        (f"deleteTopic {_CLUSTER} -t {_GUARDED}", "106 215", ""),
        (f"listUser {_BROKER}", "3005", "v55"),
        (f"getAclConfig {_BROKER}", "54", "v49"),
    ):
        name = text.split()[0]
        if only in ("", "v55"):
            is_gap = bool(gaps) and name == "updateSubGroup"
            new = (
                differs(text, codes, _GAP, "v55")
                if is_gap
                else same(text, codes, "v55")
            )
            found.append(replace(new, stage=stage))
        if only in ("", "v49"):
            reason = _GAP if name in gaps else why
            old = differs(text, codes, reason, "v49")
            if name == "queryMsgByKey":
                # The tool says only that nothing was found.
                old = same(text, codes, "v49")
            found.append(replace(old, stage=stage))
    return tuple(found)


#: What is refused to one whose secret is wrong.
STRANGE = _refused("with a wrong secret", (), _JAVA)
#: What is refused to a user who may send to another topic only.
NORMAL = _refused(
    "by a user who may not",
    ("topicStatus", "brokerConsumeStats", "getAclConfig"),
    _JAVA,
)
