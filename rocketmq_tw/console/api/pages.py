"""Pages of lists: the browser gets some tens of entries, whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec

from rocketmq_tw.console.errors import HttpError

T = TypeVar("T")

#: Words of a search: each takes 5 ms among 130,000 groups.
_MOST_WORDS = 4
#: Characters of a search, and how many entries a page may have.
Search = Annotated[str, msgspec.Meta(max_length=256)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]
Offset = Annotated[int, msgspec.Meta(ge=0)]
#: A name of a topic or group; Apache RocketMQ lets them have up to 255 characters.
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """
    Some entries of a list.

    :ivar total: how many match the search.
    :ivar offset: how many of them come before these.
    :ivar failed: who could not be asked, and why; what only they know is missing.
    """

    items: tuple[T, ...]
    total: int
    offset: int
    failed: dict[str, str] = {}


class PageQuery(msgspec.Struct, frozen=True):
    """Which entries of a list."""

    search: Search = ""
    offset: Offset = 0
    limit: Limit = 50


def words_of(search: str) -> frozenset[str]:
    """Return what is searched for. :raises HttpError: that has too many words."""
    words = frozenset(search.lower().split())
    if len(words) > _MOST_WORDS:
        raise HttpError(400, f"a search may have {_MOST_WORDS} words")
    return words


def page_of(
    found: Sequence[T],
    query: PageQuery,
    text_of: Callable[[T], str],
    failed: Mapping[str, str],
) -> Page[T]:
    """
    Return the entries that a query asks for.

    :param text_of: what the search looks at; every word has to be in it.
    :param failed: who could not be asked, and why.
    :raises HttpError: the search has too many words.
    """
    words = words_of(query.search)
    if words:
        texts = [(text_of(each).lower(), each) for each in found]
        # The longest leaves the fewest for the others.
        for word in sorted(words, key=len, reverse=True):
            texts = [pair for pair in texts if word in pair[0]]
        found = [each for _, each in texts]
    chosen = found[query.offset : query.offset + query.limit]
    return Page(tuple(chosen), len(found), query.offset, dict(failed))
