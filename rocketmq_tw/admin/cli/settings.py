"""The settings of servers: all, or those that are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from rocketmq_tw.admin.cli.output import Output
from rocketmq_tw.admin.results.brokers import Settings, Statistics
from rocketmq_tw.model.log_safe import log_safe


def chosen_settings(found: Settings, keys: Sequence[str]) -> Settings:
    """
    Return the settings of these names, or all if none is named.

    :raises NotFound: no server has one of them.
    """
    _check(keys, [*found.values.values()], "setting")
    chosen = {who: _chosen(values, keys) for who, values in found.values.items()}
    return replace(found, values=chosen)


def chosen_statistics(found: Statistics, keys: Sequence[str]) -> Statistics:
    """
    Return the statistics of these names, or all if none is named.

    :raises NotFound: there is none of a name.
    """
    _check(keys, [found.values], "statistic")
    return replace(found, values=_chosen(found.values, keys))


def _check(keys: Sequence[str], tables: Sequence[Mapping[str, str]], kind: str) -> None:
    """Check that each key is in some table."""
    from rocketmq_tw.admin.errors import NotFound
    from rocketmq_tw.admin.settings import proposed

    known = {name for values in tables for name in values}
    for key in keys:
        if tables and key not in known:
            raise NotFound(kind, key, proposed(key, known).removeprefix(". "))


def _chosen(values: Mapping[str, str], keys: Sequence[str]) -> dict[str, str]:
    """Return some values, or all if none is named."""
    return {name: text for name, text in values.items() if not keys or name in keys}


def draw_settings(found: Settings, output: Output) -> None:
    """Print the settings of servers, by name."""
    for number, (server, values) in enumerate(sorted(found.values.items())):
        if number:
            output.line()
        output.line(f"# {log_safe(server)}")
        output.fields(sorted(values.items()))
