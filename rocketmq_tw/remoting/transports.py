"""
Imports Twisted's transports, without TLS for a program that uses none.

Where pyOpenSSL is installed, Twisted's TCP transport imports it, and with it
``cryptography``, whether TLS is used or not: 80 modules, which take 13 of the 54 MiB of
a name server and a broker at rest, and 30 of the 200 ms until their ports are open. A
program whose settings do not mention TLS therefore imports the transports as where
pyOpenSSL is not installed, which Twisted supports.

This is for programs, before they import the reactor; it is not for libraries. What is
imported later finds pyOpenSSL as usual.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import cast

import msgspec

_TLS_LIBRARY = "OpenSSL"
#: Those that look for the TLS library once, when they are imported.
_TRANSPORTS = (
    "twisted.internet.tcp",
    "twisted.internet.posixbase",
    "twisted.internet.endpoints",
)
#: A setting of TLS by its name, and an endpoint string of a kind that uses it.
_SETTING = re.compile("(?i)tls|ssl")
_ENDPOINT = re.compile(r"\b(tls|ssl):")


def import_transports(*, with_tls: bool) -> None:
    """
    Import the transports, unless that has been done.

    :param with_tls: False if nothing in this process is going to use TLS.
    """
    loaded = any(name in sys.modules for name in (_TLS_LIBRARY, *_TRANSPORTS))
    if with_tls or loaded:
        return
    # None is how Python marks a module that is not to be found.
    modules = cast("dict[str, object]", sys.modules)
    modules[_TLS_LIBRARY] = None
    try:
        for name in _TRANSPORTS:
            import_module(name)
    finally:
        del modules[_TLS_LIBRARY]


def mentions_tls(configs: Iterable[msgspec.Struct], addresses: Iterable[str]) -> bool:
    """
    Whether a program may use TLS: too often rather than too rarely.

    :param configs: settings. One with ``tls`` or ``ssl`` in its name counts if it is
        not the default, and each text that names an endpoint of such a kind.
    :param addresses: those that a program takes from elsewhere.
    """
    if any(_ENDPOINT.search(address) for address in addresses):
        return True
    return any(
        (_SETTING.search(field.name) and getattr(config, field.name) != field.default)
        or _ENDPOINT.search(str(getattr(config, field.name)))
        for config in configs
        for field in msgspec.structs.fields(config)
    )
