"""
What became of a message: finds the records of its trace, and puts them in order.

Source: ``QueryMsgTraceByIdSubCommand`` and ``TraceView`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from rocketmq_tw.admin.errors import NotFound
from rocketmq_tw.admin.results.messages import Found, FoundMessage
from rocketmq_tw.admin.results.traces import MessageTrace, TraceEvent
from rocketmq_tw.admin.texts import at
from rocketmq_tw.wire.trace import ConsumeOutcome
from rocketmq_tw.wire.trace_decoding import TraceRecord, decode_records

#: What each kind comes after, at the same time.
_ORDER = ("Pub", "EndTransaction", "SubBefore", "SubAfter", "Recall")


def trace_of(message_id: str, topic: str, found: Found) -> MessageTrace:
    """
    Return the trace of a message.

    :param topic: that of traces.
    :param found: the messages there that have the id as a key.
    :raises NotFound: none of them has a record of it.
    """
    events: list[TraceEvent] = []
    unreadable = 0
    for message in found.messages:
        records, damaged = decode_records(message.body)
        unreadable += damaged
        events += (
            _event(record, message)
            for record in records
            if message_id in record.message_id.split(",")
        )
    if not events:
        where = f'in the topic "{topic}"'
        if found.failed:
            where += ", as far as brokers responded"
        raise NotFound("trace of the message", message_id, where)
    events = sorted(_with_groups(events), key=_when)
    return MessageTrace(
        message_id, topic, tuple(events), found.is_complete, unreadable, found.failed
    )


def _event(record: TraceRecord, message: FoundMessage) -> TraceEvent:
    """Return a record as administrators see it."""
    return TraceEvent(
        kind=record.kind,
        client=message.born_host,
        time=None if record.time_ms is None else at(record.time_ms),
        group=record.group,
        topic=record.topic,
        tag=record.tags,
        keys=record.keys,
        broker=record.host,
        cost=None if record.cost_ms is None else record.cost_ms / 1000,
        success=record.success,
        outcome=record.state or _outcome(record.outcome),
        retries=record.retries,
        request_id=record.request_id,
    )


def _outcome(number: int | None) -> str | None:
    """Return the name of an outcome; of an unknown one the number."""
    if number is None:
        return None
    try:
        return ConsumeOutcome(number).name
    except ValueError:
        return str(number)


def _with_groups(events: Iterable[TraceEvent]) -> Iterator[TraceEvent]:
    """
    Return events with what the record before a consumption says.

    Clients before 4.9 write neither group nor time into the record after it.
    """
    events = list(events)
    before = {each.request_id: each for each in events if each.kind == "SubBefore"}
    for each in events:
        begun = before.get(each.request_id)
        if each.kind != "SubAfter" or begun is None:
            yield each
            continue
        yield msgspec.structs.replace(
            each,
            group=each.group or begun.group,
            time=each.time or begun.time,
            retries=begun.retries,
        )


def _when(event: TraceEvent) -> tuple[float, int]:
    """Return what events are sorted by."""
    time = event.time.timestamp() if event.time else 0.0
    return time, _ORDER.index(event.kind)
