"""
The long runs, short: what continuous integration has time for.

They are functions for pytest, which ``trial tests`` does not collect: they take minutes
and are run by name, ``python -m pytest tests/longrun``.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.longrun import (
    backlog,
    consumers,
    disk_full,
    kills,
    links,
    many_consumers,
    many_topics,
    pairs,
    pops,
    slow_disk,
    timers,
    transactions,
    wall_clock,
)
from tests.longrun.hostile import __main__ as hostile
from tests.longrun.hostile import clients
from tests.longrun.partition import __main__ as partition
from tests.longrun.partition.cluster import SHORT
from tests.longrun.partition.scenarios import SCENARIOS

#: Partitions in which a broker is gone for about a second.
AWAY = ("away-for-one", "master-restarts")
#: Kills for each way to flush.
CYCLES = 20


def test_killed_while_flushing_later(tmp_path: Path) -> None:
    """ASYNC_FLUSH loses nothing to a kill."""
    found = kills.run(tmp_path, CYCLES, "ASYNC_FLUSH", seed=1)
    assert found["acknowledged"] > CYCLES


def test_killed_while_flushing_first(tmp_path: Path) -> None:
    """SYNC_FLUSH loses nothing to a kill."""
    found = kills.run(tmp_path, CYCLES, "SYNC_FLUSH", seed=2)
    assert found["acknowledged"] > CYCLES


def test_killed_while_groups_pop(tmp_path: Path) -> None:
    """What a group has acknowledged is never handed out to it again."""
    found = pops.run(tmp_path, 5, "ASYNC_FLUSH", seed=3)
    assert found["handed out"] > 100


def test_timers_killed(tmp_path: Path) -> None:
    """A kill neither loses nor repeats a timed message."""
    found = timers.killed(tmp_path, 3000, 12, kills=4, seed=3)
    assert found["delivered"] >= found["accepted"] > 2000


@pytest.mark.parametrize("kills", [0, 5])
def test_transactions(tmp_path: Path, kills: int) -> None:
    """Each committed message is delivered once, and none that was rolled back."""
    found = transactions.run(tmp_path, 1500, kills, "ASYNC_FLUSH", seed=4)
    assert found["asked"] > 50


@pytest.mark.parametrize("ordered", [False, True])
def test_consumers_stopped(ordered: bool) -> None:
    """Who is stopped under load has finished, and its successor repeats nothing."""
    found = consumers.stops(4, seed=4, ordered=ordered)
    assert found["messages"] > 500


@pytest.mark.parametrize("ordered", [False, True])
def test_consumers_killed(ordered: bool) -> None:
    """Of a killed member, only what was in flight or not committed is repeated."""
    found = consumers.kills(4, seed=5, ordered=ordered)
    assert found["messages"] > 500


def test_link_cut_and_healed() -> None:
    """A client recovers within 5 s, and leaves nothing behind."""
    found = links.run(20, seed=6)
    assert found["recovery, longest s"] < links.RECOVERY


def test_many_consumers() -> None:
    """Members share the queues soon, and consumers of one client its connections."""
    found = many_consumers.converge(40, 40)
    assert max(found.values()) < many_consumers.CONVERGED
    figures = many_consumers.share(20)
    assert figures["connections"] == 3
    assert figures["timers each"] < many_consumers.TIMERS


def test_killed_pairs(tmp_path: Path) -> None:
    """A master that waits for its slave and for its disk loses nothing to a kill."""
    found = pairs.run(tmp_path, 10, seed=3)
    assert found["acknowledged"] > 10


def test_partitions(tmp_path: Path) -> None:
    """Who cannot be reached is noticed, and all is as before once it can be."""
    names = [name for name in SCENARIOS if name not in AWAY]
    found = partition.run(tmp_path, "SYNC_MASTER", names, seconds=3, times=SHORT)
    assert list(found) == [*names, "in the end"]


def test_broker_is_away(tmp_path: Path) -> None:
    """A send with 3 s to spend does not fail when its broker is away for one."""
    found = partition.run(tmp_path, "SYNC_MASTER", AWAY, seconds=1, times=SHORT)
    assert list(found) == [*AWAY, "in the end"]


def test_partition_of_a_master_that_does_not_wait(tmp_path: Path) -> None:
    """It acknowledges all, and its slave catches up."""
    found = partition.run(tmp_path, "ASYNC_MASTER", ["cut-off"], 3, SHORT)
    figures = found["in the end"]
    assert figures["acknowledged"] == figures["sent"]


@pytest.mark.parametrize("flush", ["ASYNC_FLUSH", "SYNC_FLUSH"])
def test_slow_disk(flush: str, tmp_path: Path) -> None:
    """Requests that do not wait for an fsync are not delayed by a slow one."""
    found = slow_disk.run(tmp_path / flush, flush, seconds=5)
    assert found["others' slowest answer, s"] < slow_disk.DELAY / 2


def test_full_disk() -> None:
    """The broker accepts messages again once there is space on the disk."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    try:
        found = disk_full.run(rounds=3)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no small disk can be mounted: {error.stderr!r}")
    assert found["rounds"] == 3


def test_backlog(tmp_path: Path) -> None:
    """Memory does not grow with what is read."""
    found = backlog.run(tmp_path, 200_000)
    assert found["messages"] == 200_000
    growth = found["memory at most, MB"] - found["memory at first, MB"]
    assert growth * 1e6 < backlog.GROWTH


def test_hostile_peers(tmp_path: Path) -> None:
    """No attack stops the others, and nothing is lost after the restarts."""
    assert hostile.run(tmp_path, "together", hostile.short()) == []


def test_hostile_broker() -> None:
    """A broker that sends bombs, or an offset below zero, does a client no harm."""
    assert clients.run(clients.SHORT) == []


def test_clock_set(tmp_path: Path) -> None:
    """Nothing stops or is cut when the time of day is set back and forward."""
    waits = wall_clock.run(tmp_path)
    assert waits["a held pull"] < wall_clock.HELD + wall_clock.SLACK


def test_many_topics(tmp_path: Path) -> None:
    """Topics have their routes, also after restarts, and survive a kill."""
    found = many_topics.run(tmp_path, 2000)
    for name, (value, _limit) in found.items():
        if "missing" in name or "lost" in name:
            assert value == 0, name
    assert found["memory of the broker for a topic, bytes"][0] < 10_000
