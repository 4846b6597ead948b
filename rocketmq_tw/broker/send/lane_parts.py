"""What the lane of sends is made from, and what features add to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from rocketmq_tw.broker.send.drafts import BROKER_BITS
from rocketmq_tw.broker.send.lane_forms import LaneForms
from rocketmq_tw.broker.send.targets import Targets
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.model import sysflag
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.durable import DurableLog
from rocketmq_tw.remoting.lane import Read, Taken
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.frame import Frame

#: Bits of the system flag that are refused, or that the record does not keep.
NOT_PLAIN = BROKER_BITS | sysflag.BORN_HOST_V6 | sysflag.STORE_HOST_V6


class LaneParts(msgspec.Struct, frozen=True, kw_only=True):
    """
    What all that takes messages past their handlers needs.

    :ivar added: the encoded properties that this broker adds to each message.
    :ivar max_size: the largest body, in bytes.
    :ivar forms: of the headers of requests and responses.
    :ivar log: what senders wait for; None if they do not wait.
    """

    runs: RunWriter
    targets: Targets
    stats: BrokerStats
    added: bytes
    max_size: int
    forms: LaneForms
    log: DurableLog | None


class LaneExtension(Protocol):
    """
    Takes frames of other requests, and sends that are not plain.

    :ivar declared: the other requests.
    """

    declared: Sequence[type[Request[Any]]]

    def wants(self, command: Command) -> bool:
        """Whether it may take a send that was found not to be plain."""

    def take(
        self,
        frames: Sequence[Frame],
        at: int,
        until: int,
        peer: Peer,
        received_at: float,
        read: Read | None,
        first: Command | None,
    ) -> Taken:
        """
        Do as :meth:`rocketmq_tw.remoting.lane.Lane.take`.

        :param first: the frame at ``at`` if it is a send, decoded and admitted.
        """


#: Makes the extension of a feature.
MakeExtension = Callable[[LaneParts], LaneExtension]
