"""
The properties of a message, encoded as one text.

``name 0x01 value 0x02``, repeated, in any order. The last 0x02 is always written;
readers accept its absence (4.9.1 to 5.1 omit it). Pieces shorter than three characters
and pairs with an empty name or value are skipped, as in Apache RocketMQ. The two
separators cannot be escaped.

Source: ``MessageDecoder.messageProperties2String`` and ``string2messageProperties``.
"""

from collections.abc import Mapping
from typing import AnyStr

#: The longest text, in bytes: a record holds its length as a positive short.
MAX_PROPERTIES = 0x7FFF

NAME_END = "\x01"
PAIR_END = "\x02"


def encode(properties: Mapping[str, str]) -> str:
    """Encode properties as one text; a None value is omitted."""
    return "".join([f"{n}\x01{v}\x02" for n, v in properties.items() if v is not None])


def decode(text: str) -> dict[str, str]:
    """Decode a properties text; malformed pairs are skipped."""
    properties = {}
    for piece in text.split(PAIR_END):
        name, separator, value = piece.partition(NAME_END)
        if value and name:
            properties[name] = value
    return properties


def whole_number(text: str, digits: int) -> int | None:
    """Return the number in a text; None if it is none, or has more digits."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= digits
    return int(text) if is_number else None


def find(text: str, name: str) -> str | None:
    """
    Return one value without decoding the others; None if it is absent.

    If a name occurs twice, the last one counts, as in :func:`decode`.
    """
    wanted = name + NAME_END
    start = text.rfind(PAIR_END + wanted)
    if start >= 0:
        start += len(wanted) + 1
    elif text.startswith(wanted):
        start = len(wanted)
    else:
        return None
    end = text.find(PAIR_END, start)
    value = text[start:] if end < 0 else text[start:end]
    # An empty value is skipped; there may be another one before it.
    return value or decode(text).get(name)


def last_value(marked: AnyStr, start: AnyStr, pair_end: AnyStr) -> AnyStr | None:
    """
    Return the last value of a property, which may be empty; None if it is absent.

    For the path of every message: quicker than :func:`find`, and of texts as of bytes.

    :param marked: properties with a separator before the first name and at the end.
    :param start: the name, between the two separators.
    :param pair_end: 0x02.
    """
    at = marked.rfind(start)
    if at < 0:
        return None
    at += len(start)
    return marked[at : marked.index(pair_end, at)]
