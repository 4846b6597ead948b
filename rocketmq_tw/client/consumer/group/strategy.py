"""The type of the functions that allocate queues to members."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rocketmq_tw.model.queue import MessageQueue

#: Called with own client id, all sorted queues and all sorted client ids; returns own
#: queues.
Strategy = Callable[
    [str, Sequence[MessageQueue], Sequence[str]], Sequence[MessageQueue]
]
