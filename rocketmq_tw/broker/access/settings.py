"""
The settings of access control, under Apache RocketMQ's names.

They are kept apart from the other settings, which anybody can read who may ask for
them: some of these are secrets.

Source: ``BrokerConfig.aclEnable``, ``AuthConfig`` and ``PlainPermissionManager`` of
RocketMQ 4.9 and 5.
"""

from __future__ import annotations

import os

import msgspec

from rocketmq_tw.access.secrets import Secret, take_inner, take_secret
from rocketmq_tw.settings import BadSetting, take_flag


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    How requests are checked; by default only where administration comes from.

    :ivar acl_file: ``plain_acl.yml`` of ACL 1.0; files in ``acl`` beside it count, too.
        None without ACL 1.0.
    :ivar migrated_file: likewise, the accounts that become users of ACL 2.0; None makes
        none of them.
    :ivar is_authenticated: requests need the signature of a user (ACL 2.0).
    :ivar is_authorized: users need permission.
    :ivar folder: where users and policies are kept; empty means beside the other
        tables.
    :ivar first_user: is created as a super user.
    :ivar inner: the user as whom slaves and brokers ask others; created likewise.
    :ivar unsigned: the codes of requests that need no signature.
    :ivar unchecked: the codes of requests that need no permission.
    :ivar ha_allowed: patterns of addresses that may copy the log.
    :ivar remote_administration: requests of administrators may come from other machines
        without access control.
    """

    acl_file: str | None = None
    migrated_file: str | None = None
    is_authenticated: bool = False
    is_authorized: bool = False
    folder: str = ""
    first_user: Secret | None = None
    inner: Secret | None = None
    unsigned: frozenset[int] = frozenset()
    unchecked: frozenset[int] = frozenset()
    ha_allowed: str = ""
    remote_administration: bool = False

    @property
    def is_on(self) -> bool:
        """Whether requests need a signature."""
        return self.acl_file is not None or self.is_authenticated

    @property
    def guards_slaves(self) -> bool:
        """Whether not everybody may copy the log."""
        return bool(self.ha_allowed) or (self.is_on and self.inner is not None)


#: Class names, and caches that do not exist here.
_WITHOUT_EFFECT = (
    "authenticationProvider",
    "authenticationMetadataProvider",
    "authenticationStrategy",
    "authorizationProvider",
    "authorizationMetadataProvider",
    "authorizationStrategy",
    *(
        f"{kind}Cache{what}"
        for kind in ("user", "acl", "statefulAuthentication", "statefulAuthorization")
        for what in ("MaxNum", "ExpiredSecond", "RefreshSecond")
    ),
)


def take_access(values: dict[str, str], folder: str) -> AccessSettings:
    """
    Remove the settings of access control from those of a broker, and return them.

    :param folder: of the broker's settings; the default of ``plain_acl.yml``.
    :raises BadSetting: a value cannot be used, or some contradict each other.
    """
    for key in _WITHOUT_EFFECT:
        values.pop(key, None)
    acl = take_flag(values, "aclEnable")
    path = values.pop("aclFile", "").strip() or os.path.join(folder, "plain_acl.yml")
    authenticated = take_flag(values, "authenticationEnabled")
    authorized = take_flag(values, "authorizationEnabled")
    if authorized and not authenticated:
        expected = "true: otherwise anybody could claim to be any user"
        raise BadSetting("authenticationEnabled", "false", expected)
    if acl and authenticated:
        expected = "false, as authenticationEnabled is true: only one of both checks"
        raise BadSetting("aclEnable", "true", expected)
    path = os.path.abspath(os.path.expanduser(path))
    migrates = take_flag(values, "migrateAuthFromV1Enabled")
    if migrates and not authenticated:
        expected = "false, as authenticationEnabled is not true: users would be made"
        raise BadSetting("migrateAuthFromV1Enabled", "true", expected)
    return AccessSettings(
        acl_file=path if acl else None,
        migrated_file=path if migrates else None,
        is_authenticated=authenticated,
        is_authorized=authorized,
        folder=values.pop("authConfigPath", "").strip(),
        first_user=take_secret(
            values, "initAuthenticationUser", "username", "password"
        ),
        inner=take_inner(values),
        unsigned=_codes(values, "authenticationWhitelist"),
        unchecked=_codes(values, "authorizationWhitelist"),
        ha_allowed=_take_addresses(values, "haAllowedAddresses"),
        remote_administration=take_flag(values, "remoteAdministration"),
    )


def _take_addresses(values: dict[str, str], key: str) -> str:
    """Remove a pattern of addresses. :raises BadSetting: it is none."""
    text = values.pop(key, "").strip()
    if text:
        from rocketmq_tw.auth.addresses import white_list
        from rocketmq_tw.auth.errors import BadPolicy

        try:
            white_list(text)
        except BadPolicy:
            expected = "addresses such as 10.0.0.7,10.0.1.*"
            raise BadSetting(key, text, expected) from None
    return text


def _codes(values: dict[str, str], key: str) -> frozenset[int]:
    """Return a list of request codes. :raises BadSetting: one of them is none."""
    words = [each.strip() for each in values.pop(key, "").split(",") if each.strip()]
    for word in words:
        if not word.isascii() or not word.isdigit() or len(word) > 9:
            raise BadSetting(key, word, "the codes of requests, separated by commas")
    return frozenset(int(word) for word in words)
