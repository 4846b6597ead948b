"""Times on the command line: ``2h-ago``, ``now``, or in the form of ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

_AGO = re.compile(r"(\d{1,6})\s*(s|m|h|d|w)(?:-ago)?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_OFFSET = re.compile(r"offset:(\d{1,19})")
FORMS = "2h-ago (s, m, h, d, w), now, 2026-11-28T10:00, 2026-11-28T09:00Z"


def parse_ago(text: str) -> timedelta | None:
    """Return how long ago ``2h-ago`` is; None for another text."""
    if text == "now":
        return timedelta(0)
    found = _AGO.fullmatch(text)
    if found is None:
        return None
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def parse_time(text: str, now: datetime) -> datetime:
    """
    Return a time; one without a time zone is local.

    :raises click.BadParameter: it is none.
    """
    ago = parse_ago(text)
    try:
        if ago is not None:
            return now - ago
        when = datetime.fromisoformat(text)
        if when < datetime(1970, 1, 2, tzinfo=when.tzinfo):
            raise ValueError
        return when.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(f'"{text}" is no time; expected {FORMS}') from None


def parse_to(text: str) -> datetime | timedelta | str | int:
    """
    Return where a group continues.

    :raises click.BadParameter: it is nothing of that.
    """
    if text in ("earliest", "latest"):
        return text
    offset = _OFFSET.fullmatch(text)
    if offset is not None:
        return int(offset[1])
    ago = parse_ago(text)
    if ago is not None:
        return ago
    try:
        return parse_time(text, datetime(2000, 1, 1, tzinfo=UTC))
    except click.BadParameter:
        raise click.BadParameter(
            f'"{text}" is nothing to continue at; expected earliest, latest,'
            f" offset:NUMBER, {FORMS}"
        ) from None
