"""Servers of one make, and the tool of one release that is given the script."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from rocketmq_tw.auth.yaml_text import read_yaml, write_yaml
from rocketmq_tw.model.msgid import offset_message_id
from rocketmq_tw.wire.requests.offset import GetAllConsumerOffset
from tests.interop import apache
from tests.interop.lab import OURS, Lab
from tests.interop.program import Program, wait_until
from tests.interop.requests import asked
from tests.interop.test_access import PLAIN, PROVIDERS, USERS, as_administrator

from .access import ACCOUNTS, NORMAL, SIGNED, STRANGE
from .access import USERS as USER_COMMANDS
from .command import BUSY, GROUP, TOPIC, Command
from .making import MAKING
from .paired import PAIRED
from .script import ALONE

#: Seconds that a command may take, and one that prints nothing and never ends.
LIMIT = 45
RUNS_ON = 5
#: What a command prints that was run in the same process before.
_ONCE = re.compile("maybe started once|has been created before")
#: Where no message is, as it is in no file of a log.
_NOWHERE = 1 << 50


class Side:
    """
    Servers of one make, and the tool of one release.

    :ivar printed: commands and what they printed, in the order of the script.
    """

    def __init__(self, make: str, release: str, scratch: Path) -> None:
        self.lab = Lab(scratch)
        self._release = release
        self._scratch = scratch
        self.printed: list[tuple[Command, str]] = []
        self._make = make
        self._words: dict[str, str] = {}
        self._tool: Program | None = None

    def run(self, commands: tuple[Command, ...]) -> None:
        """Run those of the commands that the release has."""
        try:
            self._start()
            self._run(MAKING, commands)
            self._use()
            self._run(ALONE, commands)
            if any(command in commands for command in PAIRED):
                self._pair()
                self._run(PAIRED, commands)
            guarded = *USER_COMMANDS, *ACCOUNTS, *SIGNED, *STRANGE, *NORMAL
            if any(command in commands for command in guarded):
                self._guard()
                self._run((*USER_COMMANDS, *ACCOUNTS, *SIGNED), commands)
                self._sign("carl-key", "not-the-secret")
                self._run(STRANGE, commands)
                self._sign("carl-key", "secret-of-carl")
                self._run(NORMAL, commands)
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
        sent = re.findall(
            r"\b[0-9A-F]{32,}\b", "\n".join(text for _, text in self.printed)
        )
        consumer.wait_for("message", len(sent))
        port = int(self._words["broker"].rpartition(":")[2])
        host = bytes([127, 0, 0, 1]) + port.to_bytes(4, "big")
        self._words |= {
            "uniqueId": sent[0],
            # The first message of the log is the first that was sent.
            "offsetId": offset_message_id(host, 0),
            "busyId": str(sender.events("sent")[0]["offsetMsgId"]),
            "missingId": offset_message_id(host, _NOWHERE),
            "tracedId": self._traced(sent[-1]),
            "producers": "Producers",
        }
        progress = f"consumerProgress -g {GROUP}"

        def committed() -> bool:
            printed = self._ask(progress)
            topics = [line.split()[0] for line in printed.splitlines() if line.strip()]
            return "Diff Total: 0" in printed and TOPIC in topics

        wait_until(committed, 60, "the offsets of the group")

        def counted() -> bool:
            rows = [line.split() for line in self._ask("statsAll -a").splitlines()]
            return {TOPIC, BUSY} <= {row[0] for row in rows if row}

        # Apache's broker counts in samples of some seconds.
        wait_until(counted, 60, "the statistics of topics")
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
        home = apache.home_of(self._scratch, "guarded")
        path = home / "conf" / "plain_acl.yml"
        if self._release == "v55":
            # The broker of 5.5.1 needs an authentication that was not released.
            make = OURS if make == OURS else "v53"
            more: dict[str, Any] = {**USERS, **({} if make == OURS else PROVIDERS)}
            self._sign("admin", "secret-of-admin")
        else:
            path.write_bytes(write_yaml(read_yaml(PLAIN.encode())))
            more = {"aclEnable": "true"}
            if make == OURS:
                more["aclFile"] = str(path)
            else:
                more["jvm"] = (f"-Drocketmq.home.dir={home}",)
            self._sign("admin-key", "secret-of-admin")
        more |= {"name": "broker-b", "brokerClusterName": "GuardedCluster"}
        broker = self.lab.broker(make, self._names, **more)
        if self._release == "v55":
            more |= {"name": "broker-c", "brokerClusterName": "OtherCluster"}
            other = self.lab.broker(make, self._names, **more)
            self._words["other"] = other.address
        self._words |= {
            "broker": broker.address,
            "name": "broker-b",
            "accounts": str(path),
        }
        self.lab.wait_for_brokers(self._names, broker)

    def _sign(self, user: str, password: str) -> None:
        """Let the tool sign as a user from now on."""
        as_administrator(self.lab, user, password)
        if self._tool is not None:
            self._tool.kill()

    def _run(self, part: tuple[Command, ...], wanted: tuple[Command, ...]) -> None:
        for command in part:
            if command in wanted and command.only in ("", self._release):
                text = command.text.format(**self._words)
                self.printed.append((command, self._ask(text, command.until)))

    def _ask(self, text: str, until: str | None = None) -> str:
        """
        Run a command, in a new tool if it works only once in one.

        :param until: what is awaited of one that never ends, or empty; else None.
        """
        tool = self._tool if until is None else self._new_tool(until)
        if tool is None or tool.status is not None:
            tool = self._tool = self._new_tool()
        answer = tool.ask(text, "admin", timeout=LIMIT + 30)
        output = str(answer["output"])
        if until is not None:
            tool.kill()
            return output
        if not answer["ended"] or _ONCE.search(output):
            tool.kill()
        if _ONCE.search(output):
            return self._ask(text)
        return output if answer["ended"] else f"{output}\n(no end within {LIMIT} s)"

    def _new_tool(self, until: str | None = None) -> Program:
        options = {"until": until} if until else {}
        tool = apache.admin(
            self._release,
            self._scratch,
            self._names.address,
            limit=RUNS_ON if until == "" else LIMIT,
            **options,
        )
        tool.wait_for("started")
        return tool
