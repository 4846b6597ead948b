"""What is broken between the programs, and what has to be noticed then."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from rocketmq_tw.wire.codes import ResponseCode
from tests.longrun.hostile.watch import Bystander
from tests.longrun.pairs import QUEUES, Ledger, Log
from tests.longrun.partition.cluster import (
    MASTER_NAMES,
    NAME,
    REPLICATION,
    SLAVE_NAMES,
    Cluster,
)
from tests.longrun.partition.load import Load

Figures = dict[str, float]
#: Between two looks at connections, on each side; and what a busy machine adds.
TICK, SLACK = 1.0, 5.0
#: Seconds before a slave connects again, and until it follows and lacks nothing.
RETRY, CATCH_UP = 5.0, 15.0
#: Within so many seconds of its connection a broker is registered.
REGISTERED = 2.0
#: Seconds for which name servers refuse connections.
REFUSED = 12.0
#: Seconds that a broker may be away without a failure of sends that have 3 s.
AWAY = 1.0
#: Seconds that each byte takes more, in each direction.
DELAY = 0.2
#: The codes that say that a message is stored, but not at enough brokers.
NOT_SAFE = {ResponseCode.FLUSH_SLAVE_TIMEOUT, ResponseCode.SLAVE_NOT_AVAILABLE}


class Scene:
    """
    A cluster under load.

    :param seconds: for how long something is broken.
    :param waits: whether the master waits for its slave (``SYNC_MASTER``).
    """

    def __init__(
        self, *, folder: Path, cluster: Cluster, seconds: float, waits: bool, seed: int
    ) -> None:
        self._folder = folder
        self.cluster = cluster
        self.network = cluster.network
        self.seconds = seconds
        self.waits = waits
        self.ledger = Ledger()
        self._seed = seed
        self._bystander: Bystander | None = None
        self.load: Load

    def start(self) -> None:
        """Begin to send, once the cluster runs."""
        self.load = Load(self.cluster.master, self.ledger, self._seed)
        self.load.start()
        self.wait_for_sends()

    def broken(self, check: Callable[[], object] | None = None) -> None:
        """Let time pass while something is broken; check something meanwhile."""
        self.broken_for(self.seconds, check)

    def broken_for(
        self, seconds: float, check: Callable[[], object] | None = None
    ) -> None:
        """Let so much time pass."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.load.check()
            if check is not None:
                check()
            time.sleep(0.05)

    def wait_for_sends(self, count: int = 50) -> float:
        """Wait until messages sent from now on are acknowledged."""
        now, load = time.monotonic(), self.load
        return self.cluster.wait("sends", 30, lambda: load.has_sent(count, now))

    def wait_for_slave(self) -> float:
        """Wait until the slave lacks little, under load."""
        patience = RETRY + CATCH_UP
        return self.cluster.wait("the slave follows", patience, self._keeps_up)

    @property
    def bystander(self) -> Bystander:
        """A producer and a consumer that use routes; they run until the end."""
        if self._bystander is None:
            self._bystander = self.new_bystander()
        return self._bystander

    def new_bystander(self, timeout: str = "30") -> Bystander:
        """
        Start a producer and a consumer that use routes; return when they run.

        Only one at a time: the consumers of two would share the queues.

        :param timeout: seconds for each send.
        """
        self.end_bystander()
        name_server, folder = self.cluster.names[0], self._folder
        ledger, errors = folder / "ledger", folder / "bystander.log"
        found = Bystander(name_server, ledger, errors, timeout)
        self.wait_for_bystander(found)
        return found

    def wait_for_bystander(self, bystander: Bystander | None = None) -> None:
        """Wait until more messages are sent and consumed."""
        found = bystander or self.bystander
        assert found.wait_for(20, 30), found.seen

    def end_bystander(self) -> None:
        """End it; nothing failed, and nothing is missing."""
        found, self._bystander = self._bystander, None
        if found is not None:
            found.end()
            seen = found.seen
            assert (seen["failed"], seen["missing"]) == (0, 0), seen

    def _keeps_up(self) -> bool:
        self.load.check()
        slaves = self.cluster.slaves
        return len(slaves) == 1 and slaves[0].diff < 1 << 20 and slaves[0].in_sync


def cut_off(scene: Scene) -> Figures:
    """
    Master and slave cannot reach each other.

    Both notice it. The master acknowledges as its role says; the slave catches up.
    """
    cluster, load, begin = scene.cluster, scene.load, time.monotonic()
    scene.network.hold(*REPLICATION)
    settled = time.monotonic()
    scene.broken()
    patience = cluster.housekeeping + TICK + SLACK
    left = max(0.1, begin + patience - time.monotonic())
    cluster.wait("the master notices", left, lambda: not cluster.slaves)
    cluster.wait("the slave notices", left, lambda: not cluster.is_following)
    codes = load.codes(settled, time.monotonic())
    assert codes <= ({*NOT_SAFE} if scene.waits else {0}), codes
    if scene.waits:
        # What was acknowledged needs nobody to come back.
        acknowledged = len(scene.ledger.acknowledged)
        scene.ledger.check(*cluster.folders)
        assert scene.ledger.checked >= acknowledged
    scene.network.heal(*REPLICATION)
    return {
        "the slave follows again after, s": scene.wait_for_slave(),
        "messages acknowledged again after, s": scene.wait_for_sends(),
    }


def half_open_log(scene: Scene) -> Figures:
    """A half-open connection for the log is noticed by both, and replaced."""
    cluster, begin = scene.cluster, time.monotonic()
    patience = cluster.housekeeping + TICK + SLACK
    (before,) = scene.network.made("log")
    addresses = {each.addr for each in cluster.slaves}
    scene.network.freeze("log")

    def master_noticed() -> bool:
        return addresses.isdisjoint(each.addr for each in cluster.slaves)

    cluster.wait("the slave connects", patience, lambda: _made(scene) > before)
    slave = time.monotonic() - begin
    left = begin + patience - time.monotonic()
    cluster.wait("the master notices", max(left, 0.1), master_noticed)
    master = time.monotonic() - begin
    scene.wait_for_slave()
    scene.wait_for_sends()
    return {"noticed by the slave after, s": slave, "by the master after, s": master}


def one_way(scene: Scene) -> Figures:
    """The slave hears its master, and is not heard; then the other way round."""
    cluster, network = scene.cluster, scene.network
    patience = cluster.housekeeping + TICK + SLACK
    network.hold("log", directions=["up"])
    master = cluster.wait("the master notices", patience, lambda: not cluster.slaves)
    network.heal("log")
    scene.wait_for_slave()
    network.hold("log", directions=["down"])
    slave = cluster.wait(
        "the slave notices", patience, lambda: not cluster.is_following
    )
    network.heal("log")
    scene.wait_for_slave()
    scene.wait_for_sends()
    return {"noticed by the master after, s": master, "by the slave after, s": slave}


def master_without_names(scene: Scene) -> Figures:
    """The master cannot reach the name servers: who knows the way does not notice."""
    scene.wait_for_bystander()
    scene.network.hold(*MASTER_NAMES)
    scene.broken()
    scene.wait_for_bystander()
    scene.network.heal(*MASTER_NAMES)
    held = _registered(scene, broker_id=0)
    # Clients that look for the route meanwhile find no master in it.
    scene.network.refuse(*MASTER_NAMES)
    scene.cluster.wait("no route", 5, lambda: not _has_route(scene, broker_id=0))
    scene.broken_for(min(scene.seconds, REFUSED))
    scene.network.heal(*MASTER_NAMES)
    refused = _registered(scene, broker_id=0)
    scene.wait_for_bystander()
    return {
        "registered after silence after, s": held,
        "registered after refusals after, s": refused,
    }


def slave_without_names(scene: Scene) -> Figures:
    """The slave cannot reach the name servers: it follows its master nevertheless."""
    cluster, begin = scene.cluster, time.monotonic()
    scene.network.hold(*SLAVE_NAMES)
    scene.broken(lambda: _assert(cluster.is_following, "the slave does not follow"))
    scene.network.heal(*SLAVE_NAMES)
    again = _registered(scene, broker_id=1)
    assert scene.load.codes(begin, time.monotonic()) <= {0}
    return {"registered after, s": again}


def half_open_names(scene: Scene) -> Figures:
    """Half-open connections to name servers are replaced; the routes stay."""
    cluster, links = scene.cluster, (*MASTER_NAMES, *SLAVE_NAMES)
    before = scene.network.made(*links)
    scene.network.freeze(*links)

    def replaced() -> bool:
        assert _has_route(scene, broker_id=0), "the master's route is lost"
        pairs = zip(before, scene.network.made(*links), strict=True)
        return all(now > then for then, now in pairs)

    patience = cluster.lost_registration + TICK + SLACK
    noticed = cluster.wait("new connections", patience, replaced)
    return {"noticed after, s": noticed}


def half_open_clients(scene: Scene) -> Figures:
    """Half-open connections of clients are replaced; no message is lost."""
    # Each queue's sender may have one send in flight, which fails after 3 s.
    bystander = scene.new_bystander(timeout="3")
    scene.network.freeze("requests")
    begin = time.monotonic()
    scene.wait_for_bystander(bystander)
    took = time.monotonic() - begin
    bystander.end()
    assert bystander.seen["failed"] <= QUEUES, bystander.seen
    assert bystander.seen["missing"] == 0, bystander.seen
    # Otherwise the group has a member that is gone for two minutes.
    scene.network.cut("requests")
    scene.wait_for_slave()
    return {"20 messages sent and consumed after, s": took}


def slow_network(scene: Scene) -> Figures:
    """Each byte takes 200 ms more each way: nothing fails, nobody connects again."""
    cluster, network = scene.cluster, scene.network
    scene.wait_for_bystander()
    network.delay(DELAY, *network.names)
    begin, before = time.monotonic(), network.made(*network.names)

    def fine() -> None:
        assert cluster.is_following, "the slave does not follow"
        for broker_id in (0, 1):
            assert _has_route(scene, broker_id=broker_id), "a route is lost"

    scene.broken(fine)
    scene.wait_for_bystander()
    assert scene.load.codes(begin, time.monotonic()) == {0}
    assert network.made(*network.names) == before, "somebody connected again"
    end = time.monotonic()
    network.heal(*network.names)
    waits = sorted(
        each.answered - each.sent
        for each in scene.load.outcomes
        if each.sent >= begin + DELAY and each.answered <= end
    )
    return {"a send, median s": waits[len(waits) // 2], "longest s": waits[-1]}


def away_for_one(scene: Scene) -> Figures:
    """The master refuses connections for a second: no send with 3 s to spend fails."""
    links = ("requests", *MASTER_NAMES)
    bystander = scene.new_bystander(timeout="3")
    scene.network.refuse(*links)
    scene.broken_for(1.0)
    scene.network.heal(*links)
    begin = time.monotonic()
    scene.wait_for_bystander(bystander)
    took = time.monotonic() - begin
    bystander.end()
    assert (bystander.seen["failed"], bystander.seen["missing"]) == (0, 0)
    scene.wait_for_slave()
    return {"20 messages sent and consumed after, s": took}


def master_restarts(scene: Scene) -> Figures:
    """The master is killed and starts again: sends wait for it."""
    cluster = scene.cluster
    bystander = scene.new_bystander(timeout="3")
    scene.load.stop()
    begin = time.monotonic()
    cluster.restart_master()
    away = time.monotonic() - begin
    scene.start()
    scene.wait_for_bystander(bystander)
    bystander.end()
    # Those in flight when the connection is lost may be stored.
    failed = bystander.seen["failed"] - bystander.seen["interrupted"]
    assert failed == 0 or away > AWAY, str(bystander.seen)
    assert bystander.seen["missing"] == 0, bystander.seen
    scene.wait_for_slave()
    return {"the master was away for, s": away, "sends that failed": failed}


def names_restart(scene: Scene) -> Figures:
    """Both name servers are killed; started again they know all routes."""
    cluster, network = scene.cluster, scene.network
    scene.wait_for_bystander()
    cluster.kill_names()
    scene.wait_for_sends()
    cluster.start_names()
    begin = time.monotonic()
    cluster.wait("routes", 20, lambda: _has_route(scene, broker_id=0))
    cluster.wait("routes", 20, lambda: _has_route(scene, broker_id=1))
    known = time.monotonic()
    after = known - network.last_made(*MASTER_NAMES, *SLAVE_NAMES)
    assert after < REGISTERED, f"known only {after:.1f} s after the connection"
    scene.wait_for_bystander()
    return {
        "all routes known after the connection, s": after,
        "after the start, s": known - begin,
    }


def compare(scene: Scene) -> Figures:
    """Hold both logs against each other, and against what was acknowledged."""
    cluster, ledger = scene.cluster, scene.ledger
    scene.end_bystander()
    scene.load.stop()
    cluster.wait("the slave has all", RETRY + CATCH_UP, lambda: cluster.is_in_sync)
    ledger.checked = 0
    ledger.check(*cluster.folders)
    master, slave = (Log(folder) for folder in cluster.folders)
    slave.check_prefix_of(master)
    master.check_prefix_of(slave)
    return {"sent": ledger.number, "acknowledged": len(ledger.acknowledged)}


def _made(scene: Scene) -> int:
    """Return how many connections there were for the log."""
    return scene.network.made("log")[0]


def _registered(scene: Scene, broker_id: int) -> float:
    """Wait until all name servers know a broker, which tries them each second."""
    patience = TICK + REGISTERED + SLACK
    return scene.cluster.wait(
        "registered", patience, lambda: _has_route(scene, broker_id=broker_id)
    )


def _has_route(scene: Scene, broker_id: int) -> bool:
    """Return whether all name servers know a broker."""
    return all(scene.cluster.has_route(at, NAME, broker_id) for at in range(2))


def _assert(condition: bool, what: str) -> None:
    assert condition, what


#: In the order in which they are run.
SCENARIOS: dict[str, Callable[[Scene], Figures]] = {
    "cut-off": cut_off,
    "half-open-log": half_open_log,
    "one-way": one_way,
    "half-open-clients": half_open_clients,
    "master-without-names": master_without_names,
    "slave-without-names": slave_without_names,
    "half-open-names": half_open_names,
    "slow-network": slow_network,
    "names-restart": names_restart,
    "away-for-one": away_for_one,
    "master-restarts": master_restarts,
}
