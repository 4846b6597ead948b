"""
Events as JSON, one a line, with plain names::

    {"time":"2026-11-28T01:02:03.456789Z","level":"warn",
     "system":"rocketmq_tw.remoting.peer_log.PeerLog",
     "message":"closed 10.0.0.9:4711: the frame is too long",
     "fields":{"peer":"10.0.0.9:4711","why":"the frame is too long"}}

``failure`` is a traceback, where there is one. The encoder of Twisted writes whatever
is in an event; here every value is a number, a truth value or a text, so that a search
index need not guess.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from twisted.logger import LogEvent, LogLevel, formatEvent

#: Characters of one text, and how many fields there may be.
LONGEST, MOST = 4000, 40
#: What an event has for reasons of its own, and old code adds.
_LEFT_OUT = frozenset(
    ("message", "time", "system", "format", "isError", "failure", "why", "log_text")
)
_PLAIN = (bool, int, float, str, type(None))
_encode = msgspec.json.Encoder().encode


def json_line(event: LogEvent) -> str:
    """Return an event as a line. It does not fail, whatever the event has."""
    made: dict[str, Any] = {
        "time": _time(event.get("log_time")),
        "level": _level(event.get("log_level")),
        "system": _text(event.get("log_namespace") or "-"),
        "message": _text(formatEvent(event)),
    }
    fields = {
        _text(name): _value(value)
        for name, value in list(event.items())
        if not name.startswith("log_") and name not in _LEFT_OUT
    }
    if fields:
        made["fields"] = dict(list(fields.items())[:MOST])
    failure = event.get("log_failure")
    if failure is not None:
        made["failure"] = _traceback(failure)
    return _encode(made).decode() + "\n"


def _time(seconds: float | None) -> str | None:
    """Return a time in UTC."""
    if seconds is None:
        return None
    made = datetime.fromtimestamp(seconds, UTC)
    return made.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _level(level: Any) -> str:
    """Return the name of a level."""
    return str(getattr(level, "name", None) or LogLevel.info.name)


def _value(value: Any) -> Any:
    """Return a field as it is, or as text."""
    if isinstance(value, float) and value - value != 0:
        return str(value)  # JSON has neither infinity nor what is no number
    if isinstance(value, _PLAIN) and not isinstance(value, str):
        return value if not isinstance(value, int) or abs(value) < 2**63 else str(value)
    try:
        return _text(value if isinstance(value, str) else str(value))
    except Exception:
        return f"<{type(value).__name__} that cannot be shown>"


def _text(text: str) -> str:
    """Return a text that can be encoded, and is not longer than it may be."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}..."
    return text.encode("utf-8", "replace").decode()


def _traceback(failure: Any) -> str:
    """Return the traceback of a failure."""
    try:
        text = str(failure.getTraceback())
    except Exception:
        text = "<a traceback that cannot be shown>"
    return text.encode("utf-8", "replace").decode()
