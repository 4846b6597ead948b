"""Lets topics with ``dedupe.window`` recognise messages that are sent twice."""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.dedupe.rebuild import Rebuild
from rocketmq_tw.broker.dedupe.sends import DedupedSends
from rocketmq_tw.broker.dedupe.window import Windows
from rocketmq_tw.broker.send.responses import SendResponses
from rocketmq_tw.broker.send.targets import Targets
from rocketmq_tw.broker.tables.topic_attributes import dedupe_window_ms
from rocketmq_tw.clock import wall_time

#: Milliseconds between two looks for keys that are due.
_PERIOD_MS = 1000


def deduped_sends(
    broker: Broker, responses: SendResponses, targets: Targets
) -> DedupedSends:
    """Return what recognises messages; a master reads their keys when it starts."""
    config, topics = broker.config, broker.tables.topics
    windows = Windows(config.max_dedupe_keys)
    now = wall_time(broker.clock)

    def changed(topic: str) -> None:
        if not _lengths_of(broker, topic):
            windows.drop(topic)

    def rebuild() -> object:
        lengths = _lengths_of(broker, *topics.table)
        steps = Rebuild(broker.store, windows, config.max_dedupe_keys).steps
        return broker.pacer.run(steps(lengths, int(now() * 1000)), None, key=windows)

    topics.on_change.append(changed)
    if not config.is_slave:
        broker.lifecycle.on_start.append(rebuild)
    broker.periodic.every(_PERIOD_MS, lambda: windows.forget_due(int(now() * 1000)))
    gauges = broker.stats.gauges
    gauges["dedupeKeys"] = lambda: len(windows)
    gauges["dedupeKeysForgotten"] = lambda: windows.forgotten
    gauges["messagesRecognised"] = lambda: windows.recognised
    return DedupedSends(
        store=broker.store,
        windows=windows,
        responses=responses,
        check_current=targets.check_current,
        now=now,
    )


def _lengths_of(broker: Broker, *names: str) -> dict[str, int]:
    """Return the windows of topics, in ms, by name; those without are left out."""
    lengths: dict[str, int] = {}
    for name in names:
        found = broker.tables.topics.get(name)
        length_ms = 0 if found is None else dedupe_window_ms(found.attributes)
        if length_ms:
            lengths[name] = length_ms
    return lengths
