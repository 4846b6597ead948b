"""
Reads the properties of a message that matter to the broker, once per send.

Properties are one text (:mod:`rocketmq_tw.wire.properties`). A name counts only at the
start of the text or after 0x02, and followed by 0x01. The same letters in a value or in
a longer name have no effect; nor has a name without a value.

Most messages have a tag, keys and a unique key, and nothing special: a few searches
show that, in 0.35 us for 80 characters. Only the others are decoded.

Source: ``MessageConst`` and ``SendMessageProcessor.sendMessage`` of RocketMQ 5.
"""

from __future__ import annotations

import re

import msgspec

from rocketmq_tw.model.message import (
    DELAY,
    POP_CK,
    PRIORITY,
    SHARDING_KEY,
    TAGS,
    TIMER_OUT_MS,
    TIMERS,
    TRAN_MSG,
    UNIQ_KEY,
    WAIT,
)
from rocketmq_tw.model.subscription import LONGEST_KEPT, kept_hash
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.properties import NAME_END, PAIR_END

_DELAY = f"{PAIR_END}{DELAY}{NAME_END}"
_TRAN_MSG = f"{PAIR_END}{TRAN_MSG}{NAME_END}"
_POP_CK = f"{PAIR_END}{POP_CK}{NAME_END}"
#: All three timer properties begin like this; so do others, which are recognised later.
_TIMER = f"{PAIR_END}TIMER_"
_PRIORITY = f"{PAIR_END}{PRIORITY}{NAME_END}"
_UNIQ_KEY = f"{PAIR_END}{UNIQ_KEY}{NAME_END}"
_EMPTY_UNIQ_KEY = _UNIQ_KEY + PAIR_END
#: What Java reads as an int.
_NUMBER = re.compile("[+-]?[0-9]{1,19}")
_MAX_INT = (1 << 31) - 1
_TAGS = f"{PAIR_END}{TAGS}{NAME_END}"


class Special(msgspec.Struct, frozen=True, gc=False):
    """
    The properties that only few messages have.

    :ivar delay: the value of ``DELAY``, not parsed.
    :ivar is_transactional: ``TRAN_MSG`` is true.
    :ivar is_timed: a delivery time is set, and the timer has not fired yet.
    :ivar priority: 0 or more; None without one, or if it does not count.
    """

    delay: str | None = None
    is_transactional: bool = False
    is_timed: bool = False
    priority: int | None = None


class SendProperties(msgspec.Struct, gc=False):
    """
    The properties of one message that is to be stored.

    :ivar text: without ``POP_CK``, which clients must not store, and without a priority
        that does not count; the last pair ends with its separator.
    :ivar special: None if the message is plain.
    """

    text: str
    tag: str | None
    has_unique_key: bool
    special: Special | None = None


def read(text: str) -> SendProperties:
    """Read a properties text; every text is accepted."""
    if text and text[-1] != PAIR_END:
        text += PAIR_END
    # Now a separator stands before every name, including the first.
    marked = PAIR_END + text
    if _asks(marked):
        return _read_special(text)
    has_unique_key = _UNIQ_KEY in marked
    if has_unique_key and _EMPTY_UNIQ_KEY in marked:
        has_unique_key = properties.find(text, UNIQ_KEY) is not None
    _, found, behind = marked.rpartition(_TAGS)
    tag: str | None = None
    if found:
        tag = behind.partition(PAIR_END)[0] or properties.find(text, TAGS)
    return SendProperties(text, tag, has_unique_key)


def plain_code(text: str) -> int | None:
    """
    Return the tags code of a plain message with a unique key; 0 without a tag.

    None if it is another message, or one that :func:`read` must read: its text is empty
    or does not end with a separator, its tag or its key is empty, or its tag is long.

    On the path of every message: 0.4 us for 80 characters.
    """
    if not text or text[-1] != PAIR_END:
        return None
    marked = PAIR_END + text
    # As in _asks(), which would cost a call.
    if (
        _DELAY in marked
        or ("M" in marked and (_TIMER in marked or _TRAN_MSG in marked))
        or ("P" in marked and (_POP_CK in marked or _PRIORITY in marked))
    ):
        return None
    if _UNIQ_KEY not in marked or _EMPTY_UNIQ_KEY in marked:
        return None
    _, found, behind = marked.rpartition(_TAGS)
    if not found:
        return 0
    end = behind.index(PAIR_END)
    return kept_hash(behind[:end]) if 0 < end <= LONGEST_KEPT else None


def timed_parts(text: str) -> tuple[int, str, str] | None:
    """
    Split a message that asks for a time and nothing else, as :func:`plain_code` does.

    :returns: its tags code, its unique key, and what is behind the ``TIMER_`` of the
        property that names the time; None if the message has several of these.
    """
    if not text or text[-1] != PAIR_END:
        return None
    marked = PAIR_END + text
    before, found, asked = marked.rpartition(_TIMER)
    if (
        not found
        or _TIMER in before
        or _DELAY in marked
        or _TRAN_MSG in marked
        or ("P" in marked and (_POP_CK in marked or _PRIORITY in marked))
    ):
        return None
    _, found, behind = marked.rpartition(_UNIQ_KEY)
    key = behind[: behind.index(PAIR_END)] if found else ""
    if not key:
        return None
    _, found, behind = marked.rpartition(_TAGS)
    if not found:
        return 0, key, asked
    end = behind.index(PAIR_END)
    if not 0 < end <= LONGEST_KEPT:
        return None
    return kept_hash(behind[:end]), key, asked


def _asks(marked: str) -> bool:
    """
    Return whether a property asks for something.

    The names of usual properties have no M, and no P, nor have unique keys: where a tag
    has none either, two searches for names become two for letters, which take half as
    long.

    :param marked: a properties text that begins and ends with a separator.
    """
    if _DELAY in marked:
        return True
    if "M" in marked and (_TIMER in marked or _TRAN_MSG in marked):
        return True
    return "P" in marked and (_POP_CK in marked or _PRIORITY in marked)


def asks_besides(marked: str) -> bool:
    """
    Return whether a property asks for something else than a transaction.

    :param marked: a properties text that begins and ends with a separator.
    """
    return (
        _DELAY in marked or _TIMER in marked or _POP_CK in marked or _PRIORITY in marked
    )


def _read_special(text: str) -> SendProperties:
    """Decode a text with special properties."""
    table = properties.decode(text)
    if table.pop(POP_CK, None) is not None:
        text = properties.encode(table)
    delay = table.get(DELAY)
    is_transactional = table.get(TRAN_MSG, "").lower() == "true"
    is_timed = not TIMERS.isdisjoint(table) and TIMER_OUT_MS not in table
    priority = _priority(table.get(PRIORITY))
    asks = delay is not None or is_transactional or is_timed
    if priority is not None and (asks or SHARDING_KEY in table):
        del table[PRIORITY]
        text, priority = properties.encode(table), None
    special: Special | None = None
    if asks or priority is not None:
        special = Special(delay, is_transactional, is_timed, priority)
    return SendProperties(text, table.get(TAGS), UNIQ_KEY in table, special)


def _priority(text: str | None) -> int | None:
    """Return a priority; None for a negative one, and for what is no Java int."""
    if text is None or not _NUMBER.fullmatch(text):
        return None
    priority = int(text)
    return priority if 0 <= priority <= _MAX_INT else None


def without(text: str, name: str) -> str:
    """Return the text without one property; unchanged if it has none of that name."""
    table = properties.decode(text)
    if name not in table:
        return text
    del table[name]
    return properties.encode(table)


def waits_for_flush(text: str) -> bool:
    """Return whether the sender waits for the fsync, which is the default."""
    wait = properties.find(text, WAIT)
    return wait is None or wait.lower() == "true"
