"""
Makes the tracers of producers and consumers.

Traces are sent by a producer of their own, over the client's connections; its group is
named as in Java.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from zlib import crc32

from rocketmq_tw.client.trace.dispatcher import MAX_SIZE, TraceDispatcher
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.topic import TRACE_TOPIC

if TYPE_CHECKING:
    from rocketmq_tw.client.consumer.dispatch.outcomes import MessageHandler
    from rocketmq_tw.client.session import ClientSession
    from rocketmq_tw.client.trace.consumed import ConsumedTraces
    from rocketmq_tw.client.trace.consumption import ConsumerTracer
    from rocketmq_tw.client.trace.polled import PollTracer
    from rocketmq_tw.client.trace.popped import PopTracer
    from rocketmq_tw.client.trace.tracer import ProducerTracer

#: Characters of a group that fit the name of the other one.
_MAX_NAME = 80
#: Seconds for one message of traces.
_TIMEOUT = 5.0


def producer_tracer(
    session: ClientSession, group: str, trace: bool | str
) -> ProducerTracer:
    """
    Return what traces a producer.

    :param trace: the topic of traces; True for the usual one.
    """
    from rocketmq_tw.client.trace.tracer import ProducerTracer

    return ProducerTracer(
        _dispatcher(session, f"{_short(group)}-PRODUCE", trace),
        group=group,
        address=session.brokers.address,
        now=wall_time(session.clock),
    )


def consumer_tracer(
    session: ClientSession,
    group: str,
    trace: bool | str,
    handler_of: Callable[[str], MessageHandler],
) -> ConsumerTracer:
    """
    Return what traces a push consumer.

    :param trace: the topic of traces; True for the usual one.
    :param handler_of: returns the handler of a topic.
    """
    from rocketmq_tw.client.trace.consumption import ConsumerTracer

    return ConsumerTracer(_consumed(session, group, trace), handler_of)


def poll_tracer(session: ClientSession, group: str, trace: bool | str) -> PollTracer:
    """Return what traces a pull consumer; see :func:`consumer_tracer`."""
    from rocketmq_tw.client.trace.polled import PollTracer

    return PollTracer(_consumed(session, group, trace))


def pop_tracer(session: ClientSession, group: str, trace: bool | str) -> PopTracer:
    """Return what traces a simple consumer; see :func:`consumer_tracer`."""
    from rocketmq_tw.client.trace.popped import PopTracer

    return PopTracer(_consumed(session, group, trace))


def _consumed(session: ClientSession, group: str, trace: bool | str) -> ConsumedTraces:
    """Return what writes the records of a group."""
    from rocketmq_tw.client.trace.consumed import ConsumedTraces

    return ConsumedTraces(
        _dispatcher(session, f"{_short(group)}-CONSUME", trace),
        group=group,
        now=wall_time(session.clock),
    )


def _short(group: str) -> str:
    """Return a name for a group that fits; different ones for different groups."""
    if len(group) <= _MAX_NAME:
        return group
    return f"{group[: _MAX_NAME - 9]}-{crc32(group.encode()):08x}"


def _dispatcher(
    session: ClientSession, name: str, trace: bool | str
) -> TraceDispatcher:
    from rocketmq_tw.client.producer.config import ProducerConfig
    from rocketmq_tw.client.producer.producer import Producer

    config = ProducerConfig(
        timeout=_TIMEOUT, overflow="fail", max_message_size=2 * MAX_SIZE
    )
    group = f"_INNER_TRACE_PRODUCER-{name}-1"
    topic = trace if isinstance(trace, str) else TRACE_TOPIC
    return TraceDispatcher(
        topic, lambda: Producer(session, group, config), session.clock
    )
