"""
What administrators can ask of a push consumer, and let it do.

Source: ``DefaultMQPushConsumerImpl.consumerRunningInfo`` and
``MQClientInstance.resetOffset`` of RocketMQ 5.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.client.consumer.compressed import InflateLimits
from rocketmq_tw.client.consumer.config import ConsumerConfig
from rocketmq_tw.client.consumer.counts import ConsumerCounts
from rocketmq_tw.client.consumer.dispatch.direct import DirectDispatcher
from rocketmq_tw.client.consumer.dispatch.send_back import with_original_topic
from rocketmq_tw.client.consumer.fetcher import Fetcher
from rocketmq_tw.client.consumer.group.assignment import Assignment
from rocketmq_tw.client.consumer.offsets.store import OffsetStore
from rocketmq_tw.client.consumer.pull_result import decode_messages
from rocketmq_tw.client.consumer.subscriptions import Subscriptions
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.group import ConsumeType
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies import running_info as info
from rocketmq_tw.wire.errors import ProtocolError

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession


class ConsumerControl:
    """
    One consumer, as administrators see it.

    :param is_held: whether a queue is locked by this consumer.
    """

    def __init__(
        self,
        *,
        session: ClientSession,
        config: ConsumerConfig,
        subscriptions: Subscriptions,
        assignment: Assignment,
        offsets: OffsetStore,
        counts: ConsumerCounts,
        is_held: Callable[[MessageQueue], bool],
    ) -> None:
        self._session = session
        self._config = config
        self._subscriptions = subscriptions
        self._assignment = assignment
        self._offsets = offsets
        self._counts = counts
        self._is_held = is_held
        self._wall_time = wall_time(session.clock)
        self._started_at = self._wall_time()
        self._limits = InflateLimits.of(session.config)
        self._direct = DirectDispatcher(
            clock=session.clock,
            handler_of=subscriptions.handler_of,
            ordered=config.ordered,
            batch=config.batch > 1,
            handler_timeout=config.handler_timeout,
        )

    def reset_offsets(self, topic: str, offsets: Mapping[MessageQueue, int]) -> None:
        """Continue the assigned queues of a topic at these offsets."""
        for queue, offset in offsets.items():
            if queue.topic == topic and offset >= 0:
                self._assignment.reset(queue, offset)

    def offsets_of(self, topic: str) -> dict[MessageQueue, int]:
        """Return the offsets of the assigned queues of a topic."""
        return {
            queue: self._offsets.read(queue) or 0
            for queue in self._assignment.queues
            if queue.topic == topic
        }

    def running_info(self, stacks: bool) -> info.ConsumerRunningInfo:
        """Describe what the consumer does."""
        return info.ConsumerRunningInfo(
            properties=self._properties(),
            subscription_set=self._subscriptions.for_heartbeat(),
            mq_table={
                queue: self._describe(fetcher)
                for queue, fetcher in self._assignment.fetchers.items()
            },
            status_table=self._counts.status(self._session.clock.seconds()),
            jstack=_stacks() if stacks else None,
        )

    def consume_directly(
        self, record: bytes, broker_name: str
    ) -> Deferred[info.ConsumeMessageDirectlyResult]:
        """
        Let the handler consume one message; nothing is committed.

        :raises ProtocolError: the body is not one record.
        """
        messages = decode_messages(record, broker_name, self._limits)
        if len(messages) != 1:
            raise ProtocolError(f"the body has {len(messages)} records; expected one")
        return self._direct.consume(with_original_topic(messages[0]))

    def _properties(self) -> dict[str, str]:
        """Return the options, and what Apache's tools show."""
        session, config = self._session, self._config
        options = {k: str(v) for k, v in msgspec.structs.asdict(config).items()}
        return options | {
            info.PROP_NAMESERVER_ADDR: ";".join(session.name_servers.addresses),
            info.PROP_THREADPOOL_CORE_SIZE: str(config.concurrency),
            info.PROP_CONSUME_ORDERLY: str(config.ordered).lower(),
            info.PROP_CONSUME_TYPE: ConsumeType.CONSUME_PASSIVELY.value,
            info.PROP_CLIENT_VERSION: "V5_3_3",
            info.PROP_CONSUMER_START_TIMESTAMP: str(int(self._started_at * 1000)),
        }

    def _describe(self, fetcher: Fetcher) -> info.ProcessQueueInfo:
        """Describe one queue."""
        held = fetcher.messages
        offsets = [message.queue_offset for message in held.messages]
        ago = self._session.clock.seconds() - fetcher.pulled_at
        return info.ProcessQueueInfo(
            commit_offset=self._offsets.read(fetcher.queue) or 0,
            cached_msg_min_offset=min(offsets, default=0),
            cached_msg_max_offset=max(offsets, default=0),
            cached_msg_count=len(offsets),
            cached_msg_size_in_mib=held.size >> 20,
            locked=self._config.ordered and self._is_held(fetcher.queue),
            last_pull_timestamp=int((self._wall_time() - ago) * 1000),
        )


def _stacks() -> str:
    """Return what all threads are doing."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    texts = [
        f"{names.get(ident, ident)}\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()
    ]
    return "\n".join(texts)
