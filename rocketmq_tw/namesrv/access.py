"""
The settings of access control at a name server.

Name servers of Apache RocketMQ have none. Here registrations of brokers and the
requests of administrators can need the signature of an account with ``admin``, or an
address of a white list: brokers of 4.9 sign nothing. Requests of clients need a
signature only if a setting says so.
"""

from __future__ import annotations

import os

import msgspec

from rocketmq_tw.access.secrets import Secret, take_inner
from rocketmq_tw.settings import BadSetting, take_flag


class NamesrvAccess(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which requests are checked; by default none.

    :ivar acl_file: ``plain_acl.yml``; files in ``acl`` beside it count, too. None
        without access control.
    :ivar checks_clients: requests of clients need a signature as well.
    :ivar inner: the user as whom notices to brokers are signed.
    """

    acl_file: str | None = None
    checks_clients: bool = False
    inner: Secret | None = None


def take_access(values: dict[str, str], folder: str) -> NamesrvAccess:
    """
    Remove the settings of access control from those of a name server.

    :param folder: of the settings; the default of ``plain_acl.yml``.
    :raises BadSetting: a value cannot be used.
    """
    is_on = take_flag(values, "aclEnable")
    checks_clients = take_flag(values, "aclForClients")
    if checks_clients and not is_on:
        raise BadSetting("aclForClients", "true", "false, as aclEnable is not true")
    for key in ("authenticationEnabled", "authorizationEnabled"):
        if take_flag(values, key):
            expected = "false: name servers have accounts in a file; set aclEnable=true"
            raise BadSetting(key, "true", expected)
    path = values.pop("aclFile", "").strip() or os.path.join(folder, "plain_acl.yml")
    return NamesrvAccess(
        acl_file=os.path.abspath(os.path.expanduser(path)) if is_on else None,
        checks_clients=checks_clients,
        inner=take_inner(values),
    )
