"""
Which cluster is meant, and as whom: from options, the environment or a file.

The file has settings as those of brokers have: ``namesrvAddr``, ``accessKey``,
``secretKey`` and those of TLS (``tls.enable``, ``tls.client.trustCertPath``...). A
secret is read from it, from a file of its own or from the environment, never from the
command line: every user of a host sees the command lines of its processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import click
import msgspec

from rocketmq_tw.model.log_safe import log_safe

#: Where the file is, unless an option or the environment says so; it need not exist.
DEFAULT_FILE = "~/.rocketmq/admin.conf"
DEFAULT_NAME_SERVERS = "127.0.0.1:9876"
#: The settings in it, besides those of TLS, and how like one of them a wrong one is.
_NAMES = ("namesrvAddr", "accessKey", "secretKey")
_ALIKE = 0.8


class Seconds(click.FloatRange):
    """A number of seconds. The range of :mod:`click` has room for ``nan``."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Convert a text. :raises click.BadParameter: it is no number of seconds."""
        found = super().convert(value, param, ctx)
        if not isfinite(found):
            self.fail(f"{found} is no number of seconds.", param, ctx)
        return found


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """
    What all commands need to know.

    :ivar timeout: seconds, of each request.
    :ivar secret_file: a file with the secret alone.
    :ivar environment: the environment of the process.
    """

    name_servers: str | None = None
    config: str | None = None
    access_key: str | None = None
    secret_file: str | None = None
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_server_name: str | None = None
    tls_insecure: bool | None = None
    timeout: float | None = None
    as_json: bool | None = None

    def over(self, under: Options) -> Options:
        """Return these options; what is not given here is taken from others."""
        given = {
            name: value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not None
        }
        return msgspec.structs.replace(under, **given)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of an ``AdminClient``."""

    name_servers: str
    timeout: float
    credentials: Any = None
    tls: Any = None


def COMMON() -> list[click.Parameter]:  # noqa: N802
    """Return the options of all commands; none has a default, so both ends count."""
    return [
        click.Option(
            ["-n", "--name-servers"],
            metavar="HOST:PORT;...",
            help="Name servers [NAMESRV_ADDR; default: 127.0.0.1:9876].",
        ),
        click.Option(
            ["--config"],
            metavar="FILE",
            help=f"Settings [ROCKETMQ_ADMIN_CONFIG; default: {DEFAULT_FILE}].",
        ),
        click.Option(
            ["--access-key"],
            metavar="NAME",
            help="User who signs the requests [ROCKETMQ_ACCESS_KEY]. The secret is"
            " in ROCKETMQ_SECRET_KEY, --secret-file or --config.",
        ),
        click.Option(
            ["--secret-file"], metavar="FILE", help="File with the user's secret."
        ),
        click.Option(
            ["--tls-ca"], metavar="FILE", help="Use TLS, trust this authority."
        ),
        click.Option(["--tls-cert"], metavar="FILE", help="Own certificate for TLS."),
        click.Option(["--tls-key"], metavar="FILE", help="Its private key."),
        click.Option(
            ["--tls-server-name"], metavar="NAME", help="Name in servers' certificates."
        ),
        click.Option(
            ["--tls-insecure"],
            is_flag=True,
            default=None,
            help="Use TLS, and trust anybody.",
        ),
        click.Option(
            ["--timeout"],
            type=Seconds(min=0.1, max=600),
            metavar="SECONDS",
            help="Time limit of each request [default: 5].",
        ),
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            default=None,
            help="Print JSON, for programs.",
        ),
    ]


def take_common(ctx: click.Context, values: Mapping[str, Any]) -> Options:
    """Keep the options of a level of the command line, over those before it."""
    names = Options.__struct_fields__
    given = Options(**{name: values[name] for name in names if name in values})
    under: Options = ctx.meta.get("rocketmq_tw.options", Options())
    ctx.meta["rocketmq_tw.options"] = merged = given.over(under)
    return merged


def target_of(
    options: Options,
    environment: Mapping[str, str] = os.environ,
    read: Callable[[str], dict[str, str]] | None = None,
) -> Target:
    """
    Return the arguments of the client.

    Options override the environment, which overrides the file.

    :raises click.UsageError: they contradict each other, or something is missing.
    """
    values = _file(options, environment)
    names = (
        options.name_servers
        or environment.get("NAMESRV_ADDR")
        or values.get("namesrvAddr")
        or DEFAULT_NAME_SERVERS
    )
    return Target(
        name_servers=names,
        timeout=options.timeout or 5.0,
        credentials=_credentials(options, environment, values),
        tls=_tls(options, values),
    )


def _file(options: Options, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in the file, if there is one."""
    named = options.config or environment.get("ROCKETMQ_ADMIN_CONFIG")
    path = os.path.expanduser(named or DEFAULT_FILE)
    if not named and not os.path.exists(path):
        return {}
    from rocketmq_tw import settings

    try:
        values = settings.read(path)
    except settings.UnreadableSettings as error:
        raise click.UsageError(str(error)) from None
    _check_names(path, values)
    return values


def _check_names(path: str, values: Mapping[str, str]) -> None:
    """
    Check that no setting is misspelt: another cluster might be changed.

    Others are passed over, as the file may be one of a broker.

    :raises click.UsageError: one is.
    """
    others = [key for key in values if key not in _NAMES and "." not in key]
    if not others:
        return
    from difflib import get_close_matches

    for key in others:
        for name in get_close_matches(key, _NAMES, 1, _ALIKE):
            raise click.UsageError(
                f'{path}: there is no setting "{log_safe(key)}"; did you mean {name}?'
            )


def _credentials(
    options: Options, environment: Mapping[str, str], values: Mapping[str, str]
) -> object | None:
    """Return the user and the secret; None without a user."""
    user = (
        options.access_key
        or environment.get("ROCKETMQ_ACCESS_KEY")
        or values.get("accessKey")
    )
    if not user:
        if options.secret_file:
            raise click.UsageError("--secret-file needs a user: give --access-key")
        return None
    if options.secret_file:
        from rocketmq_tw.settings import UnreadableSettings, read_line

        try:
            secret: str | None = read_line(os.path.expanduser(options.secret_file))
        except UnreadableSettings as error:
            raise click.UsageError(str(error)) from None
    else:
        secret = environment.get("ROCKETMQ_SECRET_KEY") or values.get("secretKey")
    if not secret:
        raise click.UsageError(
            f'there is no secret for the user "{user}": set ROCKETMQ_SECRET_KEY, give'
            " --secret-file, or write secretKey into the settings"
        )
    from rocketmq_tw.auth.credentials import Credentials

    return Credentials(user, secret)


def _tls(options: Options, values: dict[str, str]) -> object | None:
    """Return how TLS is used; None without it."""
    insecure = bool(options.tls_insecure)
    named = (options.tls_ca, options.tls_cert, options.tls_key, options.tls_server_name)
    wanted = insecure or any(named)
    in_file = any(name.startswith("tls.") for name in values)
    if not wanted and not in_file:
        return None
    from rocketmq_tw.settings import BadSetting
    from rocketmq_tw.tls.settings import (
        INSECURE,
        BadTlsSetting,
        Tls,
        TlsOptions,
        take_settings,
    )

    _check_readable("--tls-ca", options.tls_ca)
    _check_readable("--tls-cert", options.tls_cert)
    _check_readable("--tls-key", options.tls_key)
    try:
        if not wanted:
            return take_settings(dict(values), TlsOptions()).client
        return Tls(
            ca_file=options.tls_ca,
            certificate=options.tls_cert,
            key=options.tls_key,
            server_name=options.tls_server_name,
            verify=INSECURE if insecure else "full",
        )
    except (BadSetting, BadTlsSetting) as error:
        raise click.UsageError(str(error)) from None


def _check_readable(option: str, path: str | None) -> None:
    """Otherwise it looks as if no server could be reached. :raises UsageError: no."""
    if path is not None and not os.access(path, os.R_OK):
        raise click.UsageError(f"{option}: {path} does not exist, or cannot be read")
