"""
Faults that are planted in clusters of real processes, and found by the doctor.

Each test begins with a cluster in which nothing is wrong, says the doctor, too. What
is planted is what happens to operators: processes that are gone, hang, or were given
wrong settings, disks that are full, clocks that are wrong, consumers that fail.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.route import DeleteTopicInNamesrv
from tests.longrun.disk_full import SIZE
from tests.ports import free_port

from .faults import (
    examined,
    fill,
    leave,
    own_address,
    sending,
    small_disk,
    small_files,
    stopped,
)
from .lab import OURS, QUIET, Lab, Server
from .program import Program, wait_until
from .requests import asked
from .test_rocketmq_admin import Admin, run

NO_GROUPS = ("--wait", "0")
IN_4_SECONDS = "TIMER_DELAY_SEC\x014\x02"
#: Lag is looked at twice; consumers commit every five seconds.
TWICE = ("--wait", "7")


def port_of(server: Server) -> int:
    """Return its port."""
    return int(server.address.rpartition(":")[2])


def wait_for(names: str, expected: set[str], *words: str) -> None:
    """Wait until the doctor finds exactly these, with the words and the subjects."""
    found: set[str] = set()

    def is_there() -> bool:
        nonlocal found
        found = examined(names, *(words or NO_GROUPS))
        return found == expected

    try:
        wait_until(is_there, 30, "what the doctor is to find")
    except AssertionError as error:
        raise AssertionError(f"found {found}, not {expected}") from error


def test_servers(lab: Lab) -> None:
    """Name servers that are gone or differ, brokers that cannot be reached, clocks."""
    first, second = lab.name_server(OURS), lab.name_server(OURS)
    both = f"{first.address};{second.address}"
    lab.broker(OURS, first, "broker-a", namesrvAddr=both)
    wait_for(both, set())
    wait_for(both, {"not-examined Nobody"}, "--group", "Nobody", *NO_GROUPS)

    nobody = f"127.0.0.1:{free_port()}"
    wait_for(f"{both};{nobody}", {f"name-server-unreachable {nobody}"})
    done = run(nobody, "doctor")
    assert done.returncode == 1 and "[name-server-unreachable]" in done.stdout
    empty = lab.name_server(OURS)
    wait_for(empty.address, {f"no-brokers {empty.address}"})

    lab.broker(OURS, first, "broker-b")
    late = lab.broker(OURS, first, "broker-c", namesrvAddr=both, ahead=600)
    lab.broker(OURS, first, "broker-d", namesrvAddr=both, brokerIP1="192.0.2.99")
    expected = {
        "name-servers-differ broker-b:0",
        f"clock-differs broker-c ({late.address})",
        "broker-unreachable broker-d:0",
    }
    wait_for(both, expected)
    local = {f"loopback-advertised broker-{which}:0" for which in "abc"}
    other = f"{own_address()}:{port_of(first)}"
    wait_for(other, local | expected - {"name-servers-differ broker-b:0"})


def test_access(lab: Lab, tmp_path: Path) -> None:
    """A broker that wants to know who asks; a user who may ask finds nothing."""
    names = lab.name_server(OURS)
    accounts = tmp_path / "plain_acl.yml"
    account = "{accessKey: operator, secretKey: operator-secret, admin: true}"
    accounts.write_text(f"accounts: [{account}]")
    broker = lab.broker(OURS, names, aclEnable="true", aclFile=accounts)
    wait_for(names.address, {f"access-denied {broker.address}"})
    known = tmp_path / "secret"
    known.write_text("operator-secret")
    user = ("--access-key", "operator", "--secret-file", str(known))
    wait_until(lambda: not examined(names.address, *NO_GROUPS, options=user), 30, "")


def test_roles(lab: Lab) -> None:
    """A slave that hangs, and one whose master is gone."""
    names = lab.name_server(OURS)
    gap = {"haMaxGapNotInSync": 1 << 20}
    master = lab.broker(OURS, names, "pair", **gap, haListenPort=free_port())
    role = {"brokerId": 1, "brokerRole": "SLAVE", "haListenPort": free_port()}
    slave = lab.broker(OURS, names, "pair", **role)
    assert set(fill(master, "Roles", 1)) == {0}
    wait_for(names.address, set())
    with stopped(slave.process):
        assert set(fill(master, "Roles", 30, 100_000)) == {0}
        expected = {"slave-behind", "broker-unreachable"}

        def found() -> set[str]:
            seen = examined(names.address, *NO_GROUPS)
            return {each.partition(" ")[0] for each in seen}

        wait_until(lambda: found() == expected, 30, "the slave that hangs")
    wait_for(names.address, set())
    lab.stop(master)
    topic = ("--topic", "Roles", *NO_GROUPS)
    wait_for(names.address, {"no-master pair", "no-route-no-master Roles"}, *topic)


def test_routes(lab: Lab) -> None:
    """Each other cause of "no route"."""
    first, second = lab.name_server(OURS), lab.name_server(OURS)
    both = f"{first.address};{second.address}"
    lab.broker(OURS, first, "broker-a", namesrvAddr=both)
    broker = lab.broker(OURS, first, "broker-b")
    admin = Admin(first.address)
    assert set(fill(broker, "Routes", 1)) == {0}
    differs = "name-servers-differ broker-b:0"

    def is_known(topic: str) -> bool:
        return any(each["name"] == topic for each in admin.json("topic", "list"))

    wait_until(lambda: is_known("Routes"), 30, "the topic's registration")

    def cause(names: str, topic: str, more: set[str]) -> None:
        subject = {f"no-route-{each} {topic}" for each in more}
        expected = subject | ({differs} if names == both else set())
        wait_for(names, expected, "--topic", topic, *NO_GROUPS)

    cause(both, "Nowhere", {"unknown"})
    cause(both, "Routes", {"other-name-server"})
    cause(first.address, "Routes", set())
    admin.json("topic", "update", "Routes", "--permission", "r")
    cause(first.address, "Routes", {"not-writable"})
    admin.json("topic", "update", "Routes", "--permission", "rw")
    cause(first.address, "Routes", set())
    admin.json("broker", "forbid-writes", "broker-b", "--yes")
    cause(first.address, "Routes", {"not-writable"})
    admin.json("broker", "allow-writes", "broker-b")
    cause(first.address, "Routes", set())
    asked(port_of(first), DeleteTopicInNamesrv("Routes"))
    cause(first.address, "Routes", {"not-registered"})


def test_groups(lab: Lab) -> None:
    """Consumers that fail, hang, are too slow, too many, at odds, or not there."""
    names = lab.name_server(OURS)
    broker = lab.broker(OURS, names)
    admin = Admin(names.address)
    for topic in ("Odds", "Hangs", "Slow", "Fails", "Gone"):
        admin.json("topic", "create", topic, "--queues", "1")
        assert set(fill(broker, topic, 15)) == {0}
    wait_for(names.address, set(), *TWICE)

    def consumer(group: str, **options: Any) -> Program:
        topic = options.pop("topic", group)
        started = lab.consumer(OURS, names, topic=topic, group=group, **options)
        started.wait_for("started")
        return started

    for expression in "AB":
        consumer("Odds", expression=expression)
    admin.json("group", "update", "Odds", "--no-consume")
    consumer("Hangs", slow=3_600_000)
    consumer("Slow", slow=4000)
    gone = consumer("Gone")
    gone.wait_for("message", 15)
    gone.stop()
    failing = consumer("Fails", refuse=1, level=-1)
    failing.wait_for("refused", 15)
    assert set(fill(broker, "Gone", 15)) == {0}
    expected = {
        "subscriptions-differ Odds",
        "too-many-consumers Odds",
        "consuming-forbidden Odds",
        "consumer-stands-still Hangs",
        "lag-grows Slow",
        "nobody-consumes Gone",
        "dead-letters Fails",
    }
    with sending(broker, "Slow", 0.02):
        wait_for(names.address, expected, *TWICE)


def test_disks(lab: Lab, tmp_path: Path) -> None:
    """Disks that fill or are full, with timed messages due; files that fail."""
    names = lab.name_server(OURS)
    small = {"mappedFileSizeCommitLog": 1 << 20, "mappedFileSizeConsumeQueue": 20_000}
    small |= {"mappedFileSizeTimerLog": 1 << 20, "cleanResourceInterval": 1000}
    failing = lab.broker(OURS, names, "broker-fails", **small)
    wait_for(names.address, set())
    with small_files(failing.process, 1 << 18):
        assert ResponseCode.SERVICE_NOT_AVAILABLE in fill(failing, "Disks", 12, 100_000)
        wait_for(names.address, {"store-failed broker-fails:0"})
    assert set(fill(failing, "Disks", 1)) == {0}
    wait_for(names.address, set())

    def found() -> set[str]:
        found = examined(names.address, *NO_GROUPS, ignoring=set())
        return {each for each in found if each.endswith(" broker-disk:0")}

    with small_disk(tmp_path / "disk") as disk:
        here = lab.broker(OURS, names, "broker-disk", disk.folder / "store", **small)
        try:
            wait_until(lambda: not found(), 30, "nothing")
            leave(disk, SIZE // 5)
            wait_until(lambda: found() == {"disk-fills broker-disk:0"}, 30, "a warning")
            disk.empty()
            assert set(fill(here, "Later", 3, properties=IN_4_SECONDS)) == {0}
            leave(disk, SIZE // 50)
            words = ("disk-full", "store-failed", "timers-late")
            expected = {f"{word} broker-disk:0" for word in words}
            wait_until(lambda: found() == expected, 60, "faults")
            disk.empty()
            wait_until(lambda: not found(), 40, "nothing any more")
        finally:
            lab.stop(here)


def test_versions(lab: Lab) -> None:
    """Brokers of two releases are good to know, and no fault: the exit code is 0."""
    names = lab.name_server(OURS)
    lab.broker(OURS, names, "broker-a")
    wait_for(names.address, set())
    lab.broker("v55", names, "broker-b", **QUIET)
    wait_for(names.address, {"versions-differ brokers"})
