"""Names and passwords in the settings of a server."""

from __future__ import annotations

import msgspec

from rocketmq_tw.settings import BadSetting
from rocketmq_tw.wire.command import Sign

#: Who asks other servers; of Apache RocketMQ.
INNER = "innerClientAuthenticationCredentials"


class Secret(msgspec.Struct, frozen=True):
    """A name and a password; only the name is shown."""

    name: str
    password: str

    def __repr__(self) -> str:
        return f"Secret({self.name!r}, ...)"


def take_secret(
    values: dict[str, str], key: str, name: str, password: str
) -> Secret | None:
    """
    Remove a setting, and return its name and its password; None without it.

    :param name: what the name is called in the setting, which is JSON.
    :param password: what the password is called there.
    :raises BadSetting: one of them lacks; the text does not quote them.
    """
    text = values.pop(key, "").strip()
    if not text:
        return None
    try:
        found = msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = {}
    if not found.get(name) or not found.get(password):
        raise BadSetting(key, "...", f'{{"{name}":"...","{password}":"..."}}')
    return Secret(found[name], found[password])


def take_inner(values: dict[str, str]) -> Secret | None:
    """
    Remove the setting of who asks other servers, and return it.

    :raises BadSetting: the name or the password lacks.
    """
    return take_secret(values, INNER, "accessKey", "secretKey")


def sign_as(secret: Secret | None) -> Sign | None:
    """Return what signs requests with a secret; None without one."""
    if secret is None:
        return None
    from rocketmq_tw.auth.credentials import Credentials
    from rocketmq_tw.auth.signature import signer

    return signer(Credentials(secret.name, secret.password))
