"""Makes what writes the log of a program."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    textFileLogObserver,
)
from twisted.python import usage

from rocketmq_tw.log_settings import DEFAULT_LEVEL, LogSettings
from rocketmq_tw.logs.files import ReopenedFile, reopen_on_hangup
from rocketmq_tw.logs.json_lines import json_line

#: The file of a daemon, as ``twistd`` calls it.
DEFAULT_FILE = "twistd.log"


def make_observer(settings: LogSettings, out: Any) -> Any:
    """
    Return an observer of events.

    :param out: a file of text.
    """
    observer: Any = (
        FileLogObserver(out, json_line)
        if settings.is_json
        else textFileLogObserver(out)
    )
    if settings.level == DEFAULT_LEVEL and not settings.levels:
        return observer
    lowest = LogLevelFilterPredicate(LogLevel.levelWithName(settings.level))
    for module, level in settings.levels:
        lowest.setLogLevelForNamespace(module, LogLevel.levelWithName(level))
    return FilteringLogObserver(observer, [lowest])


def logs_of(
    reactor: Any, settings: LogSettings, twistd: Mapping[str, Any] | None
) -> Callable[[Any], None] | None:
    """
    Return what gives an application its log; None leaves it to ``twistd``.

    :param twistd: its options; None if something else runs the program.
    :raises UsageError: options contradict each other.
    """
    if twistd is None:
        return None
    if twistd.get("logger") or twistd.get("syslog"):
        if settings.is_default:
            return None
        raise usage.UsageError(
            "--log-json and --log-level exclude twistd's --logger and --syslog"
        )
    path = twistd.get("logfile")
    is_daemon = not twistd.get("nodaemon")
    if path == "-" or not (path or is_daemon):
        if settings.is_default or is_daemon:
            return None  # twistd refuses a daemon that would write to its shell
        return lambda application: application.setComponent(
            ILogObserver, make_observer(settings, sys.stdout)
        )

    def to_file(application: Any) -> None:
        file = ReopenedFile.fromFullPath(path or DEFAULT_FILE)
        application.setComponent(ILogObserver, make_observer(settings, file))
        reopen_on_hangup(reactor, file)

    return to_file
