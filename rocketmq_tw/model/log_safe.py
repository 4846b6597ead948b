"""How what a peer says is shown to people."""

from __future__ import annotations


def log_safe(text: str, longest: int = 140) -> str:
    """
    Give a text as it may stand in a log or a sentence.

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
