"""
The options of logs, which the programs have besides those of ``twistd``.

``twistd --logfile`` says where the log goes; ``--log-json`` in which form, and
``--log-level`` how much of it. They are read at every start, so nothing else is
imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from twisted.python import usage

#: The levels, from the one that shows all.
LEVELS = ("debug", "info", "warn", "error", "critical")
DEFAULT_LEVEL = "info"

LOG_OPTIONS = [
    [
        "log-level",
        None,
        None,
        "the lowest level that is logged: debug, info, warn, error or critical; and"
        " of single modules, as in info,rocketmq_tw.remoting=debug [default: info]",
    ],
]
LOG_FLAGS = [["log-json", None, "write the log as a JSON object a line"]]


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    The form of a log.

    :ivar level: the lowest one that is logged.
    :ivar levels: those of modules, by the beginnings of their names.
    """

    is_json: bool = False
    level: str = DEFAULT_LEVEL
    levels: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> LogSettings:
        """
        Return what a program's options say.

        :raises ValueError: a level is none.
        """
        level, levels = DEFAULT_LEVEL, []
        for piece in (options["log-level"] or "").split(","):
            module, separator, name = piece.strip().rpartition("=")
            if not name and not separator:
                continue
            has_no_module = separator and not module.strip()
            if has_no_module or name.lower() not in LEVELS:
                expected = f"expected one of {', '.join(LEVELS)}, or MODULE=LEVEL"
                raise ValueError(f'--log-level: "{piece.strip()}"; {expected}')
            if separator:
                levels.append((module.strip(), name.lower()))
            else:
                level = name.lower()
        return cls(is_json=bool(options["log-json"]), level=level, levels=tuple(levels))

    @property
    def is_default(self) -> bool:
        """Whether the log is that of ``twistd``."""
        return self == LogSettings()


def check_logs(options: usage.Options) -> None:
    """Check the options. :raises UsageError: one cannot be used."""
    try:
        LogSettings.of(options)
    except ValueError as error:
        raise usage.UsageError(str(error)) from None


def program_logs(reactor: Any, options: usage.Options) -> Callable[[Any], None] | None:
    """
    Return what gives the application of a program its log; None leaves it to twistd.

    :raises UsageError: options contradict each other.
    """
    settings = LogSettings.of(options)
    twistd: Any = getattr(options, "parent", None)
    if twistd is None:
        return None
    to_shell = twistd.get("nodaemon") and twistd.get("logfile") in (None, "-")
    if settings.is_default and to_shell:
        return None
    from rocketmq_tw.logs.observer import logs_of

    return logs_of(reactor, settings, twistd)
