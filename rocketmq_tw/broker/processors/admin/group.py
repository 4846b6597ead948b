"""
Handlers that create, change and delete consumer groups.

Source: ``AdminBrokerProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.processors.admin.pages import Pages, Part
from rocketmq_tw.broker.tables.checks import check_group
from rocketmq_tw.broker.tables.group_attributes import altered
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.groups import DeletedGroups, SubscriptionGroupList
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.request_json import decode_request
from rocketmq_tw.wire.requests.group import (
    DeleteGroup,
    DeleteGroups,
    GetAllGroups,
    GetGroup,
    GroupTableResponse,
    UpdateGroup,
    UpdateGroups,
)

#: How many groups are checked or changed in one step: some 1 ms.
AT_ONCE = 200


def install(broker: Broker, router: Router) -> None:
    """Register the handlers."""
    tables = broker.tables
    GroupProcessor(
        groups=tables.groups, offsets=tables.offsets, pacer=broker.pacer
    ).routes(router)


class GroupProcessor:
    """Handles administration of consumer groups."""

    def __init__(
        self, *, groups: GroupTable, offsets: ConsumerOffsets, pacer: Pacer
    ) -> None:
        self._pacer = pacer
        self._groups = groups
        self._offsets = offsets
        self._pages = Pages(lambda: groups.table, lambda: groups.data_version)

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(UpdateGroup, self.update)
        router.on(UpdateGroups, self.update_all)
        router.on(GetAllGroups, self.all)
        router.on(GetGroup, self.get)
        router.on(DeleteGroup, self.delete)
        router.on(DeleteGroups, self.delete_all)

    def update(self, request: UpdateGroup, call: Call) -> Response:
        """
        Create or change a group; fields absent from the body get Java's defaults.

        Of its attributes only those that are named are changed.

        :raises IllegalGroup: the name is not legal.
        :raises Refused: a setting or an attribute cannot be.
        """
        group = decode_request(request.body, SubscriptionGroup)
        self._groups.put(self._checked(group))
        return Response()

    def update_all(self, request: UpdateGroups, call: Call) -> Outcome:
        """
        Create or change groups, none of them if one cannot be.

        :raises IllegalGroup: a name is not legal.
        :raises Refused: a setting or an attribute cannot be.
        """
        body = request.body
        return self._pacer.run_for(body, self._update_all(body), call.peer)

    def _update_all(self, body: bytes) -> Steps[Response]:
        """Check groups in steps, then change them."""
        groups = SubscriptionGroupList.decode_request(body).group_config_list
        checked: list[SubscriptionGroup] = []
        for some in parts_of(groups, AT_ONCE):
            yield None
            checked += map(self._checked, some)
        for some in parts_of(checked, AT_ONCE):
            yield None
            for group in some:
                self._groups.put(group)
        return Response()

    def _checked(self, group: SubscriptionGroup) -> SubscriptionGroup:
        """Return what a group will be. :raises IllegalGroup: the name is not legal."""
        known = self._groups.get(group.group_name)
        current = None if known is None else known.attributes
        try:
            check_group(group.group_name, group)
            return replace(group, attributes=altered(current, group.attributes))
        except BadField as error:
            raise Refused(ResponseCode.INVALID_PARAMETER, str(error)) from None

    def all(
        self, request: GetAllGroups, call: Call
    ) -> GroupTableResponse | Deferred[GroupTableResponse | None]:
        """
        Return the whole table of groups, or the page that is asked for.

        :raises BadField: the version is not one.
        """
        part = self._pages.page(
            request.group_seq, request.data_version, request.max_group_num
        )
        return self._pacer.run(self._respond(part), call.peer)

    def _respond(self, part: Part | None) -> Steps[GroupTableResponse]:
        """Encode some groups, or all of them."""
        groups = self._groups
        total = len(groups.table)
        if part is None:
            body = yield from groups.encode_in_steps()
        else:
            body = yield from groups.encode_some(part.names, part.fitting)
        return GroupTableResponse(total_group_num=total, body=body)

    def get(self, request: GetGroup, call: Call) -> Response:
        """Return the settings of one group."""
        group = self._groups.get(request.group)
        if group is None:
            raise Refused(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
                f"No group in this broker. group: {request.group}",
            )
        return Response(body=fastjson.dumps(group))

    def delete(self, request: DeleteGroup, call: Call) -> Response:
        """
        Delete a group, and its offsets if requested; an unknown group is not an error.
        """
        self._groups.delete(request.group_name)
        if request.clean_offset or request.remove_offset:
            self._offsets.remove_group(request.group_name)
        return Response()

    def delete_all(self, request: DeleteGroups, call: Call) -> Outcome:
        """
        Delete groups as :meth:`delete` does, one in each step.

        :raises Refused: none is named, or a name is empty.
        """
        body = request.body
        return self._pacer.run_for(body, self._delete_all(body), call.peer)

    def _delete_all(self, body: bytes) -> Steps[Response]:
        asked = DeletedGroups.decode_request(body)
        names = dict.fromkeys(asked.group_name_list)
        if not names or "" in names:
            what = "name is" if names else "name list is"
            why = f"The specified group {what} blank."
            raise Refused(ResponseCode.INVALID_PARAMETER, why)
        for name in names:
            yield None
            self._groups.delete(name)
            if asked.clean_offset:
                self._offsets.remove_group(name)
        return Response()
