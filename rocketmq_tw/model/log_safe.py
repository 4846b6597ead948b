"""Makes texts from peers safe for logs and error messages."""

from __future__ import annotations


def log_safe(text: str, longest: int = 140) -> str:
    """
    Escape characters that are not printable, and shorten long texts.

    Names come from any client that reaches the port. Line feeds could forge log lines,
    and escape sequences could control the terminal on which the log is read.

    :param longest: the number of characters to keep.
    :returns: the text, with escapes such as ``\\x1b`` or ``\\u202e``.
    """
    cut = text if len(text) <= longest else f"{text[:longest]}..."
    if cut.isprintable():
        return cut
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut
    )
