"""
Handles the frames of one connection in order: requests, and responses to our own.

Frames whose headers begin as a lane's requests do go to the lane first
(:mod:`rocketmq_tw.remoting.lane`); all others are decoded and handled one by one.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.inbound import InboundRequests
from rocketmq_tw.remoting.lane import Taken
from rocketmq_tw.remoting.pending import PendingCalls
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.write_through import SHORT
from rocketmq_tw.wire.command import RESPONSE, Command, decode, decode_json
from rocketmq_tw.wire.frame import JSON, Frame

#: For how many reads at most a lane that took nothing is not tried again. The peer's
#: next requests are likely not plain either, and each would be looked at in vain.
LONGEST_REST = 15


class FrameHandler:
    """
    Handles the frames of one connection.

    :param router: has the lane, if there is one.
    :param inbound: handles requests.
    :param pending: takes responses.
    :ivar is_paused: while True, frames are left unhandled.
    :ivar deadline: until when they are handled, in seconds of the clock.
    """

    __slots__ = (
        "_inbound",
        "_pending",
        "_reads_without_lane",
        "_rest",
        "_router",
        "_seconds",
        "deadline",
        "is_paused",
    )

    def __init__(
        self,
        router: Router,
        inbound: InboundRequests,
        pending: PendingCalls,
        clock: IReactorTime,
    ) -> None:
        self._router = router
        self._inbound = inbound
        self._pending = pending
        self._seconds = clock.seconds
        # How many reads the lane was not tried for when it last took nothing, and how
        # many of them are still to come.
        self._rest = self._reads_without_lane = 0
        self.deadline = 0.0
        self.is_paused = False

    def handle(
        self,
        frames: list[Frame],
        peer: Peer,
        now: float,
        corked: list[bytes],
        at_once: int,
    ) -> int:
        """
        Handle frames until there is a pause, or the deadline is over.

        :param now: when they were received.
        :param corked: short responses are added to it.
        :param at_once: how many are handled whatever the deadline.
        :returns: how many were handled.
        :raises RemoteProtocolError: one is invalid; those before it were handled.
        """
        lane, handle, seconds = self._router.lane, self._inbound.handle, self._seconds
        at, count, pending = 0, len(frames), self._pending
        starts, takes = self._router.lane_starts, False
        if self._reads_without_lane:
            self._reads_without_lane -= 1
            lane = None
        while at < count and not self.is_paused:
            if at >= at_once and seconds() >= self.deadline:
                break
            kind, header, body = frames[at]
            command: Command | None = None
            if lane is not None and header.startswith(starts):
                until = at + 1
                if until < count:
                    until = min(count, at + self._inbound.free)
                taken = lane.take(frames, at, until, peer, now)
                command = taken.left
                if taken.count:
                    self._rest, takes = 0, True
                    at += taken.count
                    self._respond(taken, peer, corked)
                    if command is None:
                        continue
                    header = frames[at][1]
                elif takes:
                    # One among others that is not plain.
                    takes = False
                else:
                    self._rest_lane()
                    lane = None
            at += 1
            if command is None:
                if kind == JSON:
                    if pending.resolve_quickly(header, body):
                        continue
                    command = decode_json(header, body)
                else:
                    command = decode(kind, header, body)
            if command.flag & RESPONSE:
                pending.resolve(command, peer.address)
            else:
                response = handle(Call(command, peer, now, header))
                if response is not None:
                    write = (
                        corked.append if len(response) < SHORT else self._inbound.write
                    )
                    write(response)
        return at

    def _respond(self, taken: Taken, peer: Peer, corked: list[bytes]) -> None:
        """Send the responses of a lane, now or after the fsync."""
        frames, log = taken.responses, taken.log
        if log is not None and taken.response_count:
            count, end = taken.response_count, taken.end
            if self._inbound.keep(
                frames, count=count, end=end, log=log, peer=peer, code=taken.code
            ):
                return
        if frames:
            corked.append(frames)

    def _rest_lane(self) -> None:
        """Do without the lane for this read and some more, which took nothing."""
        self._rest = min(2 * self._rest + 1, LONGEST_REST)
        self._reads_without_lane = self._rest
