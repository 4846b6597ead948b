"""The parts of a broker that its features are installed with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.delay.levels import DelayLevels
from rocketmq_tw.broker.late_checks import LateChecks
from rocketmq_tw.broker.lifecycle import Lifecycle
from rocketmq_tw.broker.live_settings import LiveSettings
from rocketmq_tw.broker.member_group import MemberGroup
from rocketmq_tw.broker.name_servers import AskNameServers
from rocketmq_tw.broker.new_topics import NewTopics
from rocketmq_tw.broker.periodic import Periodic
from rocketmq_tw.broker.pull.filters import Filters
from rocketmq_tw.broker.replication import Replication
from rocketmq_tw.broker.send.drafts import Redirect
from rocketmq_tw.broker.send.kinds import Kind
from rocketmq_tw.broker.send.lane_parts import MakeExtension
from rocketmq_tw.broker.slave.master import Master
from rocketmq_tw.broker.slave.replicated import Replicated
from rocketmq_tw.broker.statistics.service import Statistics
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.broker.tables.table_set import Tables
from rocketmq_tw.broker.timer.sends import TimedSends
from rocketmq_tw.broker.transactions.counts import TransactionCounts
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.remoting.pacing import Pacer
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.threads import RunInThread, run_here
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.record import Draft

if TYPE_CHECKING:
    from rocketmq_tw.broker.pop.feature import PopParts
    from rocketmq_tw.broker.timer.late import LateTimer

A = TypeVar("A", bound=Response)


def _ask_nobody(request: Request[A]) -> Deferred[A]:
    """Fail: the broker has no name servers."""
    return fail(ConnectError("name servers", "there are none"))


class Measured(msgspec.Struct):
    """
    Features whose parts metrics look at, and count in; None where not installed.

    :ivar timer: the delivery of timed messages.
    :ivar pop: what was popped, and its revival.
    """

    timer: LateTimer | None = None
    pop: PopParts | None = None


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """
    The parts of one broker that features share, from one start to the next stop.

    A feature reads it in its ``install`` and passes each object that it makes only the
    parts that object uses.

    :ivar store: recovered before anything is installed.
    :ivar tables: read before anything is installed.
    :ivar live: the settings that can be changed while the broker runs.
    :ivar stats: counts messages, and has the gauges of features.
    :ivar statistics: the messages of topics and groups, in the last minute to day.
    :ivar periodic: runs the periodic work of features.
    :ivar pacer: shares the reactor's iterations among requests that take long.
    :ivar lifecycle: runs the steps of features at start, drain and stop.
    :ivar address: ``host:port`` under which clients know the broker.
    :ivar store_host: the same address, encoded as in records.
    :ivar replication: what sends wait for, and the state of slaves and master.
    :ivar new_topics: holds the responses of requests that create topics.
    :ivar delay_levels: redirects delayed messages to the schedule topic.
    :ivar redirects: make what is stored of messages of a kind; features add theirs.
    :ivar lane_extensions: make what takes other requests past their handlers.
    :ivar timed_sends: redirects timed messages to the timer's queue.
    :ivar when_stored: called with the draft of a single message that was stored in a
        topic other than its own, by that topic; features add theirs.
    :ivar transaction_counts: the half messages and ends of each topic.
    :ivar measured: what metrics look at; features add theirs.
    :ivar filters: those of all expressions that come with requests.
    :ivar master: where the master of a slave is; nowhere for a master.
    :ivar member_group: the brokers of this name.
    :ivar name_servers: ``host:port`` of each.
    :ivar ask_name_servers: sends a request to one that knows the broker.
    :ivar on_acting: called with True when a slave begins to act for its master, and
        with False when it ends that.
    :ivar run_in_thread: runs blocking calls.
    :ivar late_checks: asked for what a request needs only after it was looked at.
    :ivar replicated: what a slave copies from its master besides the log; features add
        theirs.
    """

    config: BrokerConfig
    clock: IReactorTime
    store: IMessageStore
    tables: Tables
    live: LiveSettings
    stats: BrokerStats
    statistics: Statistics
    periodic: Periodic
    pacer: Pacer
    lifecycle: Lifecycle
    address: str
    store_host: bytes
    replication: Replication
    new_topics: NewTopics
    delay_levels: DelayLevels
    timed_sends: TimedSends
    transaction_counts: TransactionCounts
    measured: Measured = msgspec.field(default_factory=Measured)
    filters: Filters
    member_group: MemberGroup
    master: Master = msgspec.field(default_factory=Master)
    name_servers: tuple[str, ...] = ()
    ask_name_servers: AskNameServers = _ask_nobody
    redirects: dict[Kind, Redirect] = {}
    when_stored: dict[bytes, Callable[[Draft], object]] = {}
    lane_extensions: list[MakeExtension] = []
    replicated: list[Replicated] = []
    on_acting: list[Callable[[bool], object]] = []
    run_in_thread: RunInThread = run_here
    late_checks: LateChecks = msgspec.field(default_factory=LateChecks)

    def is_master_alive(self) -> bool:
        """Whether name servers know the master, and this slave is connected to it."""
        return self.replication.is_following and bool(self.master.address)


#: Makes the objects of a feature and registers its handlers, guards and lifecycle
#: steps. The return value is for tests.
Install = Callable[[Broker, Router], object]
