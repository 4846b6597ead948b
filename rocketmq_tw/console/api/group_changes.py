"""Consumer groups are created, changed and deleted."""

from __future__ import annotations

from typing import Annotated

import msgspec

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.group_changes import GroupSettings
from rocketmq_tw.admin.results.topics import Changed
from rocketmq_tw.console.api.lists import Lists
from rocketmq_tw.console.api.pages import Name
from rocketmq_tw.console.api.routes import Call, Route
from rocketmq_tw.console.api.topic_changes import Value, Word, check_change

Retries = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
RetryQueues = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class ChangedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """
    Settings of a group; null leaves one as it is, or as brokers create it.

    :ivar may_consume: whether its consumers get messages at all.
    :ivar may_broadcast: whether each of its consumers may get all messages.
    :ivar may_consume_from_min: whether a new consumer may begin with the oldest
        message.
    :ivar ordered: whether it is to consume in order.
    :ivar retry_queues: of its own topic of retries.
    :ivar max_retries: failures after which a message is a dead letter.
    :ivar consume_timeout_minutes: how long one message may take.
    :ivar attributes: those that change; an empty value removes one.
    """

    name: Name
    may_consume: bool | None = None
    may_broadcast: bool | None = None
    may_consume_from_min: bool | None = None
    ordered: bool | None = None
    retry_queues: RetryQueues | None = None
    max_retries: Retries | None = None
    consume_timeout_minutes: Minutes | None = None
    attributes: dict[Word, Value] = {}


class NewGroup(ChangedGroup, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """
    A group to create.

    :ivar cluster: only at the brokers of this one.
    """

    cluster: Name | None = None


class GroupChange(ChangedGroup, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What of a group changes, at all brokers that have it."""


class GroupToDelete(msgspec.Struct, frozen=True):
    """
    Which group.

    :ivar while_online: even if consumers are connected, which may create it again.
    """

    name: Name
    while_online: bool = False


class GroupChangeRequests:
    """Changes groups."""

    def __init__(self, admin: AdminClient, lists: Lists) -> None:
        self._admin = admin
        self._lists = lists

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            Route(
                method="POST",
                path="/api/group",
                handle=self.create,
                summary="Create a consumer group.",
                body=NewGroup,
                result=Changed,
            ),
            Route(
                method="PATCH",
                path="/api/group",
                handle=self.change,
                summary="Change the settings of a consumer group.",
                body=GroupChange,
                result=Changed,
            ),
            Route(
                method="DELETE",
                path="/api/group",
                handle=self.delete,
                summary="Delete a consumer group with its offsets and dead letters.",
                query=GroupToDelete,
                result=Changed,
            ),
        )

    async def create(self, call: Call) -> Changed:
        """Create one. :raises AlreadyExists: a broker has it."""
        fields = msgspec.structs.asdict(call.body)
        name, cluster = fields.pop("name"), fields.pop("cluster")
        settings = GroupSettings(**fields)
        try:
            return await self._admin.groups.create(name, settings, cluster=cluster)
        finally:
            self._lists.groups.renew()

    async def change(self, call: Call) -> Changed:
        """Change one. :raises NotFound: no broker has it."""
        fields = msgspec.structs.asdict(call.body)
        name = fields.pop("name")
        check_change(fields)
        try:
            return await self._admin.groups.update(name, GroupSettings(**fields))
        finally:
            self._lists.groups.renew()

    async def delete(self, call: Call) -> Changed:
        """Delete one. :raises AdminError: its consumers are connected."""
        query: GroupToDelete = call.query
        try:
            return await self._admin.groups.delete(
                query.name, while_online=query.while_online
            )
        finally:
            self._lists.groups.renew()
            self._lists.topics.renew()  # Its topic of dead letters is gone, too.
