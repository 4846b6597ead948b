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
from rocketmq_tw.wire.command import NOT_USUAL, Command
from rocketmq_tw.wire.errors import MalformedHeader
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
    :ivar code: of the requests whose responses wait for the log.
    :ivar other: of the requests of another kind among them: their code, how many they
        are, and how many of these have a response.
    """

    count: int = 0
    responses: bytes = b""
    response_count: int = 0
    log: DurableLog | None = None
    end: int = 0
    left: Command | None = None
    code: int = 0
    other: tuple[int, int, int] | None = None


class NotAdmitted(Exception):
    """A request is left to the guard of the handlers, which decides about it."""


#: What is raised for a header that the lane leaves to the handler.
LEFT = (NotAdmitted, MalformedHeader, *NOT_USUAL)

#: Decodes a header, of the request with this body; raises one of :data:`LEFT`.
Read = Callable[[bytes, bytes], Command]


def start_of(code: int) -> bytes:
    """Return what JSON headers of a request begin with, if they are as usual."""
    return b'{"code":%d,' % code


def binary_start_of(code: int) -> bytes:
    """Return what binary headers of a request begin with; no JSON header does."""
    return code.to_bytes(2, "big")


class Lane(Protocol):
    """Handles plain requests."""

    def take(
        self,
        frames: Sequence[Frame],
        at: int,
        until: int,
        peer: Peer,
        received_at: float,
        read: Read | None = None,
    ) -> Taken:
        """
        Handle the frames from ``at`` on, until one is not plain, or before ``until``.

        It must not raise: what may fail is left to the handler.

        :param read: decodes the headers, and decides about them; None decodes all.
        """


class GuardedLane:
    """
    A lane that takes only requests which a guard admits.

    :param reader: returns what decodes the requests of a peer, and admits them; None if
        it admits none. Called once for all frames of a read.
    """

    def __init__(self, reader: Callable[[Peer], Read | None], lane: Lane) -> None:
        self._reader = reader
        self._lane = lane

    def take(
        self,
        frames: Sequence[Frame],
        at: int,
        until: int,
        peer: Peer,
        received_at: float,
        read: Read | None = None,
    ) -> Taken:
        """Handle the frames from ``at`` on that are admitted."""
        assert read is None, "one guard only reads the requests of a lane"
        read = self._reader(peer)
        if read is None:
            return Taken()
        return self._lane.take(frames, at, until, peer, received_at, read)


class ConditionalLane:
    """
    A lane that takes nothing while something is not so.

    :param condition: asked once for all frames of a read.
    """

    def __init__(self, condition: Callable[[], bool], lane: Lane) -> None:
        self._condition = condition
        self._lane = lane

    def take(
        self,
        frames: Sequence[Frame],
        at: int,
        until: int,
        peer: Peer,
        received_at: float,
        read: Read | None = None,
    ) -> Taken:
        """Handle the frames from ``at`` on, or none."""
        if not self._condition():
            return Taken()
        return self._lane.take(frames, at, until, peer, received_at, read)
