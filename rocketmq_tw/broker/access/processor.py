"""
Handles requests about users and policies.

Passwords are never returned: Apache RocketMQ shows them to whoever may ask for a user.

Source: ``AdminBrokerProcessor.createUser`` and those beside it, of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.policies import (
    AclText,
    Resource,
    User,
    UserText,
    check_user,
    format_acl,
    parse_acl,
    username,
)
from rocketmq_tw.broker.access.users import (
    UserRow,
    UserTable,
    is_enabled,
    make_user,
    user_type,
)
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.request_json import SMALL, decode_request
from rocketmq_tw.wire.requests.auth import (
    CreateAcl,
    CreateUser,
    DeleteAcl,
    DeleteUser,
    GetAcl,
    GetUser,
    ListAcls,
    ListUsers,
    UpdateAcl,
    UpdateUser,
)


class AccessProcessor:
    """
    Handles the requests.

    :param save: writes the table; fires when it is on disk.
    """

    def __init__(self, users: UserTable, save: Callable[[], Deferred[None]]) -> None:
        self._users = users
        self._save = save

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(CreateUser, _refusing(self.create_user))
        router.on(UpdateUser, _refusing(self.update_user))
        router.on(DeleteUser, _refusing(self.delete_user))
        router.on(GetUser, _refusing(self.get_user))
        router.on(ListUsers, _refusing(self.list_users))
        router.on(CreateAcl, _refusing(self.update_acl))
        router.on(UpdateAcl, _refusing(self.update_acl))
        router.on(DeleteAcl, _refusing(self.delete_acl))
        router.on(GetAcl, _refusing(self.get_acl))
        router.on(ListAcls, _refusing(self.list_acls))

    def create_user(self, request: CreateUser) -> Deferred[Response]:
        """Create a user that does not exist yet."""
        name = _name(request.username)
        if self._users.get(name) is not None:
            raise BadPolicy("The user is existed")
        info = decode_request(request.body, UserText)
        row = UserRow(
            name,
            info.password or "",
            info.user_type or "Normal",
            info.user_status or "enable",
        )
        self._users.put(make_user(row))
        return self._saved()

    def update_user(self, request: UpdateUser) -> Deferred[Response]:
        """Change what the request has of a user."""
        name = _name(request.username)
        user = self._users.get(name)
        if user is None:
            raise BadPolicy("The user is not exist")
        info = decode_request(request.body, UserText)
        changes: dict[str, object] = {}
        if info.password:
            check_user(name, info.password)
            changes["password"] = info.password
        if info.user_type:
            changes["user_type"] = user_type(info.user_type)
        if info.user_status:
            changes["is_enabled"] = is_enabled(info.user_status)
        self._users.put(msgspec.structs.replace(user, **changes))
        return self._saved()

    def delete_user(self, request: DeleteUser) -> Deferred[Response]:
        """Delete a user, and what it may do."""
        self._users.delete(_name(request.username))
        return self._saved()

    def get_user(self, request: GetUser) -> Response:
        """Return a user, without the password."""
        user = self._users.get(_name(request.username))
        return _json(None if user is None else _info(user))

    def list_users(self, request: ListUsers) -> Response:
        """Return users, without the passwords."""
        part = request.filter or ""
        found = [_info(user) for user in self._users.users() if part in user.username]
        return _json(found or None)

    def update_acl(self, request: CreateAcl | UpdateAcl) -> Deferred[Response]:
        """Add entries, which replace those of the same resources."""
        name = username(request.subject or "")
        if len(request.body) > SMALL:
            raise BadPolicy(f"The policies have over {SMALL} bytes.")
        acl = parse_acl(decode_request(request.body, AclText))
        old = self._users.acl(name)
        self._users.put_acl(name, acl if old is None else old.merged(acl))
        return self._saved()

    def delete_acl(self, request: DeleteAcl) -> Deferred[Response]:
        """Remove the entry of a resource, or all entries of a user."""
        name = self._subject(request)
        acl = self._users.acl(name)
        if acl is None:
            raise BadPolicy("The acl is not exist.")
        if request.resource:
            resource = Resource.parse(request.resource)
            left = acl.without(request.policy_type, resource)
            self._users.put_acl(name, left)
        else:
            self._users.delete_acl(name)
        return self._saved()

    def get_acl(self, request: GetAcl) -> Response:
        """Return what a user may do."""
        name = self._subject(request)
        acl = self._users.acl(name)
        return _json(None if acl is None else format_acl(f"User:{name}", acl))

    def list_acls(self, request: ListAcls) -> Response:
        """Return what users may do, with entries of some resources."""
        part, resource = request.subject_filter or "", request.resource_filter or ""
        found = []
        for name, acl in self._users.acls():
            subject = f"User:{name}"
            chosen = acl.about(resource)
            if part in subject and len(chosen):
                found.append(format_acl(subject, chosen))
        return _json(found or None)

    def _subject(self, request: DeleteAcl | GetAcl) -> str:
        """Return the name of a user that exists."""
        name = username(request.subject or "")
        if self._users.get(name) is None:
            raise BadPolicy("The subject is not exist.")
        return name

    def _saved(self) -> Deferred[Response]:
        """Respond when the change is on disk."""
        return self._save().addCallback(lambda _: Response())


def _refusing(handler: Callable[[Any], Any]) -> Callable[[Any, Call], Any]:
    """Return a handler that refuses what cannot be done."""

    def handle(request: Any, call: Call) -> Any:
        try:
            return handler(request)
        except BadPolicy as error:
            raise Refused(ResponseCode.NO_PERMISSION, str(error)) from None

    return handle


def _name(text: str | None) -> str:
    """Return the name of a user. :raises Refused: there is none."""
    if not text or not text.strip():
        raise Refused(ResponseCode.INVALID_PARAMETER, "The username is blank")
    return text


def _info(user: User) -> UserText:
    status = "enable" if user.is_enabled else "disable"
    return UserText(user.username, None, user.user_type.value, status)


def _json(value: object | None) -> Response:
    """Return a response with a body; without one for None."""
    return Response() if value is None else Response(body=fastjson.dumps(value))
