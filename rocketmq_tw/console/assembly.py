"""
The console of a program: from the settings of its broker to a service.

Programs call this when a console is asked for, and import it only then.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from rocketmq_tw.access.secrets import Secret
from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.console.api.session import About
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.errors import BadConsoleSetting
from rocketmq_tw.console.service import ConsoleService
from rocketmq_tw.console.token import check_token
from rocketmq_tw.remoting.addresses import is_loopback_endpoint, server_endpoint
from rocketmq_tw.remoting.in_process import OwnServers
from rocketmq_tw.remoting.preflight import check_port, resolve_interface
from rocketmq_tw.tls.settings import TlsSettings

#: The file of the token, in the folder of the broker, if no other is named.
TOKEN_FILE = "console-token"


def console_endpoint(address: str) -> str:
    """
    Return the endpoint string of a console.

    :raises BadConsoleSetting: nothing can be opened there.
    """
    text = address.strip()
    if text.isdecimal():
        text = f"127.0.0.1:{text}"
    try:
        return resolve_interface(server_endpoint(text))
    except ValueError as error:
        raise BadConsoleSetting(f"console: {error}") from None


def make_console(
    reactor: Any,
    config: ConsoleConfig,
    name_servers: Sequence[str],
    *,
    name: str,
    inner: Secret | None,
    tls: TlsSettings,
    own: OwnServers,
) -> ConsoleService:
    """
    Return the service.

    :param name: of the broker, which the page shows.
    :param inner: the user who asks name servers and brokers; None if nobody has to.
    :param tls: the broker's.
    :param own: the servers of this process, which are reached without sockets.
    :raises BadConsoleSetting: there is no name server.
    """
    if not name_servers:
        raise BadConsoleSetting(
            "the console asks name servers what there is, and none is given; name one"
            " with -n host:9876, namesrvAddr or NAMESRV_ADDR"
        )
    credentials = Credentials(inner.name, inner.password) if inner else None

    def admin() -> AdminClient:
        return AdminClient(
            reactor,
            name_servers,
            credentials=credentials,
            tls=tls.client,
            direct=own,
        )

    about = About(name, metadata.version("rocketmq_tw"))
    secured = None
    if tls.server.is_on:
        from rocketmq_tw.console.web.secure import Secured

        secured = Secured(reactor, tls.server)
    return ConsoleService(reactor, config, admin=admin, about=about, secured=secured)


def check_console(address: str, *, is_secure: bool, allow_plain: bool) -> str:
    """
    Return the endpoint string of a console.

    :param address: as in the settings.
    :param is_secure: whether it has TLS.
    :param allow_plain: whether other machines may reach it without.
    :raises RocketMQError: its port is taken, or anybody could read the token on its
        way.
    """
    listen = console_endpoint(address)
    if not (is_secure or allow_plain or is_loopback_endpoint(listen)):
        raise BadConsoleSetting(
            f"console is {address}: other machines could reach it, and its token would"
            " be sent unencrypted; listen on 127.0.0.1, set a certificate (--tls-cert),"
            " or set consoleAllowPlain=true behind a proxy that has one"
        )
    check_port(listen)
    return listen


def console_token_file(path: str, folder: str, in_chroot: bool = False) -> str:
    """
    Return the path of the file with the token, which is made at the start.

    :param path: as in the settings; empty for a file in the folder.
    :param folder: of the broker.
    :param in_chroot: skip the check of the file, whose path will have another meaning.
    :raises BadConsoleSetting: there is one that cannot be used.
    """
    path = os.path.abspath(os.path.expanduser(path or os.path.join(folder, TOKEN_FILE)))
    if not in_chroot:
        check_token(path)
    return path
