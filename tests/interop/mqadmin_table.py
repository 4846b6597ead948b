"""
Every ``mqadmin`` command on Apache's servers and on ours, and a table of the results.

``python -m tests.interop.mqadmin_table`` runs the script of
:mod:`.mqadmin_script` with each release's tool on servers of both makes, and prints
how what they printed compares, with the lines that only one of both printed. It ends
with the number of commands that do not what the script says. Some ten minutes.
``python -m doc.mqadmin`` writes the page with these expectations.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rocketmq_tw.auth.yaml_text import read_yaml, write_yaml
from rocketmq_tw.model.msgid import offset_message_id
from rocketmq_tw.wire.requests.offset import GetAllConsumerOffset

from . import apache
from .lab import OURS, Lab
from .mqadmin_script import (
    ACCESS,
    ACCOUNTS,
    BUSY,
    CHANGING,
    DELETING,
    GROUP,
    LACKING,
    MAKING,
    PAIRED,
    READING,
    SCRIPT,
    TOPIC,
    Command,
    Expected,
)
from .program import Program, wait_until
from .requests import asked
from .test_access import PLAIN, PROVIDERS, USERS, as_administrator

#: Seconds that a command may take, and one that prints for ever.
LIMIT = 45
RUNS_ON = 10

#: What is different each time, and what stands for it.
_MASKS = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\S*/[^\s\"]*(lab|adm)[^\s\"]*", "<path>"),
        (r"\d+\.\d+\.\d+\.\d+@[\w#@.-]+", "<client>"),
        (r"/?\d+\.\d+\.\d+\.\d+(:\d+)?", "<address>"),
        (r"\b[0-9A-F]{32,}\b", "<id>"),
        (r"(originalMsgId=)[0-9A-F]+", r"\1<id>"),
        (r"(\$\$Lambda)\S*|@[0-9a-f]{5,8}\b", r"\1@<hash>"),
        (r"\d{4}-\d\d-\d\d[ #T]\d\d:\d\d:\d\d([,:.]\d+)?", "<time>"),
        (r"-?\d+(\.\d+)?([eE]-?\d+)?", "#"),
        # What brokers of 5.x add to messages, and those of 4.9 do not.
        (r"(TRACE_ON|MSG_REGION|WAIT)=\w+(, )?", ""),
        (r"storeSize=\d+", ""),
        (r", }", "}"),
        (r"\s+", " "),
        # Rates of a broker that has just started have no figure for ten minutes.
        (r"(: #)( #)+$", r"\1"),
    )
)
#: What a command prints that was run in the same process before.
_ONCE = re.compile("maybe started once|has been created before")
#: What the tool prints where it waits in vain.
_NO_RESPONSE = re.compile("RemotingTimeout|RemotingConnect|no end within")
#: The queues of the retry topic, which is consumed some time after a group's topic;
#: groups of the tools, which are there if these ran long enough for a heartbeat; and
#: lines of stack traces and of the logs of libraries.
_NOISE = re.compile(
    r"^%RETRY%\S+\s+\S+\s+\d+\s+(-?\d+|ProcessQueueInfo.*)\s*$"
    r"|^(TOOLS|__MONITOR)_CONSUMER\s"
    r"|^\s+at |^\s*\.\.\. \d+ more"
    r"|^\d\d:\d\d:\d\d\.\d+ |^SLF4J|^RocketMQLog"
)


def shape(printed: str) -> list[str]:
    """Return the lines of an output, each once, without what differs each time."""
    lines = set()
    for line in printed.splitlines():
        if _NOISE.search(line):
            continue
        for pattern, mask in _MASKS:
            line = pattern.sub(mask, line)
        lines.add(line.strip())
    lines.discard("")
    return sorted(lines)


@dataclass(frozen=True)
class Result:
    """What a command printed on Apache's servers, and on ours."""

    command: Command
    release: str
    theirs: str
    ours: str

    @property
    def is_same(self) -> bool:
        """Whether the two are of one shape."""
        return shape(self.theirs) == shape(self.ours)

    def complaint(self) -> str:
        """Return what is not as it should be; empty if all is well."""
        command, found = self.command, self.command.expected
        if _NO_RESPONSE.search(self.ours) and not _NO_RESPONSE.search(self.theirs):
            return f"{command.text}: there was no response"
        if found is Expected.SAME and not self.is_same:
            return f"{command.text}: it is not the same\n{self.difference()}"
        if found is Expected.DIFFERS and self.is_same:
            return f"{command.text}: it is the same"
        if found is Expected.REFUSED and not (
            "CODE:" in self.ours and command.why in self.ours
        ):
            return f"{command.text}: it is not refused\n{self.ours[-600:]}"
        return ""

    def difference(self) -> str:
        """Return the lines that only one of both printed."""
        theirs, ours = shape(self.theirs), shape(self.ours)
        lines = [f"  - {line[:300]}" for line in theirs if line not in ours]
        lines += [f"  + {line[:300]}" for line in ours if line not in theirs]
        return "\n".join(lines)


class Side:
    """
    Servers of one make, and the tool of one release.

    :ivar printed: what each command printed, in the order of the script.
    """

    def __init__(self, make: str, release: str, scratch: Path) -> None:
        self.lab = Lab(scratch)
        self._release = release
        self._scratch = scratch
        self.printed: dict[Command, str] = {}
        self._make = make
        self._words: dict[str, str] = {}
        self._tool: Program | None = None

    def run(self, commands: tuple[Command, ...]) -> None:
        """Run those of the commands that the release has."""
        try:
            self._start()
            self._run(MAKING, commands)
            self._use()
            self._run(READING, commands)
            for part in (CHANGING, LACKING, DELETING):
                self._run(part, commands)
            if any(command in commands for command in PAIRED):
                self._pair()
                self._run(PAIRED, commands)
            guarded = ACCESS if self._release == "v55" else ACCOUNTS
            if any(command in commands for command in guarded):
                self._guard()
                self._run(guarded, commands)
        finally:
            if self._tool is not None:
                self._tool.kill()
            self.lab.close()

    def _start(self) -> None:
        """Start the servers, and write the files that commands read."""
        lab, release = self.lab, self._release
        make = OURS if self._make == OURS else release
        names = lab.name_server(make)
        broker = lab.broker(make, names, name="broker-a", traceTopicEnable="true")
        for name in ("dir", "out"):
            (self._scratch / name).mkdir(parents=True)
            self._words[name] = str(self._scratch / name)
        self._words |= {
            "names": names.address,
            "broker": broker.address,
            "name": "broker-a",
        }
        self._names = names
        topics = [
            {"topicName": name, "readQueueNums": 2, "writeQueueNums": 2, "perm": 6}
            for name in ("ListedTopic", "SecondTopic")
        ]
        groups = [{"groupName": name} for name in ("ListedGroup", "SecondGroup")]
        for file, value in (("topics", topics), ("groups", groups)):
            (self._scratch / "dir" / f"{file}.json").write_text(json.dumps(value))
        lab.wait_for_brokers(names, broker)
        lab.end_tools()

    def _use(self) -> None:
        """Send messages, and let a group consume them."""
        lab, names, release = self.lab, self._names, self._release
        consumer = lab.consumer(release, names, topic=TOPIC, group=GROUP)
        options = {"topic": BUSY, "group": "Producers", "linger": 3600}
        sender = lab.sender(release, names, plan="sync:8", **options)
        sender.wait_for("sent", 8)
        sent = re.findall(r"\b[0-9A-F]{32,}\b", "\n".join(self.printed.values()))
        consumer.wait_for("message", len(sent))
        port = int(self._words["broker"].rpartition(":")[2])
        host = bytes([127, 0, 0, 1]) + port.to_bytes(4, "big")
        self._words |= {
            "uniqueId": sent[0],
            # The first message of the log is the first that was sent.
            "offsetId": offset_message_id(host, 0),
            "tracedId": self._traced(sent[-1]),
            "producers": "Producers",
        }
        progress = f"consumerProgress -g {GROUP}"

        def committed() -> bool:
            printed = self._ask(progress)
            topics = [line.split()[0] for line in printed.splitlines() if line.strip()]
            return "Diff Total: 0" in printed and TOPIC in topics

        wait_until(committed, 60, "the offsets of the group")
        connected = self._ask(f"consumerConnection -g {GROUP}")
        client = re.search(r"\S+@\S+", connected)
        self._words["client"] = client[0] if client else "unknown"

    def _traced(self, sent: str) -> str:
        """
        Return the id of a message whose trace is there.

        The tool drops a trace that it could not send in half a second.
        """
        if self._release == "v49":
            return sent
        for _ in range(10):
            if "Pub" in self._ask(f"queryMsgTraceById -i {sent}"):
                break
            again = f"sendMessage -t {TOPIC} -p hello -b broker-a -i 1 -m true"
            sent = re.findall(r"\b[0-9A-F]{32,}\b", self._ask(again))[-1]
        return sent

    def _pair(self) -> None:
        """Start a slave of the broker, and wait until it has all that is there."""
        lab, names = self.lab, self._names
        make = OURS if self._make == OURS else self._release
        slave = lab.broker(
            make,
            names,
            name="broker-a",
            brokerRole="SLAVE",
            brokerId=1,
            slaveReadEnable="true",
        )
        self._words["slave"] = slave.address
        lab.wait_for_brokers(names, slave)
        port = int(slave.address.rpartition(":")[2])
        queue = f"-t {TOPIC} -q 0 -i 0"
        first = f"queryCq -b {self._words['broker']} {queue}"
        copied = f"queryCq -b {slave.address} {queue}"

        def is_copied() -> bool:
            offsets = bytes(asked(port, GetAllConsumerOffset()).body or b"")
            has_offsets = f"{TOPIC}@{GROUP}".encode() in offsets
            return has_offsets and self._ask(copied) == self._ask(first)

        # Apache's slaves copy the tables each minute, and consumers look for brokers
        # twice a minute.
        wait_until(is_copied, 150, "what the slave copies")
        members = f"consumerConnection -g {GROUP} -b {slave.address}"

        def is_member() -> bool:
            return TOPIC in self._ask(members)

        wait_until(is_member, 120, "the consumer at the slave")

    def _guard(self) -> None:
        """Start a broker with access control, and let the tool sign."""
        make = OURS if self._make == OURS else self._release
        if self._release == "v55":
            # The broker of 5.5.1 needs an authentication that was not released.
            make = OURS if make == OURS else "v53"
            more: dict[str, Any] = {**USERS, **({} if make == OURS else PROVIDERS)}
            as_administrator(self.lab)
        else:
            path = self._scratch / "plain_acl.yml"
            path.write_bytes(write_yaml(read_yaml(PLAIN.encode())))
            more = {"aclEnable": "true"}
            if make == OURS:
                more["aclFile"] = str(path)
            else:
                more["jvm"] = ("-Drocketmq.acl.plain.file=../plain_acl.yml",)
            as_administrator(self.lab, "admin-key")
        broker = self.lab.broker(make, self._names, name="broker-b", **more)
        self._words |= {"broker": broker.address, "name": "broker-b"}
        if self._tool is not None:
            self._tool.kill()

    def _run(self, part: tuple[Command, ...], wanted: tuple[Command, ...]) -> None:
        for command in part:
            if command in wanted and command.only in ("", self._release):
                text = command.text.format(**self._words)
                self.printed[command] = self._ask(text, command.runs_on)

    def _ask(self, text: str, runs_on: bool = False) -> str:
        """Run a command, in a new tool if it works only once in one."""
        tool = self._new_tool(RUNS_ON) if runs_on else self._tool
        if tool is None or tool.status is not None:
            tool = self._tool = self._new_tool(LIMIT)
        answer = tool.ask(text, "admin", timeout=LIMIT + 30)
        if runs_on or not answer["ended"] or _ONCE.search(answer["output"]):
            tool.kill()
        if _ONCE.search(answer["output"]) and not runs_on:
            return self._ask(text)
        if not answer["ended"] and not runs_on:
            return f"{answer['output']}\n(no end within {LIMIT} s)"
        return str(answer["output"])

    def _new_tool(self, limit: int) -> Program:
        tool = apache.admin(
            self._release,
            self._scratch,
            self._names.address,
            limit=limit,
        )
        tool.wait_for("started")
        return tool


def compare(release: str, commands: tuple[Command, ...], scratch: Path) -> list[Result]:
    """Run commands on servers of both makes at once; return what they printed."""
    theirs = Side(release, release, scratch / f"theirs-{release}-lab")
    ours = Side(OURS, release, scratch / f"ours-{release}-lab")
    failures: list[BaseException] = []

    def run(side: Side) -> None:
        try:
            side.run(commands)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(side,)) for side in (theirs, ours)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [
        Result(command, release, theirs.printed[command], printed)
        for command, printed in ours.printed.items()
    ]


def main(words: list[str]) -> int:
    """Run the command line; return how many commands do not what they should."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop.mqadmin_table")
    parser.add_argument("--release", choices=("v49", "v55"), action="append")
    parser.add_argument("--only", help="a regular expression of commands")
    parser.add_argument("--keep", type=Path, help="where to write all output")
    asked = parser.parse_args(words)
    apache.build()
    commands = tuple(
        command
        for command in SCRIPT
        if asked.only is None or re.search(asked.only, command.text)
    )
    wrong = 0
    for release in asked.release or ("v55", "v49"):
        with tempfile.TemporaryDirectory(prefix="mqadmin-lab-") as scratch:
            results = compare(release, commands, Path(scratch))
        for result in results:
            state = result.command.expected.value
            complaint = result.complaint()
            wrong += bool(complaint)
            mark = "WRONG  " if complaint else f"{state:7}"
            print(f"{release} {mark} {complaint or result.command.text}")
            if not result.is_same and not complaint:
                print(result.difference())
            if asked.keep is not None:
                asked.keep.mkdir(parents=True, exist_ok=True)
                name = re.sub(r"\W+", "-", result.command.text)[:80]
                for side in ("theirs", "ours"):
                    path = asked.keep / f"{release}-{name}.{side}"
                    path.write_text(getattr(result, side))
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
