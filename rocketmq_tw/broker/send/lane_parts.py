"""What the lane of sends is made from, and what features add to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from rocketmq_tw.broker.send.drafts import BROKER_BITS
from rocketmq_tw.broker.send.targets import Targets
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.model import sysflag
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.durable import DurableLog
from rocketmq_tw.remoting.lane import Read, Taken, start_of
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.wire.command import Command, typed_decoder
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.frame import Frame
from rocketmq_tw.wire.requests.send import SendMessageV2

#: Bits of the system flag that are refused, or that the record does not keep.
NOT_PLAIN = BROKER_BITS | sysflag.BORN_HOST_V6 | sysflag.STORE_HOST_V6
#: What the header of a send begins with.
SEND_CODE = int(SendMessageV2.code)
SEND_START = start_of(SEND_CODE)
#: Decodes it; raises what the lane leaves to the handler.
decode_send = typed_decoder(b"%d" % SEND_CODE)


class LaneParts(msgspec.Struct, frozen=True, kw_only=True):
    """
    What all that takes messages past their handlers needs.

    :ivar added: the encoded properties that this broker adds to each message.
    :ivar max_size: the largest body, in bytes.
    :ivar store_host: part of every response, like ``region`` and ``trace_on``.
    :ivar log: what senders wait for; None if they do not wait.
    """

    runs: RunWriter
    targets: Targets
    stats: BrokerStats
    added: bytes
    max_size: int
    store_host: bytes
    region: str
    trace_on: str
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
