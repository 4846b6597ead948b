"""A broker with timed messages, on a clock."""

from __future__ import annotations

import shutil
from typing import Any

from rocketmq_tw.broker.timer import feature as timer
from rocketmq_tw.broker.timer.parts import TimerParts
from rocketmq_tw.wire import properties
from tests.broker.cases import TOPIC, BrokerCase, in_memory, sent


class TimerCase(BrokerCase):
    """Sends timed messages, and lets time go by."""

    @property
    def parts(self) -> TimerParts:
        """What was made for the first timed message."""
        parts: TimerParts | None = self.made[timer.install].parts
        assert parts is not None
        return parts

    @property
    def now_ms(self) -> int:
        """The time of day."""
        return int(self.clock.wall_seconds() * 1000)

    def timed(
        self, body: bytes = b"Hello", topic: str = TOPIC, queue_id: int = 0, **kept: Any
    ) -> Any:
        """Send a message with properties; return the response."""
        pairs = {"UNIQ_KEY": body.decode(), "TAGS": "TagA"}
        pairs |= {name: str(value) for name, value in kept.items()}
        request = sent(
            topic=topic,
            body=body,
            queue_id=queue_id,
            properties=properties.encode(pairs),
        )
        response = self.ask(request)
        self.assertEqual((response.status, response.remark), (0, None))
        return response

    def wait(self, seconds: float, step: float = 0.05) -> None:
        """Let time go by."""
        self.clock.pump([step] * round(seconds / step))

    def bodies(self, topic: str = TOPIC, queue_id: int = 0) -> list[bytes]:
        """Return the bodies that were delivered."""
        return [message.body for message in self.messages(topic, queue_id)]

    def kill(self) -> None:
        """Start again on a copy of the files, as they are now, without a stop."""
        folder = in_memory(self)
        shutil.copytree(self.root, folder)
        self.stop()
        self.root = folder
        self.start()
