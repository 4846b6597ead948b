"""The settings of the console, a web page that the broker's program can serve."""

from __future__ import annotations

import msgspec

from rocketmq_tw import settings
from rocketmq_tw.model.ip_address import parse_networks
from rocketmq_tw.settings import BadSetting, Positive


class ConsoleSettings(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """
    The keys of the console, all of them extensions.

    :ivar console: where it listens: a port of the loopback, ``host:port`` or an
        endpoint string; empty for no console.
    :ivar console_token_file: the file with the token to sign in with; empty for
        ``console-token`` in the broker's folder. It is made if it does not exist.
    :ivar console_hosts: names under which browsers reach it, separated by commas;
        addresses and ``localhost`` need not be named.
    :ivar console_allow_plain: whether other machines may reach it without TLS.
    :ivar console_trusted_proxies: addresses and networks of the proxies on other
        machines through which browsers reach it, separated by commas.
    :ivar max_console_connections: how many connections it accepts.
    :ivar max_console_tails: how many live tails there may be at once.
    """

    console: str = ""
    console_token_file: str = ""
    console_hosts: str = ""
    console_allow_plain: bool = False
    console_trusted_proxies: str = ""
    max_console_connections: Positive = 64
    max_console_tails: Positive = 8


def take_console(values: dict[str, str], option: str | None) -> ConsoleSettings:
    """
    Remove the settings of the console from those of a broker, and return them.

    :param option: what the command line has, which overrides the file.
    :raises BadSetting: a value cannot be used.
    """
    fields = msgspec.structs.fields(ConsoleSettings)
    keys = [field.encode_name for field in fields]
    own = {key: values.pop(key) for key in keys if key in values}
    if option is not None:
        own["console"] = option
    found, _ = settings.apply(ConsoleSettings, own)
    if found.console.lower() in ("true", "false"):
        raise BadSetting("console", found.console, "a port, host:port, or nothing")
    proxies = found.console_trusted_proxies
    try:
        parse_networks(proxies)
    except ValueError as error:
        expected = f"addresses and networks, such as 10.0.0.7, 10.1.0.0/16; {error}"
        raise BadSetting("consoleTrustedProxies", proxies, expected) from None
    return found


#: The option of programs, for ``usage.Options``.
CONSOLE_OPTION = [
    "console",
    None,
    None,
    "port, or host:port, of a web console; a port is on this machine [default: none]",
]
