"""What a command printed on servers of both makes, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .command import Command, Expected
from .shape import shape

#: What the tool prints where it waits in vain.
_NO_RESPONSE = re.compile("RemotingTimeout|RemotingConnect|no end within")


@dataclass(frozen=True)
class Result:
    """What a command printed on Apache's servers, and on ours."""

    command: Command
    release: str
    theirs: str
    ours: str

    @property
    def found(self) -> Expected:
        """How the two compare; never :attr:`Expected.REFUSED`."""
        theirs, ours = self._lines()
        if not theirs and not ours:
            return Expected.SAME
        is_more = all(any(o.startswith(t) for o in ours) for t in theirs)
        return Expected.MORE if is_more else Expected.DIFFERS

    @property
    def is_same(self) -> bool:
        """Whether the two are of one shape."""
        return self.found is Expected.SAME

    def complaint(self) -> str:
        """Return what is not as it should be; empty if all is well."""
        command, found = self.command, self.found
        if _NO_RESPONSE.search(self.ours) and not _NO_RESPONSE.search(self.theirs):
            return f"{command.text}: there was no response"
        if command.expected is not Expected.REFUSED:
            if found is command.expected:
                return ""
            return f"{command.text}: it is {found.value}\n{self.difference()}"
        if "CODE:" in self.ours and command.why in self.ours:
            return ""
        return f"{command.text}: it is not refused\n{self.ours[-600:]}"

    def difference(self) -> str:
        """Return the lines that only one of both printed."""
        theirs, ours = self._lines()
        lines = [f"  - {line[:300]}" for line in theirs]
        lines += [f"  + {line[:300]}" for line in ours]
        return "\n".join(lines)

    def _lines(self) -> tuple[list[str], list[str]]:
        """Return the lines that only the one and only the other has."""
        theirs, ours = shape(self.theirs), shape(self.ours)
        return (
            [line for line in theirs if line not in ours],
            [line for line in ours if line not in theirs],
        )
