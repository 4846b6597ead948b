"""
Requests for features that this broker does not have, and what it says to them.

Tools send them, so a sentence says to their users what there is instead. They are not
declared: nothing of them is read. A feature that is switched on has handlers, which
come before this table.

Source: ``AdminBrokerProcessor`` and ``BrokerContainerProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.wire.codes import ResponseCode

#: A response code, and a remark.
Absence = tuple[int, str]


def _absent(why: str, *codes: int) -> dict[int, Absence]:
    """Return the entries of requests that are not supported."""
    refusal = int(ResponseCode.REQUEST_CODE_NOT_SUPPORTED), why
    return dict.fromkeys(codes, refusal)


#: By request code.
ABSENT: dict[int, Absence] = {
    **_absent(
        "there are no accounts of ACL 1.0 here: set aclEnable=true in broker.conf",
        *range(50, 55),
    ),
    **_absent(
        "there are no users and policies here: set authenticationEnabled=true and"
        " authorizationEnabled=true in broker.conf",
        *range(3001, 3011),
    ),
    **_absent("queues are kept in plain files: there is no RocksDB here", 354, 355),
    **_absent("static topics are not supported", 513),
    **_absent("this is a broker and no container of brokers", 902, 903),
    **_absent(
        "the flushed offset of a master cannot be set: slaves learn it from their"
        " master",
        908,
    ),
    # The words of Apache RocketMQ, whose tool shows them.
    1007: (ResponseCode.SYSTEM_ERROR, "this request only for controllerMode "),
    **_absent(
        "there is no flow control of cold reads here: pulls of messages that are not"
        " in memory wait for the disk without delaying others (maxColdPulls)",
        2001,
        2002,
        2003,
    ),
    **_absent(
        "the operating system decides what is read ahead of the commit log", 2004
    ),
    **_absent(
        "lite topics are not supported",
        *(200_070, 200_071, 200_072, 200_073, 200_074),
        *(200_075, 200_076, 200_077, 200_078, 200_079),
    ),
}
