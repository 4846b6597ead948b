"""
How many file descriptors a program may have, and how many of them connections get.

Each connection takes one, and so does each file that a store has open. Without a limit
of connections, idle ones take them all, and no message can be stored.

Source: none; Apache RocketMQ leaves this to ``ulimit -n`` of the script that starts it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
from typing import Any

#: Descriptors that connections leave to files and logs, if there are twice as many.
RESERVED = 1024
#: Connections of one server, at most, unless a setting says otherwise.
MOST_CONNECTIONS = 100_000
#: As Linux has it without privileges, where the hard limit is none at all.
_WITHOUT_LIMIT = 1 << 20


def raise_limit(system: Any = resource) -> int:
    """
    Raise the soft limit of descriptors to the hard one, for this process.

    :param system: the module ``resource``, or a double of it.
    :returns: the soft limit, raised or as it was.
    """
    soft, hard = system.getrlimit(system.RLIMIT_NOFILE)
    wanted = _WITHOUT_LIMIT if hard == system.RLIM_INFINITY else hard
    if soft != system.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            system.setrlimit(system.RLIMIT_NOFILE, (wanted, hard))
            return int(wanted)
    return _WITHOUT_LIMIT if soft == system.RLIM_INFINITY else int(soft)


def grow_table(
    wanted: int = MOST_CONNECTIONS + RESERVED, system: Any = resource
) -> None:
    """
    Have the kernel's table of descriptors grow now rather than under load.

    Linux doubles the table of a process when there is a descriptor that does not fit.
    If the process has threads, whoever needs that descriptor waits until every
    processor has passed a quiet state: some 0.2 s in which a reactor does nothing else.
    Call this before the first thread starts, and after a daemon has forked. The table
    takes 8 bytes a descriptor and never shrinks.

    :param wanted: descriptors that should fit, if the process may have as many.
    :param system: the module ``resource``, or a double of it.

    Source: ``expand_fdtable`` in ``fs/file.c`` of Linux.
    """
    soft, _ = system.getrlimit(system.RLIMIT_NOFILE)
    last = (wanted if soft == system.RLIM_INFINITY else min(wanted, soft)) - 1
    with contextlib.suppress(OSError, ValueError):
        first = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.close(fcntl.fcntl(first, fcntl.F_DUPFD_CLOEXEC, last))
        finally:
            os.close(first)


def connection_limit(descriptors: int, servers: int = 1) -> int:
    """
    Give the number of connections that leave enough descriptors to files, and memory.

    :param descriptors: how many the process may have.
    :param servers: how many servers of the process share them, each with that limit.
    """
    reserved = min(RESERVED, descriptors // 2)
    return min(MOST_CONNECTIONS, max(1, (descriptors - reserved) // servers))
