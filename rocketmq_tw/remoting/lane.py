"""
A lane: handles many requests of one kind at once, where each alone would cost too much.

The frames of one read are handled in order. Where one begins like the lane's requests,
the lane is given that frame and those behind it. It handles as many as are plain, and
leaves the first that is not to the handler of its code, which checks everything again.

What a lane does must not differ from what the handler would have done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.durable import DurableLog
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.frame import Frame


class Taken(msgspec.Struct, gc=False):
    """
    What a lane has handled.

    :ivar count: how many frames.
    :ivar responses: the frames of the responses, joined; one-way requests have none.
    :ivar response_count: how many responses these are.
    :ivar log: the responses are sent once it is on disk up to ``end``; None if they
        need not wait.
    :ivar left: the decoded header of the next frame, which is not plain; None if it
        was not decoded.
    """

    count: int = 0
    responses: bytes = b""
    response_count: int = 0
    log: DurableLog | None = None
    end: int = 0
    left: Command | None = None


class Lane(Protocol):
    """
    Handles plain requests.

    :ivar starts: what the headers of such requests begin with.
    """

    starts: tuple[bytes, ...]

    def take(
        self,
        frames: Sequence[Frame],
        at: int,
        until: int,
        peer: Peer,
        received_at: float,
    ) -> Taken:
        """
        Handle the frames from ``at`` on, until one is not plain, or before ``until``.

        It must not raise: what may fail is left to the handler.
        """


#: Called with frames, a range of them and their peer; returns up to which one they are
#: allowed. It must not raise; what it does not allow is left to the guard.
JudgeFrames = Callable[[Sequence[Frame], int, int, Peer], int]


class GuardedLane:
    """
    A lane that takes only frames which a guard allows.

    :param judge: judges them.
    """

    def __init__(self, judge: JudgeFrames, lane: Lane) -> None:
        self._judge = judge
        self._lane = lane
        self.starts = lane.starts

    def take(
        self,
        frames: Sequence[Frame],
        at: int,
        until: int,
        peer: Peer,
        received_at: float,
    ) -> Taken:
        """Handle the frames from ``at`` on that are allowed."""
        end = self._judge(frames, at, until, peer)
        if end == at:
            return Taken()
        return self._lane.take(frames, at, end, peer, received_at)
