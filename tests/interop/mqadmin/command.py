"""A command of ``mqadmin``, and how what it prints here compares with Apache's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Expected(Enum):
    """How what a command prints on our servers compares with Apache's."""

    #: But for numbers, times, addresses and ids, and the order of lines.
    SAME = "same"
    #: All that Apache's print, and more.
    MORE = "more"
    #: Something else, for a reason.
    DIFFERS = "differs"
    #: Here it is answered with a code and a sentence, as the feature does not exist.
    REFUSED = "refused"


@dataclass(frozen=True)
class Command:
    """
    A command.

    :ivar text: what stands behind ``mqadmin``.
    :ivar codes: the requests that it sends, in order.
    :ivar only: the release that has it, or that has it in these words; both if empty.
    :ivar why: why it differs, or the sentence of the refusal.
    :ivar until: a regular expression of what must be printed by a command that runs
        for ever before it is ended; if empty, it is ended after some seconds. None for
        commands that end.
    :ivar quick: whether it is in the part that is run each time.
    :ivar stage: what is special about the servers, or the user, when it is run.
    """

    text: str
    codes: str
    only: str = ""
    expected: Expected = Expected.SAME
    why: str = ""
    until: str | None = None
    quick: bool = False
    stage: str = ""

    @property
    def name(self) -> str:
        """The subcommand."""
        return self.text.split()[0]


TOPIC, GROUP = "TableTopic", "TableGroup"
#: What a producer and a consumer use, whose messages are in queues by chance.
BUSY = "BusyTopic"
#: Where commands go: a cluster, its master, its slave.
CLUSTER = "-c DefaultCluster"
BROKER = "-b {broker}"
SLAVE = "-b {slave}"
#: Reasons that several have.
NO_ROUTE = "the remark says that no broker is alive"
FIGURES = "sizes and counters of ours are shown, too"
SETTINGS = "settings that only one of both has"


def same(text: str, codes: str, only: str = "", quick: bool = False) -> Command:
    """Return a command that prints the same."""
    return Command(text, codes, only, quick=quick)


def more(text: str, codes: str, why: str, only: str = "") -> Command:
    """Return one that prints more."""
    return Command(text, codes, only, Expected.MORE, why)


def differs(text: str, codes: str, why: str, only: str = "") -> Command:
    """Return one that prints something else."""
    return Command(text, codes, only, Expected.DIFFERS, why)


def refused(text: str, codes: str, why: str, only: str = "v55") -> Command:
    """Return one for a feature that is not here; ``why`` is in what it prints."""
    return Command(text, codes, only, Expected.REFUSED, why)


def staged(stage: str, *commands: Command) -> tuple[Command, ...]:
    """Return commands that are run in a stage."""
    return tuple(replace(command, stage=stage) for command in commands)
