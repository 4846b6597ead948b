"""
How a message is stored that is to be delivered at a time.

One of three properties says when, the first of them counts: ``TIMER_DELAY_SEC`` and
``TIMER_DELAY_MS`` from now, ``TIMER_DELIVER_MS`` as a time. The message goes to the
timer's queue; properties keep its own topic and queue, and ``TIMER_OUT_MS`` the slot
after which it is delivered. What is due already goes to its own topic.

Source: ``HookUtils.handleTimerMessage`` and ``transformTimerMessage`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.model.message import (
    REAL_QUEUE_ID,
    REAL_TOPIC,
    TIMER_DEL_UNIQKEY,
    TIMER_DELAY_MS,
    TIMER_DELAY_SEC,
    TIMER_DELIVER_MS,
    TIMER_OUT_MS,
    UNIQ_KEY,
)
from rocketmq_tw.model.topic import RETRY_PREFIX, TIMER_TOPIC
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.store.errors import PropertiesTooLong
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.properties import MAX_PROPERTIES, NAME_END, PAIR_END
from rocketmq_tw.wire.recall import encode_handle
from rocketmq_tw.wire.record import Draft

if TYPE_CHECKING:
    from rocketmq_tw.broker.timer.lane import TimedLane

#: The topic of drafts for the timer's queue; they have this very object.
TIMED_TOPIC: Final = TIMER_TOPIC.encode()
#: Bytes of properties that a message may get until it is delivered: when it was linked
#: and delivered, and how often it was rolled.
RESERVED: Final = 100
#: Those that end the properties of a timed message: of several of one name the last
#: counts.
ADDED: Final = (
    f"{TIMER_OUT_MS}\x01%d\x02{REAL_TOPIC}\x01%s\x02{REAL_QUEUE_ID}\x01%d\x02"
)
#: The properties that name a time, behind ``TIMER_``: their unit in milliseconds, and
#: whether they count from now.
_ASKED: Final = {
    "DELIVER_MS": (1, False),
    "DELAY_MS": (1, True),
    "DELAY_SEC": (1000, True),
}
#: Digits of a time that is not looked at closely.
_DIGITS = 15
#: No number of Java's ``long`` has more characters.
_LONGEST = 20


class TimerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the broker's settings say of timed messages.

    :ivar is_enabled: whether they are accepted.
    :ivar max_delay_ms: how far ahead a message may be due.
    :ivar slot_limit: how many messages, and recalls, may be due in one slot.
    """

    is_enabled: bool = True
    precision_ms: int = 1000
    max_delay_ms: int = 259_200_000
    slot_limit: int = 1_000_000


def slot_before(deliver_ms: int, precision_ms: int) -> int:
    """
    Return the slot of a message that is to be delivered at a time, or soon after.

    See :mod:`rocketmq_tw.store.timer.placement`.
    """
    return (deliver_ms - 1) // precision_ms * precision_ms


def timer_settings(config: BrokerConfig) -> TimerSettings:
    """Return what the broker's settings say of timed messages."""
    return TimerSettings(
        is_enabled=config.timer_wheel_enable,
        precision_ms=config.timer_precision_ms,
        max_delay_ms=config.timer_max_delay_sec * 1000,
        slot_limit=config.timer_congest_num_each_slot,
    )


class TimedSends:
    """
    Redirects messages to the timer's queue.

    :param broker_name: part of each recall handle.
    :ivar is_full: returns whether so many messages are due in a slot.
    :ivar wake: called when a message was redirected.
    :ivar lane: makes messages of the lane of sends; None before the first message.
    """

    def __init__(self, settings: TimerSettings, broker_name: str) -> None:
        self.settings = settings
        self._broker_name = broker_name
        self.is_full: Callable[[int, int], bool] = lambda slot_ms, limit: False
        self.wake: Callable[[], object] = lambda: None
        self.lane: TimedLane | None = None
        self.refused = 0

    def schedule(self, draft: Draft, now: float) -> Draft:
        """
        Redirect a draft to the timer's queue; return it as it is, if it is due.

        :param now: the time of day, in seconds.
        :raises Refused: the time is no number, or too far ahead; too many messages are
            due then; or timed messages are not accepted.
        :raises PropertiesTooLong: no space is left for those that are added.
        """
        settings, now_ms = self.settings, int(now * 1000)
        if not settings.is_enabled:
            raise _not_enabled()
        text = draft.properties.decode("utf-8", "replace")
        deliver_ms = _deliver_ms(text, now_ms)
        if deliver_ms is None or deliver_ms - now_ms > settings.max_delay_ms:
            raise self._illegal()
        if deliver_ms <= now_ms:
            if properties.find(text, TIMER_DEL_UNIQKEY) is not None:
                raise self._illegal()
            return draft
        out_ms = slot_before(deliver_ms, settings.precision_ms)
        if self.is_full(out_ms, settings.slot_limit):
            self.refused += 1
            raise _flow_control(settings.slot_limit)
        added = (ADDED % (out_ms, draft.topic.decode(), draft.queue_id)).encode()
        size = len(draft.properties) + len(added)
        if size > MAX_PROPERTIES - RESERVED:
            raise PropertiesTooLong(size, MAX_PROPERTIES - RESERVED)
        self.wake()
        draft.topic, draft.queue_id = TIMED_TOPIC, 0
        draft.properties += added
        return draft

    def slot_of(self, asked: str, now_ms: int) -> int | None:
        """
        Return the slot of a message; None if its time needs a closer look.

        :param asked: its properties, from behind the ``TIMER_`` of the one that names
            the time; a separator is at their end.
        """
        settings = self.settings
        name, _, behind = asked.partition(NAME_END)
        number = behind[: behind.find(PAIR_END)]
        is_number = number.isdecimal() and len(number) <= _DIGITS and number.isascii()
        if not is_number or not settings.is_enabled or name not in _ASKED:
            return None
        unit_ms, is_from_now = _ASKED[name]
        deliver_ms = int(number) * unit_ms
        if is_from_now:
            deliver_ms += now_ms
        if not 0 < deliver_ms - now_ms <= settings.max_delay_ms:
            return None
        precision_ms = settings.precision_ms
        # As slot_before(), which would cost a call.
        out_ms = (deliver_ms - 1) // precision_ms * precision_ms
        return None if self.is_full(out_ms, settings.slot_limit) else out_ms

    def recall_handle(self, draft: Draft) -> str | None:
        """Return what recalls a message; None for one that is retried."""
        text = draft.properties.decode("utf-8", "replace")
        topic = properties.find(text, REAL_TOPIC) or ""
        if topic.startswith(RETRY_PREFIX):
            return None
        out_ms = int(properties.find(text, TIMER_OUT_MS) or 0)
        key = properties.find(text, UNIQ_KEY) or ""
        return self.handle(topic, out_ms, key).decode()

    def handle(self, topic: str, out_ms: int, key: str) -> bytes:
        """Encode what recalls a message of a slot, which has this unique key."""
        # Behind the slot, so that rounding leads to it.
        return encode_handle(topic, self._broker_name, out_ms + 1, key)

    def _illegal(self) -> Refused:
        return Refused(
            ResponseCode.MESSAGE_ILLEGAL,
            "timer message illegal, the delay time should not be bigger than the max"
            f" delay {self.settings.max_delay_ms}ms; or if set del msg, the delay time"
            " should be bigger than the current time",
        )


def _deliver_ms(properties_text: str, now_ms: int) -> int | None:
    """Return when a message is to be delivered; None if that is no number."""
    for name, unit_ms, start_ms in (
        (TIMER_DELAY_SEC, 1000, now_ms),
        (TIMER_DELAY_MS, 1, now_ms),
        (TIMER_DELIVER_MS, 1, 0),
    ):
        text = properties.find(properties_text, name)
        if text is not None:
            number = _number(text)
            return None if number is None else start_ms + number * unit_ms
    return None


def _number(text: str) -> int | None:
    """Parse a number as Java does; None if it is none."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdecimal()) or len(text) > _LONGEST:
        return None
    number = int(text)
    return number if -(1 << 63) <= number < 1 << 63 else None


def _not_enabled() -> Refused:
    return Refused(
        ResponseCode.SYSTEM_ERROR,
        "accurate timer message is not enabled, timerWheelEnable is false",
    )


def _flow_control(limit: int) -> Refused:
    return Refused(
        ResponseCode.SYSTEM_ERROR,
        f"timer message is under flow control, max num limit is {limit}:"
        " timerCongestNumEachSlot allows no more messages at one time",
    )
