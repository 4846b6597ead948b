"""The table of attacks: what each is called, and what it may cost."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tests.longrun.hostile.peers import Target

#: Mebibytes by which the servers may grow during an attack, unless it has its own.
GROWTH = 64
#: Lines that an attack may add to the log; of each kind one a minute besides.
LINES = 12


class Attack(msgspec.Struct, frozen=True, kw_only=True):
    """
    One attack.

    :ivar name: unique; begins with the row of the list of defects that it repeats.
    :ivar run: attacks; runs in a process of its own and ends by itself.
    :ivar seconds: how long it goes on.
    :ivar growth: MiB by which the servers may grow meanwhile.
    :ivar is_short: whether continuous integration runs it.
    :ivar is_large: whether it is one of large numbers, which run only if they are asked
        for; other clients have to be served almost as if there were none.
    """

    name: str
    run: Callable[[Target], str | None]
    seconds: float = 4.0
    growth: int = GROWTH
    is_short: bool = False
    is_large: bool = False


#: All attacks by name, in the order in which they run.
ATTACKS: dict[str, Attack] = {}


def attack(
    name: str,
    *,
    seconds: float = 4.0,
    growth: int = GROWTH,
    is_short: bool = False,
    is_large: bool = False,
) -> Callable[[Callable[[Target], str | None]], Callable[[Target], str | None]]:
    """Register a function as an attack; see :class:`Attack`."""

    def register(
        run: Callable[[Target], str | None],
    ) -> Callable[[Target], str | None]:
        assert name not in ATTACKS, name
        ATTACKS[name] = Attack(
            name=name,
            run=run,
            seconds=seconds,
            growth=growth,
            is_short=is_short,
            is_large=is_large,
        )
        return run

    return register
