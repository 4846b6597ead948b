"""
Users (ACL 2.0), and what each of them may do.

Each broker has its own: all of them are asked, and all are changed, slaves too. No
result has a password, though brokers of Apache RocketMQ return it.

Source: ``CreateUserSubCommand``, ``CreateAclSubCommand`` and those beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from rocketmq_tw.admin.calls import Calls, Outcomes
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.admin.errors import AlreadyExists, InvalidArgument, NotFound
from rocketmq_tw.admin.results.listing import Listing
from rocketmq_tw.admin.results.topics import Changed
from rocketmq_tw.admin.results.users import Permission, UserDetails, UserSummary
from rocketmq_tw.auth.addresses import network
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.policies import (
    AclText,
    EntryText,
    PolicyText,
    Resource,
    UserText,
    check_user,
    parse_acl,
)
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.auth import (
    CreateUser,
    DeleteAcl,
    DeleteUser,
    GetAcl,
    GetUser,
    ListUsers,
    UpdateAcl,
    UpdateUser,
)


class Users:
    """What an administrator does with users."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @returning_deferred
    async def list(self, part: str = "") -> Listing[UserSummary]:
        """
        Return the users, sorted by name.

        :param part: only those whose names contain this text.
        """

        async def read(address: str) -> tuple[UserText, ...]:
            request = ListUsers(filter=part or None)
            response = await self._calls.broker(address, request)
            if not response.body:
                return ()
            return fastjson.decode_as(response.body, tuple[UserText, ...])

        asked = await self._calls.each(await self._targets(), read)
        asked.need_one("the users cannot be listed")
        return Listing(_states(asked.ok), asked.failed)

    @returning_deferred
    async def get(self, name: str) -> UserDetails:
        """
        Return a user, and what it may do.

        :raises NotFound: there is no such user.
        """
        targets = await self._targets()
        users = await self._find(name, targets)
        if not any(users.ok.values()):
            raise NotFound("user", name)
        where = {who: targets[who] for who, found in users.ok.items() if found}

        async def read(address: str) -> AclText:
            response = await self._calls.broker(address, GetAcl(subject=_subject(name)))
            if not response.body:
                return AclText()
            return fastjson.decode_as(response.body, AclText)

        acls = await self._calls.each(where, read)
        return UserDetails(
            name=name,
            states=_states(users.ok),
            permissions=_permissions(acls.ok),
            failed={**users.failed, **acls.failed},
        )

    @returning_deferred
    async def create(
        self, name: str, password: str, *, is_super: bool = False
    ) -> Changed:
        """
        Create a user at all brokers.

        :param is_super: it may do everything.
        :raises BadPolicy: the name or the password is not allowed.
        :raises AlreadyExists: a broker has it.
        """
        check_user(name, password)
        targets = await self._targets()
        found = (await self._find(name, targets)).ok
        present = [who for who, users in found.items() if users]
        if present:
            raise AlreadyExists("user", name, f"at {', '.join(present)}")
        kind = "Super" if is_super else "Normal"
        body = msgspec.json.encode(UserText(name, password, kind, "enable"))
        return await self._change(
            targets, lambda: CreateUser(username=name, body=body), "created"
        )

    @returning_deferred
    async def update(
        self,
        name: str,
        *,
        password: str | None = None,
        is_super: bool | None = None,
        enabled: bool | None = None,
    ) -> Changed:
        """
        Change a user at the brokers that have it; the rest of it stays as it is.

        :raises BadPolicy: the password is not allowed.
        :raises NotFound: there is no such user.
        """
        check_user(name, "-" if password is None else password)
        kind = {None: None, True: "Super", False: "Normal"}[is_super]
        status = {None: None, True: "enable", False: "disable"}[enabled]
        body = msgspec.json.encode(UserText(name, password, kind, status))
        return await self._change(
            await self._having(name),
            lambda: UpdateUser(username=name, body=body),
            "changed",
        )

    @returning_deferred
    async def delete(self, name: str) -> Changed:
        """
        Delete a user, and what it may do.

        :raises NotFound: there is no such user.
        """
        return await self._change(
            await self._having(name), lambda: DeleteUser(username=name), "deleted"
        )

    # -- permissions

    @returning_deferred
    async def grant(
        self,
        name: str,
        resources: Iterable[str],
        actions: Iterable[str],
        *,
        deny: bool = False,
        sources: Iterable[str] = (),
    ) -> Changed:
        """
        Let a user do something, or forbid it; what else it may do stays as it is.

        :param resources: ``Topic:orders``, ``Group:billing*``, ``Cluster:*``...
        :param actions: ``Pub``, ``Sub``, ``Create``, ``Update``, ``Delete``, ``Get``,
            ``List`` or ``All``; they replace those of the same resource.
        :param sources: addresses from which that counts; none for all.
        :raises InvalidArgument: a resource or an address is none.
        :raises BadPolicy: it cannot be granted.
        :raises NotFound: there is no such user.
        """
        resources, sources = tuple(resources), tuple(sources)
        _check_resources(resources)
        _check_sources(sources)
        entries = [
            EntryText(
                list(actions), "Deny" if deny else "Allow", resource, list(sources)
            )
            for resource in resources
        ]
        subject = _subject(name)
        text = AclText([PolicyText(entries, "Custom")], subject)
        parse_acl(text)
        body = msgspec.json.encode(text)
        return await self._change(
            await self._having(name),
            lambda: UpdateAcl(subject=subject, body=body),
            "changed",
        )

    @returning_deferred
    async def revoke(self, name: str, resource: str | None = None) -> Changed:
        """
        Take away what was granted, or forbidden, with one resource or all.

        :raises NotFound: there is no such user, or nothing about the resource.
        """
        details = await self.get(name)
        found = [p for p in details.permissions if resource in (None, p.resource)]
        if not found:
            raise NotFound("permission", resource or "*", f'in those of "{name}"')
        where = {who: who for each in found for who in each.brokers}
        request = DeleteAcl(subject=_subject(name), resource=resource)
        return await self._change(where, lambda: request, "changed")

    # -- all brokers

    async def _targets(self) -> dict[str, str]:
        """Return the addresses of all brokers, masters and slaves."""
        registered = await self._calls.registered()
        return {each.address: each.address for each in registered.brokers}

    async def _find(
        self, name: str, targets: Mapping[str, str]
    ) -> Outcomes[tuple[UserText, ...]]:
        """Ask for one user; those who do not have it return none."""
        if not name:
            raise InvalidArgument("a user has a name")

        async def read(address: str) -> tuple[UserText, ...]:
            response = await self._calls.broker(address, GetUser(username=name))
            if not response.body:
                return ()
            return (fastjson.decode_as(response.body, UserText),)

        asked = await self._calls.each(targets, read)
        asked.need_one(f'the user "{name}" cannot be read')
        return asked

    async def _having(self, name: str) -> dict[str, str]:
        """Return who has a user. :raises NotFound: nobody."""
        found = (await self._find(name, await self._targets())).ok
        having = {who: who for who, users in found.items() if users}
        if not having:
            raise NotFound("user", name)
        return having

    async def _change(
        self, targets: Mapping[str, str], make: Callable[[], Request[Any]], what: str
    ) -> Changed:
        """Send all of them a request."""
        asked = await self._calls.each_broker(targets, lambda _: make())
        asked.need_change(f"nothing is {what}")
        return Changed(tuple(asked.ok), asked.failed)


def _check_resources(texts: Iterable[str]) -> None:
    """Check resources. :raises InvalidArgument: one is none."""
    for text in texts:
        try:
            Resource.parse(text)
        except BadPolicy:
            raise InvalidArgument(
                f'"{log_safe(text)}" is no resource; expected Topic:orders,'
                " Group:billing*, Cluster:*"
            ) from None


def _check_sources(texts: Iterable[str]) -> None:
    """Check addresses. :raises InvalidArgument: one is none."""
    for text in texts:
        try:
            network(text)
        except BadPolicy:
            raise InvalidArgument(
                f'"{log_safe(text)}" is no address or network; expected 10.0.0.1,'
                " 10.0.0.0/8"
            ) from None


def _subject(name: str) -> str:
    """Return how permissions name a user."""
    return f"User:{name}"


def _states(found: Mapping[str, tuple[UserText, ...]]) -> tuple[UserSummary, ...]:
    """Return each state of each user once, with the brokers that have it so."""
    brokers: dict[tuple[str, bool, bool], list[str]] = {}
    for who, users in found.items():
        for user in users:
            is_super = (user.user_type or "").lower() == "super"
            enabled = (user.user_status or "enable").lower() == "enable"
            key = (user.username or "", is_super, enabled)
            brokers.setdefault(key, []).append(who)
    return tuple(
        UserSummary(name=n, is_super=s, enabled=e, brokers=tuple(where))
        for (n, s, e), where in sorted(brokers.items())
    )


def _permissions(found: Mapping[str, AclText]) -> tuple[Permission, ...]:
    """Return each permission once, with the brokers that have it."""
    brokers: dict[tuple[str, bool, bool, tuple[str, ...], tuple[str, ...]], list[str]]
    brokers = {}
    for who, acl in found.items():
        for policy in acl.policies or ():
            is_default = (policy.policy_type or "").lower() == "default"
            for entry in policy.entries or ():
                key = (
                    entry.resource or "",
                    is_default,
                    (entry.decision or "").lower() == "allow",
                    tuple(sorted(entry.actions or ())),
                    tuple(entry.source_ips or ()),
                )
                brokers.setdefault(key, []).append(who)
    return tuple(
        Permission(
            resource=resource,
            actions=actions,
            allow=allow,
            sources=sources,
            is_default=is_default,
            brokers=tuple(where),
        )
        for (resource, is_default, allow, actions, sources), where in sorted(
            brokers.items()
        )
    )
