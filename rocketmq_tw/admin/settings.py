"""
Changes settings of servers, and looks whether they have taken them.

Source: ``Configuration.update`` of RocketMQ 5, which passes over what it does not know,
or cannot convert, and responds as if it had changed it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.errors import NotFound, NotTaken
from rocketmq_tw.admin.results.topics import Changed
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.wire.bodies.kvtable import encode_properties

#: Names that are proposed for one that there is not.
_PROPOSED = 3
#: How alike they are, of 1; several letters may be wrong in a long one.
_ALIKE = 0.8


class ServerSettings:
    """
    The settings of some servers.

    :param addresses: of the servers.
    :param read: asks one for its settings.
    :param write: sends new ones to one, as properties text.
    """

    def __init__(
        self,
        calls: Calls,
        addresses: Iterable[str],
        read: Callable[[str], Awaitable[dict[str, str]]],
        write: Callable[[str, bytes], Awaitable[object]],
    ) -> None:
        self._calls = calls
        self._addresses = tuple(addresses)
        self._read = read
        self._write = write

    async def change(self, values: Mapping[str, str], what: str) -> Changed:
        """
        Change settings of all servers that have them.

        :param what: what was not possible, for errors.
        :raises NotFound: no server has one of them; nothing is changed.
        :raises RefusedByAll: the settings cannot be changed.
        :raises NothingResponded: no server has responded.
        """
        read = await self._calls.each({a: a for a in self._addresses}, self._settings)
        read.need_one(what)
        check_known(values, read.ok.values())

        async def change(address: str) -> None:
            check_known(values, [read.ok[address]])
            await self._write(address, encode_properties(values))
            check_changed(values, await self._read(address))

        asked = await self._calls.each({a: a for a in read.ok}, change)
        asked.need_change(what)
        return Changed(tuple(asked.ok), {**read.failed, **asked.failed})

    async def _settings(self, address: str) -> dict[str, str]:
        """Ask a server for its settings."""
        return await self._read(address)


def check_known(values: Mapping[str, str], tables: Iterable[Mapping[str, str]]) -> None:
    """
    Check that each setting is in the table of some server.

    :raises NotFound: one is in none. Names that are like it are proposed.
    """
    known = {name for table in tables for name in table}
    for key in values:
        if key not in known:
            why = f"nothing is changed{proposed(key, known)}"
            raise NotFound("setting", key, why)


def proposed(key: str, known: Iterable[str]) -> str:
    """Return a question that names what is like a name; empty if nothing is."""
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in sorted(known)}
    alike = get_close_matches(key.lower(), by_lower, _PROPOSED, _ALIKE)
    names = [log_safe(by_lower[each]) for each in alike]
    return f". Did you mean {' or '.join(names)}?" if names else ""


def check_changed(values: Mapping[str, str], after: Mapping[str, str]) -> None:
    """
    Check that a server has taken settings.

    :param after: what it says of itself now.
    :raises NotTaken: it has kept another value.
    """
    kept = [
        f'{key} is "{log_safe(after.get(key, ""))}" still'
        for key, value in values.items()
        if not _are_equal(value, after.get(key, ""))
    ]
    if kept:
        raise NotTaken(f"it has not taken all settings: {', '.join(kept)}")


def _are_equal(wanted: str, found: str) -> bool:
    """Whether two texts are the same value: a number, a truth or a text."""
    if wanted.strip().lower() == found.strip().lower():
        return True
    try:
        return float(wanted) == float(found)
    except ValueError:
        return False
