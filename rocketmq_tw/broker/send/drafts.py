"""
Turns a send into the draft that the store takes, depending on the kind of message.

For each kind a function takes a :class:`Sent` and returns its draft, or refuses it.
Plain messages need no such call: they are drafted as soon as they are found to be
plain.

Source: ``SendMessageProcessor.sendMessage`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from rocketmq_tw.broker.delay.levels import DelayLevels, delay_level
from rocketmq_tw.broker.send.kinds import Kind, kind_of
from rocketmq_tw.broker.send.properties import SendProperties, read, without
from rocketmq_tw.broker.send.targets import Target
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import DELAY, UNIQ_KEY
from rocketmq_tw.model.subscription import LONGEST_KEPT, java_hash, kept_hash
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.store.errors import PropertiesTooLong
from rocketmq_tw.wire import properties as properties_text
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.record_layout import HOST_V4_SIZE
from rocketmq_tw.wire.requests.send import SendFields

_MEANINGS = {
    sysflag.PREPARED: "prepared or rolled back (0x4)",
    sysflag.COMMIT: "committed or rolled back (0x8)",
    sysflag.NEED_UNWRAP: "to be unwrapped (0x40)",
    sysflag.INNER_BATCH: "inner batch (0x80)",
}
#: Bits of the system flag that clients must not set.
BROKER_BITS = sum(_MEANINGS)


class Sent(msgspec.Struct, frozen=True, gc=False):
    """Everything the draft of a special message is made from."""

    request: SendFields
    call: Call
    target: Target
    queue_id: int
    properties: SendProperties
    delay_level: int


Way = Callable[[Sent], Draft]
#: Makes of the draft of a message, as if it were plain, the one that is stored.
Redirect = Callable[[Draft, Sent], Draft]


class Drafts:
    """
    Makes the drafts of single messages.

    :param added: the encoded properties that this broker adds to each message.
    :param unique_key: makes a key for a message without one.
    :param redirects: of the kinds that features store; others are refused.
    """

    def __init__(
        self,
        *,
        levels: DelayLevels,
        added: str,
        unique_key: Callable[[], str],
        redirects: Mapping[Kind, Redirect],
    ) -> None:
        self._redirects = redirects
        self._levels = levels
        self._added = added
        self._unique_key = unique_key
        self._ways: Mapping[Kind, Way] = {
            Kind.DEAD_LETTER: self._dead_letter,
            Kind.TRANSACTIONAL: self._transactional,
            Kind.DELAYED: self._delayed,
            Kind.TIMED: self._timed,
            Kind.PRIORITISED: self._prioritised,
            Kind.PLAIN: self._plain,
        }

    def draft(
        self, request: SendFields, call: Call, target: Target, queue_id: int
    ) -> Draft:
        """
        Return the draft of one message, for its own topic or for one in which it waits.

        :raises Refused: the broker does not support this kind of message, or the
            system flag has bits that only a broker sets.
        :raises PropertiesTooLong: they could not be stored, and are not read.
        :raises BadField: ``DELAY`` is not a number.
        """
        text = request.properties or ""
        if len(text) > MAX_PROPERTIES:
            raise PropertiesTooLong(len(text), MAX_PROPERTIES)
        read_properties = read(text)
        special = read_properties.special
        if special is None:
            return self._compose(request, call, target.topic, queue_id, read_properties)
        level = 0 if target.is_dead_letter else delay_level(special.delay)
        kind = kind_of(
            special,
            delay_level=level,
            reconsume_times=request.reconsume_times or 0,
            is_dead_letter=target.is_dead_letter,
        )
        sent = Sent(request, call, target, queue_id, read_properties, level)
        return self._ways[kind](sent)

    def plain(
        self, request: SendFields, call: Call, target: Target, queue_id: int
    ) -> Draft:
        """
        Return the draft of a message that is delivered at once, whatever its properties
        ask for; raises as :meth:`draft`.
        """
        text = request.properties or ""
        if len(text) > MAX_PROPERTIES:
            raise PropertiesTooLong(len(text), MAX_PROPERTIES)
        return self._compose(request, call, target.topic, queue_id, read(text))

    def _compose(
        self,
        request: SendFields,
        call: Call,
        topic: bytes,
        queue_id: int,
        read_properties: SendProperties,
    ) -> Draft:
        """Return the draft for a topic and queue."""
        sys_flag = request.sys_flag
        if sys_flag & BROKER_BITS:
            raise broker_bits_set(sys_flag)
        text = read_properties.text
        if not read_properties.has_unique_key:
            text += properties_text.encode({UNIQ_KEY: self._unique_key()})
        host = call.peer.host_bytes
        if len(host) == HOST_V4_SIZE:
            sys_flag &= ~sysflag.BORN_HOST_V6
        else:
            sys_flag |= sysflag.BORN_HOST_V6
        tag = read_properties.tag
        tags_code = 0
        if tag:
            hash_of = kept_hash if len(tag) <= LONGEST_KEPT else java_hash
            tags_code = hash_of(tag)
        return Draft(
            topic=topic,
            queue_id=queue_id,
            flag=request.flag,
            sys_flag=sys_flag,
            born_time_ms=request.born_timestamp,
            born_host=host,
            body=request.body,
            properties=(text + self._added).encode("utf-8", "replace"),
            tags_code=tags_code,
            reconsume_times=request.reconsume_times or 0,
        )

    def _plain(self, sent: Sent) -> Draft:
        return self._compose(
            sent.request, sent.call, sent.target.topic, sent.queue_id, sent.properties
        )

    def _prioritised(self, sent: Sent) -> Draft:
        """Return the draft for the queue of its priority, whatever was asked for."""
        special, target = sent.properties.special, sent.target
        assert special is not None and special.priority is not None
        if target.write_queues < 1:
            return self._plain(sent)
        queue_id = min(special.priority, target.write_queues - 1)
        return self._compose(
            sent.request, sent.call, target.topic, queue_id, sent.properties
        )

    def _delayed(self, sent: Sent) -> Draft:
        draft = self._plain(sent)
        return self._levels.schedule(draft, sent.delay_level)

    def _transactional(self, sent: Sent) -> Draft:
        """Return the draft of a half message; its sender sets a bit to say so, too."""
        redirect = self._redirects.get(Kind.TRANSACTIONAL)
        if redirect is None:
            raise _not_offered("transactions")
        if sent.request.sys_flag & sysflag.TRANSACTION_MASK == sysflag.PREPARED:
            sent.request.sys_flag &= ~sysflag.TRANSACTION_MASK
        return redirect(self._plain(sent), sent)

    def _timed(self, sent: Sent) -> Draft:
        redirect = self._redirects.get(Kind.TIMED)
        if redirect is None:
            raise _not_offered("delivery at any time")
        return redirect(self._plain(sent), sent)

    def _dead_letter(self, sent: Sent) -> Draft:
        """Return the draft of a dead letter, which is not delayed any more."""
        text = without(sent.properties.text, DELAY)
        kept = msgspec.structs.replace(sent.properties, text=text)
        return self._compose(
            sent.request, sent.call, sent.target.topic, sent.queue_id, kept
        )


def broker_bits_set(sys_flag: int) -> Refused:
    """Return the error for a system flag, naming the bits that only a broker sets."""
    bits = ", ".join(what for bit, what in _MEANINGS.items() if sys_flag & bit)
    return Refused(
        ResponseCode.MESSAGE_ILLEGAL,
        f"sysFlag is {sys_flag:#x}, which says: {bits}; clients cannot send such",
    )


def _not_offered(what: str) -> Refused:
    return Refused(
        ResponseCode.NO_PERMISSION,
        f"the message asks for {what}, which this broker does not offer",
    )
