"""
Decides about requests with users and policies (ACL 2.0).

Source: ``DefaultAuthenticationHandler``, ``UserAuthorizationHandler`` and
``AclAuthorizationHandler`` of RocketMQ 5.5; requests that it does not judge are judged
here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rocketmq_tw.auth.addresses import Address
from rocketmq_tw.auth.errors import AccessDenied
from rocketmq_tw.auth.policies import MAX_NAME, User, UserType, denied
from rocketmq_tw.auth.signature import ACCESS_KEY, Key, is_signed
from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.broker.access.users import UserTable
from rocketmq_tw.model.access import MAX_NEEDS, Need, ResourceKind
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.wire.fields import Ext, Request
from rocketmq_tw.wire.requests.rules import RULES

#: Decisions that are remembered; when there are more, all are forgotten.
MAX_DECISIONS = 8192

_Decided = tuple[str, ResourceKind, str, tuple[str, ...], str]


class UserChecks:
    """
    Asks the table of users.

    :param cluster: the name of the broker's cluster.
    """

    def __init__(
        self, users: UserTable, settings: AccessSettings, cluster: str
    ) -> None:
        self._users = users
        self._settings = settings
        self._cluster = cluster
        self._decided: dict[_Decided, bool | None] = {}
        self._version = users.version

    @property
    def version(self) -> int:
        """See :class:`~rocketmq_tw.broker.access.guard.Checks`."""
        return self._users.version

    def authenticate(
        self, code: int, ext: Ext, body: bytes, address: Address | None
    ) -> str | None:
        """See :class:`~rocketmq_tw.broker.access.guard.Checks`."""
        if code in self._settings.unsigned:
            return None
        name = ext.get(ACCESS_KEY)
        if not name:
            raise AccessDenied("username cannot be null.")
        user = self._user(name)
        if not is_signed(ext, body, user.key):
            raise AccessDenied("check signature failed.")
        return name

    def key(self, user: str) -> Key:
        """See :class:`~rocketmq_tw.broker.access.guard.Checks`."""
        return self._user(user).key

    def _user(self, name: str) -> User:
        """:raises AccessDenied: there is no such user, or it is disabled."""
        user = self._users.get(name)
        if user is None:
            raise AccessDenied(f"User:{log_safe(name)} is not found.")
        if not user.is_enabled:
            raise AccessDenied(f"User:{log_safe(name)} is disabled.")
        return user

    def authorize(
        self,
        user: str | None,
        request: Request[Any],
        host: str,
        address: Address | None,
    ) -> None:
        """See :class:`~rocketmq_tw.broker.access.guard.Checks`."""
        code = int(request.code)
        if not self._settings.is_authorized or code in self._settings.unchecked:
            return
        if user is None:
            raise AccessDenied("username cannot be null.")
        if self._user(user).user_type is UserType.SUPER:
            return
        rule = RULES.get(code)
        if rule is None:
            raise AccessDenied(f"request {code} is for super users only.")
        needs = rule.needs(request)
        if len(needs) > MAX_NEEDS:
            raise AccessDenied(f"the request names over {MAX_NEEDS} topics and groups.")
        for need in needs:
            self._check(user, need, host, address)

    def authorize_need(
        self, user: str, code: int, need: Need, host: str, address: Address | None
    ) -> None:
        """See :class:`~rocketmq_tw.broker.access.guard.Checks`."""
        settings = self._settings
        is_checked = settings.is_authorized and code not in settings.unchecked
        if is_checked and self._user(user).user_type is not UserType.SUPER:
            self._check(user, need, host, address)

    def _check(self, user: str, need: Need, host: str, address: Address | None) -> None:
        """:raises AccessDenied: policies do not allow it."""
        if need.kind is ResourceKind.CLUSTER:
            need = msgspec.structs.replace(need, name=self._cluster)
        decision = self._decide(user, need, host, address)
        if not decision:
            raise AccessDenied(denied(log_safe(user), need, host, decision))

    def _decide(
        self, user: str, need: Need, host: str, address: Address | None
    ) -> bool | None:
        """Return whether policies allow something; None if none is about it."""
        if self._version != self._users.version or len(self._decided) > MAX_DECISIONS:
            self._decided.clear()
            self._version = self._users.version
        key = (user, need.kind, need.name, need.actions, host)
        if key in self._decided:
            return self._decided[key]
        acl = self._users.acl(user)
        decision = None if acl is None else acl.decide(need, address)
        if len(need.name) <= MAX_NAME:
            self._decided[key] = decision
        return decision
