"""Bodies of messages on a terminal: as text, as JSON, or as hex."""

from __future__ import annotations

from typing import Any

import msgspec

from rocketmq_tw.admin.results.messages import FoundMessage, Page

FORMS = ("auto", "text", "json", "hex", "none")
#: Bytes that are printed, unless all are asked for.
SHORT = 4096
_PER_LINE = 16


def body_text(body: bytes, form: str, limit: int | None = SHORT) -> str:
    """
    Return a body as text; the caller escapes it.

    :param form: one of :data:`FORMS`; ``auto`` chooses by the body.
    :param limit: bytes of it that are printed.
    """
    if form == "none":
        return ""
    cut = body if limit is None else body[:limit]
    more = len(body) - len(cut)
    if form == "auto":
        form = _form_of(body)
    if form == "json" and not more:
        try:
            return msgspec.json.format(body, indent=2).decode()
        except (msgspec.DecodeError, UnicodeDecodeError):
            form = "text"
    text = hex_dump(cut) if form == "hex" else cut.decode("utf-8", "replace")
    return f"{text}\n... {more} more bytes" if more else text


def _form_of(body: bytes) -> str:
    """Return how a body is best shown."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "hex"
    if text[:1] in ("{", "["):
        return "json"
    readable = sum(char.isprintable() or char in "\r\n\t" for char in text[:SHORT])
    return "text" if readable >= 0.9 * len(text[:SHORT]) else "hex"


def hex_dump(body: bytes) -> str:
    """Return sixteen bytes a line: offset, hex, and what is ASCII."""
    lines = []
    for at in range(0, len(body), _PER_LINE):
        part = body[at : at + _PER_LINE]
        ascii_text = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
        lines.append(f"{at:08x}  {part.hex(' '):<{3 * _PER_LINE - 1}}  {ascii_text}")
    return "\n".join(lines)


def page_as_json(page: Page, form: str) -> Any:
    """Return a page for JSON; see :func:`as_json`."""
    messages = [as_json(each, form) for each in page.messages]
    return {"messages": messages, "cursor": page.cursor, "failed": page.failed}


def as_json(message: FoundMessage, form: str) -> Any:
    """
    Return a message for JSON: its body in Base64, or as text if that is asked for.

    A body asked for as JSON becomes a part of the message's, if it is JSON.
    """
    if form not in ("text", "json", "none"):
        return message
    fields = msgspec.to_builtins(message)
    if form == "json":
        try:
            fields["body"] = msgspec.json.decode(message.body)
            return fields
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
    fields["body"] = None if form == "none" else message.body.decode("utf-8", "replace")
    return fields
