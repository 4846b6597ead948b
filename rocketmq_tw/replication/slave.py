"""
A slave: follows its master, and copies its commit log.

::

    IDLE        address known      CONNECTING
    CONNECTING  connected          COMPARING    the logs, by ordinary requests
    COMPARING   a prefix           FOLLOWING
    COMPARING   another log        REFUSED      one loud line; compared again after 30 s
    any         lost, or failed    WAITING      0.25, 0.5, 1, 2, 4, 5, 5 ... s
    WAITING     time is over       CONNECTING
    any         other address      CONNECTING
    any         stop               STOPPED

The connection is made before the logs are compared, and used only if it lasts: so the
master that was compared is the one that is followed.

Source: ``DefaultHAClient`` of RocketMQ 5, which does not compare.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.replication.beginning import Beginning, OwnStore
from rocketmq_tw.replication.master_link import MasterLink
from rocketmq_tw.replication.prefix import CannotFollow, MasterLog
from rocketmq_tw.replication.status import FollowStatus, HaStatus
from rocketmq_tw.store.errors import DamagedTransfer
from rocketmq_tw.store.replica import ReplicaLog

#: Seconds before the next attempt: after a failure, doubled up to the second, and after
#: a refusal.
FIRST_RETRY = 0.25
RETRY = 5.0
RECHECK = 30.0
#: Seconds to connect, and to compare the logs.
_CONNECT_TIMEOUT = 5.0
_COMPARE_TIMEOUT = 15.0
#: Seconds between two looks at the connection.
_TICK = 1.0


class MasterTooLate(RocketMQError):
    """The master did not do something in time."""


class FollowState(Enum):
    """The states in the table above."""

    STOPPED = "STOPPED"
    IDLE = "IDLE"
    CONNECTING = "CONNECTING"
    COMPARING = "COMPARING"
    FOLLOWING = "FOLLOWING"
    WAITING = "WAITING"
    REFUSED = "REFUSED"


class SlaveSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    The settings of replication on the slave's side; times are in seconds.

    :ivar from_last_file: an empty log begins with the master's last file, else with its
        first.
    """

    heartbeat_interval: float = 5.0
    housekeeping_interval: float = 20.0
    from_last_file: bool = False


class SlaveService(Service):
    """
    Follows one master.

    :param connect: connects to ``host:port``; the Deferred fails if it cannot.
    :param master_log: returns the master's log for its service address.
    :param wall_time: the time of day, in seconds since the epoch.
    :ivar state: where it is in the table above.
    :ivar refusal: why the master is not followed until somebody acts; None if it is.
    """

    _log = Logger()

    # _attempt is set while CONNECTING and COMPARING, _link from the moment that the
    # connection is made, _retry while WAITING and REFUSED.

    def __init__(
        self,
        *,
        store: OwnStore,
        replica: ReplicaLog,
        clock: IReactorTime,
        settings: SlaveSettings,
        connect: Callable[[str, Factory], Deferred[Any]],
        master_log: Callable[[str], MasterLog],
        wall_time: Callable[[], float],
    ) -> None:
        self._replica = replica
        self._beginning = Beginning(
            store=store, replica=replica, from_last_file=settings.from_last_file
        )
        self._clock = clock
        self._settings = settings
        self._connect = connect
        self._master_log = master_log
        self._wall_time = wall_time
        self.state = FollowState.STOPPED
        self.refusal: str | None = None
        self.ha_address = ""
        self.address = ""
        self._link: MasterLink | None = None
        self._attempt: Deferred[Any] | None = None
        self._retry: IDelayedCall | None = None
        self._complained: str | None = None
        self._delay = FIRST_RETRY
        self._followed_since = 0.0
        self._last_read = self._last_write = 0.0
        self._ticker = LoopingCall(self._tick)
        self._ticker.clock = clock

    def startService(self) -> None:
        """Follow the master as soon as it is known."""
        super().startService()
        self.state = FollowState.IDLE
        self._ticker.start(_TICK, now=False)
        self._begin()

    def stopService(self) -> None:
        """Follow nobody any more."""
        super().stopService()
        self.state = FollowState.STOPPED
        if self._ticker.running:
            self._ticker.stop()
        self._drop("this slave stops")

    def set_master(self, address: str, ha_address: str) -> None:
        """
        Follow the master at these addresses, or none.

        :param address: ``host:port`` of its service, where it is asked about its log.
            If it is empty, and the other is the one that is known, what was known
            holds: the master may be cut off from the name servers alone.
        :param ha_address: ``host:port`` of its HA port; empty for no master.
        """
        if ha_address == self.ha_address:
            address = address or self.address
        if (address, ha_address) == (self.address, self.ha_address):
            return
        self.address, self.ha_address = address, ha_address
        if self.state is not FollowState.STOPPED:
            self._drop("the master has another address")
            self.state = FollowState.IDLE
            self._begin()

    @property
    def is_following(self) -> bool:
        """Whether it copies its master now."""
        return self.state is FollowState.FOLLOWING

    def status(self) -> HaStatus:
        """Return what operators are shown."""
        link = self._link
        if link is not None:
            self._last_read = link.last_read or self._last_read
            self._last_write = link.last_write or self._last_write
        now = self._clock.seconds()
        follows = FollowStatus(
            address=self.ha_address,
            log_end=self._replica.end,
            last_read_ms=self._wall_ms(self._last_read, now),
            last_write_ms=self._wall_ms(self._last_write, now),
            bytes_per_second=0 if link is None else link.rate.per_second(now),
            is_connected=self.is_following,
            refusal=self.refusal,
        )
        end = self._replica.end
        return HaStatus(is_master=False, log_end=end, follows=follows)

    def _wall_ms(self, then: float, now: float) -> int:
        """Return the time of day of a time of the clock, in ms; 0 for never."""
        return int((self._wall_time() - now + then) * 1000) if then else 0

    def _begin(self) -> None:
        """Make an attempt, if the master is known."""
        self._retry = None
        if self.address and self.ha_address:
            self._attempt = Deferred.fromCoroutine(self._follow())
            self._attempt.addErrback(
                lambda failure: self._log.failure("following failed", failure)
            )

    async def _follow(self) -> None:
        """Connect, compare and follow."""
        try:
            await self._try_to_follow()
        except (CannotFollow, DamagedTransfer) as error:
            self._refuse(str(error))
        except CancelledError:
            return
        except Exception as error:
            self._failed(_said(error))
        finally:
            self._attempt = None

    async def _try_to_follow(self) -> None:
        self.state = FollowState.CONNECTING
        connecting = self._connect(self.ha_address, _LinkFactory(self._make_link))
        late = _too_late("no connection was made")
        connecting.addTimeout(_CONNECT_TIMEOUT, self._clock, late)
        link: MasterLink = await connecting
        self._link = link
        self.state = FollowState.COMPARING
        master = self._master_log(self.address)
        comparing = Deferred.fromCoroutine(self._beginning.compare(master))
        late = _too_late("it did not say what its commit log has")
        comparing.addTimeout(_COMPARE_TIMEOUT, self._clock, late)
        may_begin_anywhere = await comparing
        if self._link is not link:
            return  # it was lost meanwhile, and the next attempt is planned
        self.state = FollowState.FOLLOWING
        self.refusal = self._complained = None
        self._followed_since = self._clock.seconds()
        self._log.info(
            "following the master at {address} from {offset} on",
            address=self.ha_address,
            offset=self._replica.end,
        )
        link.follow(may_begin_anywhere)

    def _make_link(self) -> MasterLink:
        return MasterLink(
            replica=self._replica,
            clock=self._clock,
            heartbeat_interval=self._settings.heartbeat_interval,
            housekeeping_interval=self._settings.housekeeping_interval,
            on_closed=self._closed,
        )

    def _closed(self, link: MasterLink, why: str) -> None:
        """Plan the next attempt, unless this one is no longer wanted."""
        self._last_read = link.last_read or self._last_read
        self._last_write = link.last_write or self._last_write
        if self._link is link:
            self._link = None
            self._cancel_attempt()
            self._failed(why)

    def _failed(self, why: str) -> None:
        """Log an outage once, and try again later."""
        if self._complained != why:
            self._complained = why
            self._log.warn(
                "not following the master at {address}: {why}; still trying",
                address=self.ha_address,
                why=why,
            )
        if self.state is FollowState.FOLLOWING:
            if self._clock.seconds() - self._followed_since > RETRY:
                self._delay = FIRST_RETRY
        self._wait(FollowState.WAITING, self._delay)
        self._delay = min(self._delay * 2, RETRY)

    def _refuse(self, why: str) -> None:
        """Copy nothing, and say what is to be done."""
        if self.refusal != why:
            self._log.critical(
                "this slave does not follow the master at {address}: {why}",
                address=self.ha_address,
                why=why,
            )
        self.refusal = why
        self._wait(FollowState.REFUSED, RECHECK)

    def _wait(self, state: FollowState, delay: float) -> None:
        """Make the next attempt later."""
        link, self._link = self._link, None
        if link is not None:
            link.close("it is not followed")
        if self.state is FollowState.STOPPED:
            return
        self.state = state
        if self._retry is None or not self._retry.active():
            self._retry = self._clock.callLater(delay, self._begin)

    def _drop(self, why: str) -> None:
        """Give up the connection and whatever is planned."""
        self._cancel_attempt()
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
        self._retry = None
        link, self._link = self._link, None
        if link is not None:
            link.close(why)

    def _cancel_attempt(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()

    def _tick(self) -> None:
        """Look after the connection."""
        if self._link is not None:
            try:
                self._link.tick()
            except Exception:
                self._log.failure("the connection to the master was not looked after")


class _LinkFactory(Factory):
    """Makes the protocol of one connection to a master."""

    noisy = False

    def __init__(self, make: Callable[[], MasterLink]) -> None:
        self._make = make

    def buildProtocol(self, addr: IAddress | None) -> MasterLink:
        """Return the protocol."""
        return self._make()


def _too_late(what: str) -> Callable[[object, float], Failure]:
    """Return the function that turns a cancellation by a timeout into its reason."""
    return lambda _, seconds: Failure(MasterTooLate(f"{what} within {seconds:g} s"))


def _said(error: Exception) -> str:
    """Return the sentence of an error."""
    return str(error) or type(error).__name__
