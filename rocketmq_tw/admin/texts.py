"""Numbers and times of the wire as what results contain, and errors as sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rocketmq_tw.admin.errors import InvalidArgument
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.errors import BrokerError, RequestTimeout, TransportError
from rocketmq_tw.wire.codes import code_name

#: How many characters of an error are kept: remarks of Java contain stack traces.
LONGEST_SENTENCE = 400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Milliseconds of the year 9999, the last that ``datetime`` has.
_LAST_MS = 253_402_300_799_999
#: Of V4_0_0; from it on a release has two numbers, and a minor release ten patches.
_FIRST_VERSION = 213


def at(ms: int) -> datetime | None:
    """Return a time in ms as a time in UTC; None if it is not a time after 1970."""
    if not 0 < ms <= _LAST_MS:
        return None
    return _EPOCH + timedelta(milliseconds=ms)


def to_ms(when: datetime) -> int:
    """
    Return a time in ms; one without a time zone is local.

    :raises InvalidArgument: it is so early or late that it has no time zone.
    """
    try:
        return int(when.timestamp() * 1000)
    except (OverflowError, ValueError) as error:
        raise InvalidArgument(f"{when} is no time to look for: {error}") from None


def whole(text: str | None, default: int = 0) -> int:
    """Return a whole number of a broker's; the default if it is none."""
    try:
        return int(text or "")
    except ValueError:
        return default


def number(text: str | None, default: float = 0.0) -> float:
    """Return the first number of a text such as ``0.1 0.2 0.3``; or the default."""
    words = (text or "").split(" ")
    try:
        value = float(words[0])
    except ValueError:
        return default
    return value if abs(value) < float("inf") else default


def version_name(version: int) -> str:
    """
    Return the name of a client's version, such as ``V5_3_3``.

    Source: ``MQVersion`` of RocketMQ 5.
    """
    if version < _FIRST_VERSION - 1:
        return str(version)
    release, is_final = divmod(version - _FIRST_VERSION + 1, 2)
    minors, patch = divmod(release, 10)
    major, minor = divmod(minors, 10)
    return f"V{4 + major}_{minor}_{patch}{'' if is_final else '_SNAPSHOT'}"


def sentence(error: BaseException) -> str:
    """Return why something failed, in one line that is safe on a terminal."""
    if isinstance(error, BrokerError):
        remark = error.remark.strip().splitlines()
        text = f"{code_name(error.code)}: {remark[0]}" if remark else ""
        text = text or f"it responded with {code_name(error.code)}"
    elif isinstance(error, RequestTimeout):
        text = f"no response: {error.why}"
    elif isinstance(error, TransportError):
        text = f"not reachable: {error.why}"
    else:
        text = str(error) or type(error).__name__
    return log_safe(text.replace("\n", " "), LONGEST_SENTENCE)
