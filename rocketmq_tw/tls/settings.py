"""
The settings of TLS, under Apache RocketMQ's names.

Apache RocketMQ reads them from Java's system properties and from the file that
``tls.config.file`` names, which takes precedence. Here they stand in ``broker.conf`` or
``namesrv.conf``, and in that file::

    tls.server.mode = enforcing
    tls.server.certPath = /etc/rocketmq/server.pem
    tls.server.keyPath = /etc/rocketmq/server.key

Nothing is opened here but that file.

Source: ``TlsSystemConfig``, ``TlsHelper`` and ``TlsMode`` of RocketMQ 5.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

from rocketmq_tw import settings
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.settings import BadSetting, truth

#: Where Apache RocketMQ looks for the file; it need not exist.
DEFAULT_FILE = "/etc/rocketmq/tls.properties"

#: The only word that turns verification off.
INSECURE = "none-insecure"


class BadTlsSetting(RocketMQError):
    """The settings of TLS contradict each other, or one of them is not known."""


class ServerMode(Enum):
    """Which connections a server accepts."""

    #: Plain ones.
    DISABLED = "disabled"
    #: Plain ones and TLS, on the same port.
    PERMISSIVE = "permissive"
    #: TLS.
    ENFORCING = "enforcing"


class ClientAuth(Enum):
    """Whether a server asks clients for a certificate."""

    NONE = "none"
    #: It is verified if there is one.
    OPTIONAL = "optional"
    #: A client without one is refused.
    REQUIRE = "require"


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """
    How a client uses TLS. By default it verifies servers as browsers do.

    :ivar ca_file: PEM file of the authorities to trust; None for those of this system.
    :ivar certificate: PEM file of the client's own certificate, and those between it
        and the authority.
    :ivar key: PEM file of its private key; None if ``certificate`` contains it.
    :ivar key_password: pass phrase of the key, if it has one.
    :ivar server_name: the name to expect in certificates, instead of the host of the
        address.
    :ivar verify: ``full``, or ``none-insecure``: then anybody can pretend to be the
        server.
    :ivar ciphers: OpenSSL's names, or those of Java, separated by colons or commas;
        None for modern ones.
    :ivar protocols: ``TLSv1.2``, ``TLSv1.3`` or both; None for both.
    """

    ca_file: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password: str | None = None
    server_name: str | None = None
    verify: str = "full"
    ciphers: str | None = None
    protocols: str | None = None

    def __post_init__(self) -> None:
        """
        Check what needs no file.

        :raises BadTlsSetting: ``verify`` is no word that is known, or a key has no
            certificate.
        """
        if self.verify not in ("full", INSECURE):
            raise BadTlsSetting(
                f'verify is "{self.verify}"; expected full, or {INSECURE}, with which'
                " anybody can pretend to be the server"
            )
        if self.key and not self.certificate:
            raise BadTlsSetting("there is a private key, but no certificate of its own")

    def __repr__(self) -> str:
        return (
            f"Tls(ca_file={self.ca_file!r}, certificate={self.certificate!r},"
            f" server_name={self.server_name!r}, verify={self.verify!r})"
        )


class ServerTls(msgspec.Struct, frozen=True, kw_only=True):
    """
    How a server uses TLS.

    :ivar certificate: PEM file of its certificate, and those between it and the
        authority; empty without TLS.
    :ivar key: PEM file of its private key; empty if ``certificate`` contains it.
    :ivar client_ca: PEM file of the authorities that sign clients' certificates.
    :ivar is_test: use a certificate that is made at the start and signed by itself.
    """

    mode: ServerMode = ServerMode.PERMISSIVE
    certificate: str = ""
    key: str = ""
    key_password: str = ""
    client_auth: ClientAuth = ClientAuth.NONE
    client_ca: str = ""
    ciphers: str | None = None
    protocols: str | None = None
    is_test: bool = False

    @property
    def is_on(self) -> bool:
        """Whether TLS connections are accepted."""
        has_certificate = bool(self.certificate) or self.is_test
        return self.mode is not ServerMode.DISABLED and has_certificate

    def __repr__(self) -> str:
        return f"ServerTls(mode={self.mode.value}, certificate={self.certificate!r})"


class TlsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    The settings of TLS of one program.

    :ivar server: for the connections that it accepts.
    :ivar client: for those that it makes; None for plain ones.
    :ivar ha: whether slaves copy by TLS too. Those of Apache RocketMQ cannot.
    """

    server: ServerTls = ServerTls()
    client: Tls | None = None
    ha: bool = True


class TlsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """
    The options of a program; None for an absent one.

    :ivar mode: ``disabled``, ``permissive`` or ``enforcing``.
    :ivar cert: file of the server's certificate.
    :ivar key: file of its private key.
    :ivar client_ca: file of the authorities of clients, which then need certificates.
    :ivar ca: file of the authorities of servers that this program connects to by TLS.
    """

    mode: str | None = None
    cert: str | None = None
    key: str | None = None
    client_ca: str | None = None
    ca: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> TlsOptions:
        """Return those of a program's options."""
        return cls(
            mode=options.get("tls-mode"),
            cert=options.get("tls-cert"),
            key=options.get("tls-key"),
            client_ca=options.get("tls-client-ca"),
            ca=options.get("tls-ca"),
        )

    def settings(self) -> dict[str, str]:
        """Return the settings that they stand for."""
        found = {
            "tls.server.mode": self.mode,
            "tls.server.certPath": self.cert and os.path.abspath(self.cert),
            "tls.server.keyPath": self.key and os.path.abspath(self.key),
            "tls.server.trustCertPath": (
                self.client_ca and os.path.abspath(self.client_ca)
            ),
            "tls.client.trustCertPath": self.ca and os.path.abspath(self.ca),
        }
        values = {key: value for key, value in found.items() if value}
        if self.client_ca:
            values["tls.server.need.client.auth"] = "require"
            values.setdefault("tls.server.mode", "enforcing")
        if self.ca:
            values["tls.enable"] = "true"
        return values


#: The options of programs, for ``usage.Options``.
SERVER_OPTIONS = [
    ["tls-cert", None, None, "file of a certificate: accept TLS too"],
    ["tls-key", None, None, "file of its private key [default: --tls-cert]"],
    ["tls-client-ca", None, None, "authority of clients: accept only theirs, by TLS"],
    ["tls-mode", None, None, "disabled, permissive or enforcing [default: permissive]"],
]
CLIENT_OPTIONS = [
    ["tls-ca", None, None, "authority of name servers and brokers: use TLS with them"],
]

#: All settings, by key.
_KEYS = frozenset(
    """
    tls.server.mode tls.server.need.client.auth tls.server.keyPath
    tls.server.keyPassword tls.server.certPath tls.server.authClient
    tls.server.trustCertPath tls.client.keyPath tls.client.keyPassword
    tls.client.certPath tls.client.authServer tls.client.trustCertPath
    tls.client.serverName tls.test.mode.enable tls.ciphers tls.protocols
    tls.enable useTLS tls.config.file tls.ha.enable
    """.split()
)


def take_settings(
    values: dict[str, str],
    options: TlsOptions | None = None,
    default_file: str = DEFAULT_FILE,
) -> TlsSettings:
    """
    Remove the settings of TLS from those of a program, and return them.

    The file that ``tls.config.file`` names overrides the program's own, and options
    override both.

    :param default_file: read if it exists and no other is named.
    :raises BadSetting: a value cannot be used.
    :raises BadTlsSetting: an unknown key that begins with ``tls.``, or values that
        contradict each other.
    :raises UnreadableSettings: the file cannot be read.
    """
    own = {key: value for key, value in values.items() if _is_ours(key)}
    for key in own:
        del values[key]
    path = own.pop("tls.config.file", "").strip()
    if path or os.path.exists(default_file):
        path = path or default_file
        overriding = settings.read(path)
        # As with Apache RocketMQ, which reads these only from its command line.
        for key in ("tls.server.mode", "tls.enable"):
            if key in own:
                overriding.pop(key, None)
        own.update(overriding)
    if options is not None:
        own.update(options.settings())
    _check_keys(own)
    ha = _flag(own, "tls.ha.enable", default=True)
    return TlsSettings(server=_server(own), client=_client(own), ha=ha)


def _is_ours(key: str) -> bool:
    """Whether a setting is one of TLS."""
    return key.startswith("tls.") or key == "useTLS"


def _check_keys(values: Mapping[str, str]) -> None:
    """Refuse a key that nobody knows: a misspelt one would not protect anything."""
    unknown = sorted(set(values) - _KEYS)
    if unknown:
        raise BadTlsSetting(f"there is no setting {unknown[0]}")


def _server(values: Mapping[str, str]) -> ServerTls:
    """Return the settings of the server's side."""
    auth = _one_of(values, "tls.server.need.client.auth", ClientAuth.NONE)
    verifies = _flag(values, "tls.server.authClient")
    found = ServerTls(
        mode=_one_of(values, "tls.server.mode", ServerMode.PERMISSIVE),
        certificate=_path(values, "tls.server.certPath"),
        key=_path(values, "tls.server.keyPath"),
        key_password=values.get("tls.server.keyPassword", ""),
        client_auth=auth,
        client_ca=_path(values, "tls.server.trustCertPath"),
        ciphers=values.get("tls.ciphers"),
        protocols=values.get("tls.protocols"),
        is_test=_flag(values, "tls.test.mode.enable"),
    )
    if found.key and not found.certificate:
        raise BadTlsSetting("tls.server.keyPath is set, but not tls.server.certPath")
    if found.mode is ServerMode.ENFORCING and not found.is_on:
        raise BadTlsSetting(
            "tls.server.mode is enforcing, but there is no certificate; set"
            " tls.server.certPath and tls.server.keyPath"
        )
    if auth is not ClientAuth.NONE and not found.client_ca:
        raise BadTlsSetting(
            f"tls.server.need.client.auth is {auth.value}, but no authority is named"
            " that signs the certificates of clients; set tls.server.trustCertPath"
        )
    if verifies and auth is ClientAuth.NONE:
        raise BadTlsSetting(
            "tls.server.authClient is true, but clients are not asked for a"
            " certificate; set tls.server.need.client.auth to require or optional"
        )
    return found


def _client(values: Mapping[str, str]) -> Tls | None:
    """Return the settings of the client's side; None without TLS."""
    if not _flag(values, "tls.enable") and not _flag(values, "useTLS"):
        return None
    certificate = _path(values, "tls.client.certPath")
    is_test = _flag(values, "tls.test.mode.enable")
    verifies = _flag(values, "tls.client.authServer", default=not is_test)
    return Tls(
        ca_file=_path(values, "tls.client.trustCertPath") or None,
        certificate=certificate or None,
        key=_path(values, "tls.client.keyPath") or None,
        key_password=values.get("tls.client.keyPassword"),
        server_name=values.get("tls.client.serverName"),
        verify="full" if verifies else INSECURE,
        ciphers=values.get("tls.ciphers"),
        protocols=values.get("tls.protocols"),
    )


def _path(values: Mapping[str, str], key: str) -> str:
    """Return an absolute path, as a daemon may change its folder; or nothing."""
    text = values.get(key, "").strip()
    return os.path.abspath(os.path.expanduser(text)) if text else ""


def _flag(values: Mapping[str, str], key: str, default: bool = False) -> bool:
    """Return a truth value. :raises BadSetting: it is none."""
    return truth(key, values.get(key, ""), default)


def _one_of(values: Mapping[str, str], key: str, default: Any) -> Any:
    """Return one of the members of an enumeration. :raises BadSetting: it is none."""
    text = values.get(key, "").strip().lower()
    if not text:
        return default
    try:
        return type(default)(text)
    except ValueError:
        words = ", ".join(str(each.value) for each in type(default))
        raise BadSetting(key, values[key], f"one of {words}") from None


#: The name of a cipher suite in Java, and what OpenSSL calls its parts.
_JAVA = re.compile(
    r"TLS_(ECDHE|DHE)_(RSA|ECDSA)_WITH_"
    r"(AES_(128|256)_GCM|CHACHA20_POLY1305)_SHA(256|384)"
)


def cipher_names(text: str) -> tuple[str, str]:
    """
    Return the names of cipher suites as OpenSSL has them.

    :param text: OpenSSL's names or Java's, separated by colons, commas or blanks.
    :returns: those of TLS 1.2 and those of TLS 1.3, separated by colons.
    :raises BadSetting: a suite of TLS 1.2 is not one that is considered safe.
    """
    old: list[str] = []
    new: list[str] = []
    for name in re.split(r"[\s:,]+", text.strip()):
        found = _JAVA.fullmatch(name)
        if found is not None:
            exchange, signature, cipher, bits, digest = found.groups()
            method = f"AES{bits}-GCM-SHA{digest}" if bits else cipher.replace("_", "-")
            old.append(f"{exchange}-{signature}-{method}")
        elif name.startswith("TLS_") and "_WITH_" not in name:
            new.append(name)
        elif re.fullmatch(r"(ECDHE|DHE)-.*(GCM-SHA(256|384)|POLY1305)", name):
            old.append(name)
        else:
            expected = "suites with forward secrecy and GCM or ChaCha20-Poly1305"
            raise BadSetting("tls.ciphers", name, expected)
    return ":".join(old), ":".join(new)


def protocol_names(text: str) -> set[str]:
    """
    Return the versions of TLS that are named.

    :raises BadSetting: one of them is neither 1.2 nor 1.3.
    """
    names = {name for name in re.split(r"[\s:,]+", text.strip()) if name}
    if not names or names - {"TLSv1.2", "TLSv1.3"}:
        raise BadSetting("tls.protocols", text, "TLSv1.2, TLSv1.3 or both")
    return names
