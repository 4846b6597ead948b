"""Topics are created, changed and deleted."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.results.topics import Changed
from rocketmq_tw.admin.topic_changes import TopicSettings
from rocketmq_tw.console.api.lists import Lists
from rocketmq_tw.console.api.pages import Name
from rocketmq_tw.console.api.routes import Call, Route
from rocketmq_tw.console.errors import HttpError

#: The most queues that a topic may have at a broker.
_MOST_QUEUES = 65_535
Queues = Annotated[int, msgspec.Meta(ge=1, le=_MOST_QUEUES)]
Permission = Literal["rw", "r", "w", "-"]
#: The name of an attribute, or a type of messages.
Word = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}\Z")]
#: The value of an attribute. Requests separate attributes by commas.
Value = Annotated[str, msgspec.Meta(pattern=r"^[^,\x00-\x1f\x7f]{0,256}\Z")]


class NewTopic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """
    A topic to create.

    :ivar queues: at each broker.
    :ivar permission: whether messages may be read and written.
    :ivar ordered: whether its order is global: the queues stay the same if a broker is
        gone.
    :ivar type: of its messages: ``NORMAL``, ``FIFO``, ``DELAY``, ``TRANSACTION``...;
        brokers before 5.0 ignore it.
    :ivar cluster: only at the brokers of this one.
    :ivar brokers: only at these; at all, if there are none.
    """

    name: Name
    queues: Queues = 8
    permission: Permission = "rw"
    ordered: bool = False
    type: Word = "NORMAL"
    attributes: dict[Word, Value] = {}
    cluster: Name | None = None
    brokers: tuple[Name, ...] = ()


class TopicChange(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """
    What of a topic changes, at all brokers that have it; null leaves it as it is.

    :ivar read_queues: at each broker; queues beyond them are not read.
    :ivar write_queues: at each broker; queues beyond them get no more messages.
    :ivar attributes: those that change; an empty value removes one.
    """

    name: Name
    read_queues: Queues | None = None
    write_queues: Queues | None = None
    permission: Permission | None = None
    ordered: bool | None = None
    attributes: dict[Word, Value] = {}


class TopicToDelete(msgspec.Struct, frozen=True):
    """Which topic."""

    name: Name


class TopicChangeRequests:
    """Changes topics."""

    def __init__(self, admin: AdminClient, lists: Lists) -> None:
        self._admin = admin
        self._lists = lists

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            Route(
                method="POST",
                path="/api/topic",
                handle=self.create,
                summary="Create a topic.",
                body=NewTopic,
                result=Changed,
            ),
            Route(
                method="PATCH",
                path="/api/topic",
                handle=self.change,
                summary="Change the settings of a topic.",
                body=TopicChange,
                result=Changed,
            ),
            Route(
                method="DELETE",
                path="/api/topic",
                handle=self.delete,
                summary="Delete a topic with all of its messages.",
                query=TopicToDelete,
                result=Changed,
            ),
        )

    async def create(self, call: Call) -> Changed:
        """Create one. :raises AlreadyExists: a broker has it."""
        wanted: NewTopic = call.body
        try:
            return await self._admin.topics.create(
                wanted.name,
                queues=wanted.queues,
                permission=wanted.permission,
                ordered=wanted.ordered,
                type=wanted.type,
                attributes=wanted.attributes,
                cluster=wanted.cluster,
                brokers=wanted.brokers,
            )
        finally:
            self._lists.topics.renew()

    async def change(self, call: Call) -> Changed:
        """Change one. :raises NotFound: no broker has it."""
        wanted: TopicChange = call.body
        fields = msgspec.structs.asdict(wanted)
        name = fields.pop("name")
        check_change(fields)
        try:
            return await self._admin.topics.update(name, TopicSettings(**fields))
        finally:
            self._lists.topics.renew()

    async def delete(self, call: Call) -> Changed:
        """Delete one. :raises NotFound: no broker has it."""
        try:
            return await self._admin.topics.delete(call.query.name)
        finally:
            self._lists.topics.renew()


def check_change(fields: dict[str, object]) -> None:
    """Check that something changes. :raises HttpError: nothing does."""
    if all(value is None or value == {} for value in fields.values()):
        raise HttpError(400, f"name what is to be changed: {', '.join(fields)}")
