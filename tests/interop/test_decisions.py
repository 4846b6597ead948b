"""
Apache RocketMQ's own classes decide who may do what, as our tests' oracles do.

Its class path mixes 5.5.1 with the access control of 5.5.0, the last one in Maven
Central: a broker made of it fails when it authorizes, but these classes work.
"""

from __future__ import annotations

import subprocess
from base64 import b64encode
from pathlib import Path

from rocketmq_tw.wire.requests.send import SendBack
from tests.auth import matrix
from tests.broker.access import plain_matrix

from .apache import JAVA, class_path


def decisions(release: str, name: str, lines: list[str], home: Path) -> list[bool]:
    """Give lines to a program in one file, and read what it prints for each case."""
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
    words = done.stdout.split()
    assert done.returncode == 0 and set(words) <= {"allow", "deny"}, done.stderr[-2000:]
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
