"""Tracers as they are made: nothing is imported or joined before it is needed."""

from __future__ import annotations

import subprocess
import sys

from rocketmq_tw.model.message import Message
from tests.client.trace.test_tracer import TracerCase

_PROGRAM = """
import sys
import rocketmq_tw.client.producer.producer, rocketmq_tw.client.consumer.push
import rocketmq_tw.client.consumer.lite.consumer
import rocketmq_tw.client.consumer.simple.consumer
print([name for name in sys.modules if "client.trace" in name])
"""


class MadeTests(TracerCase):
    """A tracer and its sender."""

    def test_joins_when_there_is_something(self) -> None:
        """The group of what sends traces is joined with the first records."""
        producer = self.producer()
        client = self.cluster.clients[-1]
        self.cluster.advance(10)
        self.assertEqual(client.session.groups.producers, ["PG"])
        self.cluster.result_of(producer.send(Message("T", b"x")))
        self.cluster.advance(6)
        expected = ["PG", "_INNER_TRACE_PRODUCER-PG-PRODUCE-1"]
        self.assertEqual(client.session.groups.producers, expected)

    def test_not_imported(self) -> None:
        """Clients without traces do not import what makes them."""
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60
        )
        self.assertEqual(done.stdout, "[]\n", done.stderr)
