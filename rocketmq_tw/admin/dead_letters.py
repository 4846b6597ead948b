"""
Dead letters: messages that a group has failed to consume too often.

One that is sent again is a new message of its topic: all groups that read the topic get
it. Its properties say which message it was, and whose dead letter. The dead letter
itself stays where it is, until the broker deletes it as any message.

So the copies themselves say what was sent again before: they are found in the index by
their first key, which is the dead letter's id if its message has no keys. A copy is
younger than its dead letter; where both are kept equally long, it is found as long as
there is anything to send again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.admin.errors import AdminError, InvalidArgument, NotFound
from rocketmq_tw.admin.groups import Groups
from rocketmq_tw.admin.messages import Messages
from rocketmq_tw.admin.results.messages import (
    DeadLetterQueue,
    DeadLetterQueues,
    FoundMessage,
    Page,
    Resend,
    Resent,
)
from rocketmq_tw.admin.results.topics import Kind, TopicStats
from rocketmq_tw.admin.texts import sentence
from rocketmq_tw.admin.topics import Topics
from rocketmq_tw.model import message as names
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.topic import DLQ_PREFIX, dlq_topic

#: Properties of a copy: the group whose dead letter it was, and its id there.
RESENT_OF_GROUP: Final = "RESENT_OF_GROUP"
RESENT_OF_MESSAGE: Final = "RESENT_OF_MESSAGE"

#: How far the clocks of two brokers may be apart.
_CLOCKS_DIFFER = timedelta(minutes=1)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
#: Properties that belong to the dead letter, and not to the message that is sent.
_OWN = frozenset(
    (
        names.UNIQ_KEY,
        names.WAIT,
        names.DELAY,
        names.KEYS,
        names.TAGS,
        names.RETRY_TOPIC,
        names.REAL_TOPIC,
        names.REAL_QUEUE_ID,
        names.DLQ_ORIGIN_TOPIC,
        names.DLQ_ORIGIN_MESSAGE_ID,
        names.ORIGIN_MESSAGE_ID,
        names.ORIGIN_GROUP,
        names.RECONSUME_TIME,
        names.MAX_RECONSUME_TIMES,
        names.MIN_OFFSET,
        names.MAX_OFFSET,
        names.CONSUME_START_TIME,
        names.CLUSTER,
        names.MSG_REGION,
        names.TRACE_ON,
        names.TRAN_MSG,
        names.PGROUP,
        names.TRANSACTION_ID,
        names.TRAN_PREPARED_QUEUE_OFFSET,
        names.TRANSACTION_CHECK_TIMES,
        names.POP_CK,
        names.POP_CK_OFFSET,
        names.FIRST_POP_TIME,
        names.INNER_NUM,
        names.INNER_BASE,
        names.INNER_MULTI_DISPATCH,
        names.INNER_MULTI_QUEUE_OFFSET,
        names.CRC32,
        names.BORN_HOST,
        names.BORN_TIMESTAMP,
        names.TIMER_DELAY_SEC,
        names.TIMER_DELAY_MS,
        names.TIMER_DELIVER_MS,
        names.TIMER_ENQUEUE_MS,
        names.TIMER_DEQUEUE_MS,
        names.TIMER_ROLL_TIMES,
        names.TIMER_OUT_MS,
        names.TIMER_DELAY_LEVEL,
    )
)


class DeadLetters:
    """What an administrator does with dead letters."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._topics = Topics(calls)
        self._messages = Messages(calls)

    @returning_deferred
    async def list(self) -> DeadLetterQueues:
        """Return the groups that have dead letters, sorted by name, with counts."""
        topics = await self._topics.list(with_system=True)
        names = [each.name for each in topics if each.kind is Kind.DEAD_LETTERS]

        async def count(topic: str) -> TopicStats:
            return await self._topics.stats(topic)

        asked = await self._calls.each({name: name for name in names}, count)
        failed = asked.failed
        queues = []
        for topic, stats in asked.ok.items():
            failed.update({f"{topic} at {w}": why for w, why in stats.failed.items()})
            updates = [q.last_update for q in stats.queues if q.last_update]
            group = topic.removeprefix(DLQ_PREFIX)
            last = max(updates, default=None)
            queues.append(DeadLetterQueue(group, topic, stats.messages, last))
        return DeadLetterQueues(tuple(queues), failed)

    @returning_deferred
    async def browse(
        self,
        group: str,
        begin: datetime | None = None,
        end: datetime | None = None,
        limit: int = 64,
        cursor: str | None = None,
    ) -> Page:
        """
        Return the dead letters of a group, oldest first; none if it has no topic for
        them.

        :param cursor: of the page before this one.
        :raises NotFound: there is no such group.
        """
        try:
            return await self._messages.by_time(
                dlq_topic(group), begin or _BEGINNING, end, limit, cursor
            )
        except NotFound:
            await Groups(self._calls).get(group)
            return Page(())

    @returning_deferred
    async def resend(
        self,
        group: str,
        messages: Iterable[FoundMessage | str],
        *,
        again: bool = True,
    ) -> Resent:
        """
        Send dead letters again, to the topics in which they were first.

        They are sent one after another, in this order; one that fails does not stop the
        others.

        :param messages: dead letters, or their ids.
        :param again: also those that were sent before; without it they are skipped,
            and those of which that cannot be known fail.
        :raises NotFound: there is no such group, or it has no topic for dead letters.
        """
        await self._check_has_letters(group)
        done: list[Resend] = []
        skipped: list[Resend] = []
        failed: dict[str, str] = {}
        for each in messages:
            message_id = each if isinstance(each, str) else each.message_id
            try:
                letter = await self._letter(group, each)
                earlier = None if again else await self._earlier(group, letter)
                if earlier is not None:
                    skipped.append(
                        Resend(letter.message_id, earlier.message_id, earlier.topic)
                    )
                    continue
                sent = await self._messages.send_message(copy_of(letter, group))
                done.append(Resend(letter.message_id, sent.message_id, sent.topic))
            except RocketMQError as error:
                failed[message_id] = sentence(error)
        return Resent(group, tuple(done), failed, tuple(skipped))

    async def _check_has_letters(self, group: str) -> None:
        """Check that there may be dead letters. :raises NotFound: there cannot be."""
        topic = dlq_topic(group)
        try:
            await self._topics.route(topic)
        except NotFound:
            # A group may be deleted before its dead letters.
            await Groups(self._calls).get(group)
            why = f'the group "{group}" has no dead letters'
            raise NotFound("topic", topic, why) from None

    async def _letter(self, group: str, letter: FoundMessage | str) -> FoundMessage:
        """Return a dead letter. :raises AdminError: it is none of the group."""
        topic = dlq_topic(group)
        if isinstance(letter, str):
            letter = await self._messages.get(letter, topic)
        if letter.topic != topic:
            raise InvalidArgument(
                f'the message is in "{letter.topic}", which does not have the dead'
                f' letters of "{group}"'
            )
        return letter

    async def _earlier(self, group: str, letter: FoundMessage) -> FoundMessage | None:
        """
        Return a copy of a dead letter that was sent before; None if there is none.

        :raises AdminError: there may be one that cannot be found.
        """
        copy = copy_of(letter, group)
        begin = None if letter.stored is None else letter.stored - _CLOCKS_DIFFER
        found = await self._messages.by_key(copy.topic, copy.keys[0], begin=begin)
        mark = {RESENT_OF_GROUP: group, RESENT_OF_MESSAGE: letter.message_id}
        for each in found.messages:
            if mark.items() <= each.properties.items():
                return each
        if found.failed:
            listed = "; ".join(f"{who}: {why}" for who, why in found.failed.items())
            raise AdminError(f"whether it was sent before is not known: {listed}")
        if not found.is_complete:
            raise AdminError(
                "whether it was sent before is not known: too many messages have its"
                f' key "{log_safe(copy.keys[0])}"'
            )
        return None


def copy_of(letter: FoundMessage, group: str) -> Message:
    """
    Return the message to send for a dead letter.

    :raises AdminError: the dead letter does not say in which topic it was.
    """
    kept = letter.properties
    topic = kept.get(names.RETRY_TOPIC) or kept.get(names.DLQ_ORIGIN_TOPIC)
    if not topic or topic.startswith(DLQ_PREFIX):
        raise AdminError("it does not say in which topic it was")
    return Message(
        topic,
        letter.body,
        letter.tag,
        # Otherwise nobody could find the copy.
        letter.keys or (letter.message_id,),
        {
            **{name: text for name, text in kept.items() if name not in _OWN},
            RESENT_OF_GROUP: group,
            RESENT_OF_MESSAGE: letter.message_id,
        },
        letter.flag,
    )
