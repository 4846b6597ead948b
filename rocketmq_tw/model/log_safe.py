"""Texts from peers, made safe for logs and sentences."""

from __future__ import annotations


def log_safe(text: str, longest: int = 140) -> str:
    """
    Escape what does not print, and cut what is too long.

    Names come from whoever reaches the port. Line feeds would forge lines of the log,
    escape sequences would speak to the terminal it is read on.

    :param longest: characters of the text; what follows is left out.
    :returns: the text; what does not print is written as ``\\x1b`` or ``\\u202e``.
    """
    cut = text if len(text) <= longest else f"{text[:longest]}..."
    if cut.isprintable():
        return cut
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut
    )
