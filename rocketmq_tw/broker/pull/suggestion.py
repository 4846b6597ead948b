"""
From which broker of a name a consumer is to pull next.

A master sends consumers that are far behind to a slave, so that old messages do not
replace the new ones in its memory. A slave sends them back once they have caught up,
and corrects no offsets that its master may know better. While the master is away it
serves them alone::

                           suggested while the master is   and the slave
                           alive          away
    found, far behind      whichBrokerWhenConsumeSlowly    responds
    found, caught up       the master     brokerId         responds
    nothing new            the master     brokerId         holds the pull
    offset out of range    the master     brokerId         holds the pull

``whichBrokerWhenConsumeSlowly`` and ``brokerId`` are settings of the group: 1 and 0
unless somebody changes them.

Source: ``PullMessageProcessor.composeResponseHeader`` and
``DefaultPullMessageResultHandler`` of RocketMQ 5. There a slave holds no such pull: the
consumer pulls again at once, in a loop if its route does not have the master, and
without ``enableSlaveActingMaster`` the master counts as alive for ever.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.model.route import MASTER_ID
from rocketmq_tw.store.interfaces import Fetched, IMessageStore
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.pull import PullMessage, PullResponse

_MOVED = ResponseCode.PULL_OFFSET_MOVED


class Suggestion:
    """
    Completes the responses to pulls.

    :param memory_size: messages this close to the end of the log, in bytes, are taken
        to be in memory.
    :param is_master_alive: whether the master of this slave serves consumers.
    """

    def __init__(
        self,
        *,
        config: BrokerConfig,
        groups: GroupTable,
        store: IMessageStore,
        memory_size: int,
        is_master_alive: Callable[[], bool],
    ) -> None:
        self._is_slave = config.is_slave
        self._checks_offsets = config.offset_check_in_slave
        self._groups = groups
        self._store = store
        self._memory_size = memory_size
        self._is_master_alive = is_master_alive

    def complete(
        self, response: PullResponse, fetched: Fetched, request: PullMessage
    ) -> PullResponse:
        """Set the suggestion; on a slave, what its master is to say is not said."""
        group = self._groups.get(request.consumer_group)
        is_slow = self._is_slow(fetched)
        if group is not None:
            response.suggest_which_broker_id = (
                group.which_broker_when_consume_slowly if is_slow else group.broker_id
            )
        if self._is_slave and not is_slow:
            self._complete_of_slave(response, request)
        return response

    def _is_slow(self, fetched: Fetched) -> bool:
        """Return whether the messages were too old to be in memory."""
        last = fetched.last_commit_log_offset
        return last >= 0 and self._store.commit_log_max - last > self._memory_size

    def _complete_of_slave(self, response: PullResponse, request: PullMessage) -> None:
        """Send a consumer to the master, and let it wait here if need be."""
        if response.status == _MOVED and not self._checks_offsets:
            response.next_begin_offset = request.queue_offset
            response.status = ResponseCode.PULL_NOT_FOUND
        if self._is_master_alive():
            response.suggest_which_broker_id = MASTER_ID


def suggests(config: BrokerConfig) -> bool:
    """Return whether a broker makes suggestions: others always name the master."""
    return config.slave_read_enable or config.is_slave
