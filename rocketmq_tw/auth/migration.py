"""
Makes users and policies of ACL 2.0 from accounts of ACL 1.0.

==============================  =======================================================
an account                      becomes
==============================  =======================================================
``admin: true``                 a user of the type ``Super``, others ``Normal``
``topicPerms``, ``groupPerms``  entries of the ``Custom`` policy
``defaultTopicPerm``            an entry for ``Topic:*`` in the ``Default`` policy
``defaultGroupPerm``            an entry for ``Group:*`` in the ``Default`` policy
``PUB``, ``SUB``, ``PUB|SUB``   these actions are allowed
``DENY``                        all actions are denied
==============================  =======================================================

White lists have no counterpart. A default that is no permission denies, as it does in
ACL 1.0; Apache RocketMQ allows everything then.

Source: ``AuthMigrator`` of RocketMQ 5.3.
"""

from __future__ import annotations

from rocketmq_tw.auth.acl import AccountText
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.policies import (
    Acl,
    Entry,
    Pattern,
    Resource,
    User,
    UserType,
    check_user,
)
from rocketmq_tw.model.access import Action, ResourceKind
from rocketmq_tw.model.topic import DLQ_PREFIX, RETRY_PREFIX

_ACTIONS = {
    "PUB": {Action.PUB},
    "SUB": {Action.SUB},
    "PUB|SUB": {Action.PUB, Action.SUB},
    "SUB|PUB": {Action.PUB, Action.SUB},
}
_DENIED = frozenset({Action.ALL})


def user_of(account: AccountText) -> User:
    """
    Return the user that an account becomes.

    :raises BadPolicy: its name or its secret cannot be that of a user.
    """
    name, password = str(account.access_key), str(account.secret_key)
    check_user(name, password)
    user_type = UserType.SUPER if account.admin else UserType.NORMAL
    return User(username=name, password=password, user_type=user_type)


def acl_of(account: AccountText) -> Acl:
    """
    Return what the user may do; nothing if the account has no permission at all.

    :raises BadPolicy: an entry has no name.
    """
    custom = [_entry(_topic(text), text) for text in account.topic_perms or ()]
    custom += [_entry(_group(text), text) for text in account.group_perms or ()]
    default = [
        _entry(Resource(kind, Pattern.ANY), f"={text}")
        for kind, text in (
            (ResourceKind.TOPIC, account.default_topic_perm),
            (ResourceKind.GROUP, account.default_group_perm),
        )
        if text and text.strip()
    ]
    return Acl().merged(Acl(tuple(custom), tuple(default)))


def _entry(resource: Resource, text: str) -> Entry:
    """Return the entry for ``name=permission``."""
    actions = _ACTIONS.get(text.partition("=")[2].strip())
    if actions is None:
        return Entry(resource, _DENIED, (), False)
    return Entry(resource, frozenset(actions), (), True)


def _topic(text: str) -> Resource:
    return Resource(ResourceKind.TOPIC, Pattern.LITERAL, _name(text))


def _group(text: str) -> Resource:
    """Return a group, which its retry topic and its dead letters stand for, too."""
    name = _name(text).removeprefix(RETRY_PREFIX).removeprefix(DLQ_PREFIX)
    return Resource(ResourceKind.GROUP, Pattern.LITERAL, name)


def _name(text: str) -> str:
    """Return the name in ``name=permission``. :raises BadPolicy: there is none."""
    name = text.partition("=")[0].strip()
    if not name:
        raise BadPolicy("a permission has no name")
    return name
