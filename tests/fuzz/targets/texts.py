"""Texts: ids, addresses, expressions, names, properties files."""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.filter import tags
from rocketmq_tw.model import msgid, subscription
from rocketmq_tw.model.errors import IllegalName
from rocketmq_tw.model.ip_address import is_ip_address
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.topic import check_group_name, check_topic_name
from rocketmq_tw.remoting import addresses
from rocketmq_tw.wire.bodies.kvtable import decode_properties, encode_properties
from tests.fuzz.target import Budget, Target
from tests.fuzz.targets.json import repeated


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """Return a reader of bytes from a reader of text."""
    return lambda data: read(data.decode("utf-8", "replace"))


def _subscribe(text: str) -> None:
    """Parse an expression and filter by it, as a broker and as a client do."""
    found = subscription.parse("T", text, 1)
    subscription.parse_as("T", text, text[:5], 1)
    matches = tags.matcher(found)
    for tag in (None, "", "TagA", text):
        is_match = matches is None or matches(subscription.tags_code(tag))
        if tags.accepts(found, tag) and tag:
            assert is_match, tag


def _read_address(text: str) -> None:
    """Read an address in every way there is."""
    addresses.is_endpoint(text)
    is_ip_address(text)
    parts = addresses.EndpointString.parse(text)
    str(parts.with_backlog(5))
    for read in (
        addresses.split_host_port,
        addresses.client_endpoint,
        addresses.server_endpoint,
        addresses.dial_address,
    ):
        try:
            read(text)
        except ValueError:
            continue


def _check_names(text: str) -> None:
    """Check a name as that of a topic and of a group."""
    log_safe(text)
    check_group_name(text)
    check_topic_name(text)


def _round_trip(data: bytes) -> None:
    """Read a properties file; what is written again says the same."""
    table = decode_properties(data)
    assert decode_properties(encode_properties(table)) == table


TARGETS = (
    Target(
        name="message-id",
        run=_text(msgid.parse_offset_message_id),
        errors=(ValueError,),
        seeds=lambda: (b"0A00000100002A9F0000000000000064", b"0" * 56),
        amplifiers={"digits": repeated("", "0")},
    ),
    Target(
        name="host",
        run=_text(msgid.host_from_text),
        errors=(ValueError,),
        seeds=lambda: (b"10.0.0.1:10911", b"[::1]:80", b"[fe80::1%eth0]:1"),
        amplifiers={
            "digits": repeated("1.2.3.4:", "1"),
            "colons": repeated("[", ":", "]:1"),
            "dots": repeated("", "1.", ":1"),
        },
    ),
    Target(
        name="subscription",
        run=_text(_subscribe),
        errors=(subscription.IllegalSubscription,),
        seeds=lambda: (b"*", b"TagA||TagB", b"SQL92", b" TagA || "),
        amplifiers={
            "tags": lambda size: b"||".join(b"%d" % i for i in range(size // 6)),
            "separators": repeated("a", "||"),
            "one long tag": repeated("", "x"),
        },
    ),
    Target(
        name="address",
        run=_text(_read_address),
        errors=(),
        seeds=lambda: (
            b"10.0.0.1:10911",
            b"[::1]:10911",
            b"tcp:9876:interface=\\:\\:1:backlog=50",
            b"ssl:443:privateKey=key.pem",
            b"unix:/run/mq",
        ),
        amplifiers={
            "backslashes": repeated("tcp:a", "\\\\", "\\"),
            "no end": repeated("tcp:", "a", "\\"),
            "colons": repeated("tcp", ":"),
            "equals": repeated("tcp:", "a="),
            "digits": repeated("a:", "1"),
        },
        # Four readers parse it, and it is written again.
        budget=Budget(work_each=160),
    ),
    Target(
        name="name",
        run=_text(_check_names),
        errors=(IllegalName,),
        seeds=lambda: (b"TopicTest", b"%RETRY%GroupTest", b"../x"),
        amplifiers={"long": repeated("", "a"), "odd": repeated("", "\u00e9")},
    ),
    Target(
        name="properties-file",
        run=_round_trip,
        errors=(),
        seeds=lambda: (
            b"listenPort = 10911\n# comment\nbrokerName=b\\\n  c\n",
            b"a\\=b:c\\u00e9\n!x\n\n \t\n",
        ),
        amplifiers={
            "continued": repeated("a=", "\\\n"),
            "backslashes": repeated("a=", "\\"),
            "comments": repeated("", "#\\\n"),
            "blanks": repeated("", " "),
            "blank lines": repeated("", " \n"),
        },
    ),
)
