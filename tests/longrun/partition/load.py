"""Somebody who sends to the master all the time, and writes down what it promised."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import msgspec

from rocketmq_tw.wire.fields import from_ext
from tests.longrun.broker import Link, send
from tests.longrun.pairs import QUEUES, TOPIC, Acknowledged, Ledger

#: Sends in flight, and seconds between two of them: 500 in a second, 0.8 MB.
DEPTH = 32
PACE = 0.002


class Outcome(msgspec.Struct, frozen=True):
    """When a message was sent, when the response came, and its code."""

    sent: float
    answered: float
    code: int


class Load(threading.Thread):
    """
    Sends until :meth:`stop`.

    :ivar outcomes: of all that was sent, in the order of the requests.
    """

    def __init__(self, port: int, ledger: Ledger, seed: int) -> None:
        super().__init__(daemon=True)
        self.ledger = ledger
        self.outcomes: list[Outcome] = []
        self._dice = random.Random(seed)
        self._link = Link(port)
        self._ended = threading.Event()
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Send, so many in flight."""
        try:
            in_flight: list[tuple[int, float, bytes]] = []
            while not self._ended.wait(PACE):
                in_flight.append(self._send())
                if len(in_flight) == DEPTH:
                    self._receive(*in_flight.pop(0))
            for each in in_flight:
                self._receive(*each)
        except BaseException as failure:
            self._failure = failure

    def stop(self) -> None:
        """Send no more, and wait for the responses."""
        self._ended.set()
        self.join(60)
        self.check()
        assert not self.is_alive(), "the master does not respond"
        self._link.close()

    def check(self) -> None:
        """Raise what went wrong while sending."""
        if self._failure is not None:
            raise self._failure

    def codes(self, begin: float, end: float) -> set[int]:
        """Return the codes of what was sent after one time, and answered before
        another."""
        return {
            each.code
            for each in list(self.outcomes)
            if each.sent >= begin and each.answered <= end
        }

    def has_sent(self, count: int, since: float) -> bool:
        """Return whether so many were sent after a time, and acknowledged."""
        self.check()
        new = (each for each in reversed(self.outcomes) if each.sent >= since)
        return sum(each.code == 0 for each in new) >= count

    def _send(self) -> tuple[int, float, bytes]:
        dice, ledger = self._dice, self.ledger
        body = b"%010d " % ledger.number + dice.randbytes(dice.choice((8, 100, 5000)))
        ledger.number += 1
        request = send(TOPIC, dice.randrange(QUEUES), body)
        return self._link.send(request), time.monotonic(), body

    def _receive(self, opaque: int, sent: float, body: bytes) -> None:
        """Wait for one response, and write it down if it is a promise."""
        answer = self._link.answer(opaque)
        self.outcomes.append(Outcome(sent, time.monotonic(), answer.code))
        if answer.code != 0:
            return
        stored: Any = from_ext(send(TOPIC, 0, b"").response_type, answer.fields)
        at = int(stored.msg_id[16:], 16)
        place = Acknowledged(at, stored.queue_id, stored.queue_offset, body)
        self.ledger.acknowledged.append(place)
