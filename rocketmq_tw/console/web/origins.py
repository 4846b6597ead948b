"""
Which requests may be those of the console's own page, by their headers.

A browser that shows another site sends requests here too, if that site wants it: by a
form, an image, or a name of its own that it lets lead to this address (DNS rebinding).
The browser says so, by the headers that scripts cannot change.
"""

from __future__ import annotations

from collections.abc import Iterable

from rocketmq_tw.console.errors import HttpError
from rocketmq_tw.model.ip_address import is_ip_address
from rocketmq_tw.model.log_safe import log_safe

_LOCAL = frozenset({"localhost"})
#: What a browser says of requests that do not come from another site.
_OWN = ("same-origin", "none")


class Origins:
    """
    Checks the headers ``Host``, ``Origin`` and ``Sec-Fetch-Site``.

    :param hosts: names under which the console is reached, besides addresses.
    """

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self._hosts = _LOCAL | {host.lower().rstrip(".") for host in hosts}

    def check(
        self, host: str | None, origin: str | None, site: str | None, is_api: bool
    ) -> None:
        """
        Refuse a request that comes from elsewhere.

        :param host: the header ``Host``.
        :param origin: the header ``Origin``.
        :param site: the header ``Sec-Fetch-Site``.
        :param is_api: whether it is more than the page itself, to which others may
            link.
        :raises HttpError: with the reason.
        """
        if host is None or not self._is_ours(host):
            raise HttpError(
                421,
                f'this console is not known as "{log_safe(host or "")}"; the setting'
                " consoleHosts names the hosts under which it is",
            )
        if origin is not None and _authority(origin) != host.lower():
            raise HttpError(
                403, f'requests of other sites are refused: "{log_safe(origin)}"'
            )
        if is_api and site is not None and site not in _OWN:
            raise HttpError(
                403, f"requests of other sites are refused: {log_safe(site)}"
            )

    def _is_ours(self, host: str) -> bool:
        """Whether a name, with or without a port, is one of the console's."""
        name = _without_port(host).lower().rstrip(".")
        return is_ip_address(name) or name in self._hosts


def _without_port(host: str) -> str:
    """Return the host of ``host:port``, without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _authority(origin: str) -> str:
    """Return ``host:port`` of an origin; nothing if it is none."""
    scheme, separator, rest = origin.partition("://")
    return rest.lower() if separator and scheme in ("http", "https") else ""
