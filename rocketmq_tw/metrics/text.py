"""
The text that Prometheus reads: names, labels and numbers.

A line is ``name{label="value",...} number``. Before the lines of a metric stand two
with its help and its type, and the lines of one metric are not interrupted by others.

Source: "Exposition formats" of Prometheus, version 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterable

#: The media type of the page.
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
#: The values of a series' labels, in the order of their names.
Values = tuple[str, ...]

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def escaped(value: str) -> str:
    """
    Return a label's value as it stands between quotes.

    Names come from the wire: what cannot be encoded, half of a surrogate pair, becomes
    a question mark, as one bad label would spoil the page.
    """
    if value.isascii() and value.isalnum():
        return value
    value = value.translate(_ESCAPES)
    return value.encode("utf-8", "replace").decode()


def labels_text(pairs: Iterable[tuple[str, str]]) -> str:
    """Return labels as they stand between braces, without these."""
    return ",".join(f'{name}="{escaped(value)}"' for name, value in pairs)


def number(value: float) -> str:
    """Return a number as Prometheus reads it."""
    if isinstance(value, int):
        return str(value)
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))


def head(name: str, kind: str, help_text: str) -> bytes:
    """Return the lines before those of a metric."""
    text = help_text.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n".encode()
