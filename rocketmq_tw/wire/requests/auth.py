"""
Requests about the users of a broker, and what each of them may do.

Source: ``CreateUserRequestHeader``, ``ListUsersRequestHeader``,
``CreateAclRequestHeader``, ``DeleteAclRequestHeader``, ``ListAclsRequestHeader`` and
those beside them.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class CreateUser(Request[Response]):
    """Create a user; the body is JSON."""

    code: ClassVar[int] = RequestCode.AUTH_CREATE_USER
    username: str | None = None


class UpdateUser(Request[Response]):
    """Change what the body has of a user."""

    code: ClassVar[int] = RequestCode.AUTH_UPDATE_USER
    username: str | None = None


class DeleteUser(Request[Response]):
    """Delete a user, and what it may do."""

    code: ClassVar[int] = RequestCode.AUTH_DELETE_USER
    username: str | None = None


class GetUser(Request[Response]):
    """Ask for a user; there is no body if there is none."""

    code: ClassVar[int] = RequestCode.AUTH_GET_USER
    username: str | None = None


class ListUsers(Request[Response]):
    """Ask for the users whose names contain a text; no body if there is none."""

    code: ClassVar[int] = RequestCode.AUTH_LIST_USER
    filter: str | None = None


class CreateAcl(Request[Response]):
    """Add to what a user may do; the body is an ``AclInfo``."""

    code: ClassVar[int] = RequestCode.AUTH_CREATE_ACL
    subject: str | None = None


class UpdateAcl(Request[Response]):
    """Add to what a user may do; entries of the same resources are replaced."""

    code: ClassVar[int] = RequestCode.AUTH_UPDATE_ACL
    subject: str | None = None


class DeleteAcl(Request[Response]):
    """Remove the entry of a resource; without a resource, all of a user's."""

    code: ClassVar[int] = RequestCode.AUTH_DELETE_ACL
    subject: str | None = None
    policy_type: str | None = None
    resource: str | None = None


class GetAcl(Request[Response]):
    """Ask what a user may do; there is no body if there is nothing."""

    code: ClassVar[int] = RequestCode.AUTH_GET_ACL
    subject: str | None = None


class ListAcls(Request[Response]):
    """Ask what users may do, filtered by parts of their names and resources."""

    code: ClassVar[int] = RequestCode.AUTH_LIST_ACL
    subject_filter: str | None = None
    resource_filter: str | None = None
