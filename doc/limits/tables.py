"""
The tables and buffers that peers can make grow, with their limits.

The bytes of an entry are those of the largest legal one, with names as long as they may
be, measured with ``tracemalloc`` and rounded up.
"""

from __future__ import annotations

from typing import Final

import msgspec

from doc.limits.declared import Cache, Growable, Limit
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.consumer.config import ConsumerConfig
from rocketmq_tw.client.consumer.lite.config import PullConsumerConfig
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.remoting.descriptors import MOST_CONNECTIONS


def _both(config: type[msgspec.Struct]) -> tuple[Growable, ...]:
    """Declare what either server has, with the settings of one of them."""
    connections = Growable(
        what="connections",
        holds=(
            "remoting.admission.Admission._admitted",
            "remoting.admission.Admission._by_host",
            "remoting.admission.Admission._unused",
            "remoting.admission.Admission._unused_by_host",
            "remoting.buffers.BufferBudget._holders",
            "remoting.protocol.RemotingProtocol.on_lost",
            "remoting.closing.Closings._waiting",
            "remoting.joint_writes.JointWrites._waiting",
            "remoting.reactor_share.ReactorShare._waiting",
            "remoting.server.RemotingServerFactory.connections",
        ),
        limits=(
            Limit(
                config=config,
                setting="max_connections",
                past="the oldest connection that has sent no request is closed;"
                " without one, the new connection is",
                said="as many as maxConnections lets",
                shown=("connections", "connectionsRefused", "connectionsDisplaced"),
            ),
            Limit(
                config=config,
                setting="max_connections_per_address",
                past="the same, among the connections of that address",
                said="as many as maxConnectionsPerAddress lets",
                shown=("connectionsRefused", "connectionsDisplaced"),
            ),
        ),
        entry=8_000,
        most=MOST_CONNECTIONS,
    )
    buffers = Growable(
        what="bytes of incomplete requests and unsent responses of all connections",
        holds=(
            "remoting.protocol.RemotingProtocol._unhandled",
            "remoting.write_through.Outbox._corked",
            "wire.frame.FrameDecoder._slices",
        ),
        limits=(
            Limit(
                config=config,
                setting="max_buffered_size",
                past="a connection that keeps much is closed",
                said="of all connections are more than maxBufferedSize",
                shown=("bufferedSize", "bufferedConnectionsClosed"),
            ),
        ),
        entry=1,
    )
    handshakes = Growable(
        what="TLS handshakes that are not complete",
        holds=(
            "remoting.handshakes.Handshakes._begun",
            "remoting.handshakes.Handshakes._by_host",
            "remoting.handshakes.Handshakes._known",
            "remoting.handshakes.Handshakes._ready",
            "remoting.handshakes.Handshakes._waiting",
        ),
        limits=(
            Limit(
                config=config,
                setting="max_tls_handshakes",
                past="others wait; the oldest is refused when it is a second old",
                said="as maxTlsHandshakes lets",
                shown=("tlsHandshakes", "tlsHandshakesWaiting", "tlsHandshakesRefused"),
            ),
            Limit(
                config=config,
                setting="max_tls_handshakes_per_address",
                past="the same, among those of that address",
                said="as maxTlsHandshakesPerAddress lets",
                shown=("tlsHandshakesRefused",),
            ),
        ),
        entry=66_000,
    )
    return connections, buffers, handshakes


_BROKER: Final = (
    Growable(
        what="topics",
        holds=(
            "broker.send.targets.Targets.known",
            "broker.tables.topics.TopicTable.table",
            "broker.unregistered.Unregistered._changed",
            "broker.unregistered.Unregistered._left",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_topics",
                past="the new topic is refused",
                said="maxTopics",
                shown=("topics", "topicsRefused"),
            ),
        ),
        entry=1_500,
    ),
    Growable(
        what="queues of all topics",
        holds=(
            "broker.tables.queue_count.QueueCount._most",
            "store.queues.table.ConsumeQueues._ids",
            "store.queues.table.ConsumeQueues.dirty",
            "store.queues.table.ConsumeQueues.table",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_queues",
                past="the new topic, or more queues of one, are refused; a topic that"
                " got fewer queues counts with those it had",
                said="gets no more queues; maxQueues",
                shown=("queues", "queuesRefused"),
            ),
        ),
        entry=1_300,
    ),
    Growable(
        what="consumer groups",
        holds=(
            "broker.tables.groups.GroupTable._encoded",
            "broker.tables.groups.GroupTable.table",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_subscription_groups",
                past="the new group is refused; the attributes and subscriptions of one"
                " have at most 8,192 characters",
                said="maxSubscriptionGroups",
                shown=("subscriptionGroups", "subscriptionGroupsRefused"),
            ),
        ),
        entry=12_000,
    ),
    Growable(
        what="offsets, one for each queue and group",
        holds=("broker.tables.offsets.ConsumerOffsets.table",),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_consumer_offsets",
                past="the new offset is refused",
                said="the offset is not kept; maxConsumerOffsets",
                shown=("consumerOffsets", "consumerOffsetsRefused"),
            ),
        ),
        entry=700,
    ),
    Growable(
        what="queues, of all groups, up to where messages were sent",
        holds=(
            "broker.tables.progress.ConsumeProgress.table",
            "broker.tables.progress.Progress.pulled",
            "broker.tables.progress.Progress.samples",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_pull_offsets",
                past="it is not remembered: tools are shown the committed offset and no"
                " rate",
                said="there are more queues than maxPullOffsets",
                shown=("pullOffsets", "pullOffsetsRefused"),
            ),
        ),
        entry=1_200,
    ),
    Growable(
        what="topics that groups may not read",
        holds=("broker.tables.groups.GroupTable.forbidden_table",),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_forbidden_topics",
                past="the topic is not forbidden",
                said="maxForbiddenTopics",
                shown=("forbiddenTopics", "forbiddenTopicsRefused"),
            ),
        ),
        entry=300,
    ),
    Growable(
        what="topics, queues and groups whose messages are counted by time",
        holds=(
            "broker.statistics.service.Statistics.topics",
            "broker.statistics.service.Statistics.queues",
            "broker.statistics.service.Statistics.groups",
            "broker.statistics.watched.WatchedWindows._table",
            "broker.statistics.service.Statistics._put_counters",
            "broker.stats.BrokerStats.watched",
            "broker.tables.progress.Progress.watched",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_statistics",
                past="its messages of the last minute, hour and day are not known to"
                " tools",
                said="more than maxStatistics",
                shown=(
                    "statistics",
                    "statisticsRefused",
                    "statisticsOfReads",
                    "statisticsOfReadsRefused",
                    "statisticsOfPuts",
                    "statisticsOfPutsRefused",
                ),
            ),
        ),
        entry=2_000,
    ),
    Growable(
        what="memberships of connections in groups",
        holds=(
            "broker.tables.clients.ClientTable._consumers",
            "broker.tables.clients.ClientTable._consumes",
            "broker.tables.clients.ClientTable._producers",
            "broker.tables.clients.ClientTable._produces",
            "broker.tables.clients.ConsumerGroup.members",
            "broker.tables.clients.MemberNotifier._waiting",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_group_memberships",
                past="the heartbeat is refused; nothing is created",
                said="(maxGroupMemberships)",
                shown=("groupMemberships", "heartbeatsRefused"),
            ),
            Limit(
                config=BrokerConfig,
                setting="max_groups_per_connection",
                past="the same",
                said="maxGroupsPerConnection is",
                shown=("heartbeatsRefused",),
            ),
        ),
        entry=1_300,
    ),
    Growable(
        what="bytes of subscriptions that heartbeats bring",
        holds=("broker.tables.clients.ConsumerGroup.subscriptions",),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_subscriptions_size",
                past="the heartbeat is refused; nothing is created",
                said="(maxSubscriptionsSize)",
                shown=("subscriptionsSize", "heartbeatsRefused"),
            ),
            Limit(
                config=BrokerConfig,
                setting="max_subscription_length",
                past="characters of one subscription: the heartbeat or pull is refused",
                said="(maxSubscriptionLength)",
                shown=("heartbeatsRefused",),
            ),
        ),
        entry=1,
    ),
    Growable(
        what="users of access control",
        holds=("broker.access.users.UserTable._users",),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_access_users",
                past="no user is created; files of more accounts are not used",
                said="there are no more {}; {} ({}) is reached",
                shown=("accessUsers", "accessUsersRefused"),
            ),
        ),
        entry=6_000,
    ),
    Growable(
        what="entries of policies of access control",
        holds=("broker.access.users.UserTable._acls",),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_access_entries",
                past="no entry is added",
                said="there are no more {}; {} ({}) is reached",
                shown=("accessEntries", "accessEntriesRefused"),
            ),
        ),
        entry=5_000,
    ),
    Growable(
        what="locks on queues",
        holds=("broker.tables.queue_locks.QueueLocks._held",),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_queue_locks",
                past="queues without a lock are not locked",
                said="no more queues are locked: maxQueueLocks",
                shown=("queueLocks", "queueLocksRefused"),
            ),
        ),
        entry=1_400,
    ),
    Growable(
        what="pulls that wait for a message",
        holds=(
            "broker.pull.due.DuePulls._blocked",
            "broker.pull.due.DuePulls._due",
            "broker.pull.waking.Arrivals._codes",
            "broker.pull.waking.Waking._scans",
            "broker.pull.table.HeldPullTable._by_peer",
            "broker.pull.table.HeldPullTable._by_tick",
            "broker.pull.table.HeldPullTable.by_queue",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_held_pulls",
                past="a pull that would wait is refused",
                said="allows no more",
                shown=("heldPulls", "heldPullsRefused"),
            ),
            Limit(
                config=BrokerConfig,
                setting="max_held_pulls_per_connection",
                past="the same",
                said="allows no more",
                shown=("heldPullsRefused",),
            ),
        ),
        entry=3_000,
    ),
    Growable(
        what="unique keys of topics with ``dedupe.window``",
        holds=(
            "broker.dedupe.window.Window._offsets",
            "broker.dedupe.window.Window._order",
            "broker.dedupe.window.Window._seconds",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_dedupe_keys",
                past="the oldest of the topic are forgotten before their time: a"
                " message that is sent again is stored again",
                said="maxDedupeKeys lets",
                shown=("dedupeKeys", "dedupeKeysForgotten"),
            ),
        ),
        entry=250,
    ),
    Growable(
        what="replies that their clients have not confirmed",
        holds=(
            "broker.reply.pushes.ReplyPushes._deadlines",
            "broker.reply.pushes.ReplyPushes._of_one",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_reply_pushes",
                past="the reply is only stored, and its sender gets an error",
                said="as many as maxReplyPushes lets",
                shown=("replyPushes", "replyPushesRefused"),
            ),
            Limit(
                config=BrokerConfig,
                setting="max_reply_pushes_per_connection",
                past="the same",
                said="maxReplyPushesPerConnection lets wait",
                shown=("replyPushesRefused",),
            ),
        ),
        entry=3_000,
    ),
    Growable(
        what="pops that wait for a message, and notifications",
        holds=(
            "broker.pop.polling.PopPolling._shares",
            "broker.pop.polling.PopPolling._topics",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_pop_polling_size",
                past="a request that would wait gets code 209 at once; so it is where"
                " ``popPollingSize`` (1,024) of a group wait at one queue",
                said="allows no more",
                shown=("popPolling", "popPollingRefused"),
            ),
            Limit(
                config=BrokerConfig,
                setting="max_pop_polling_per_connection",
                past="the same",
                said="allows no more",
                shown=("popPollingRefused",),
            ),
        ),
        entry=4_000,
    ),
    Growable(
        what="queues that groups pop from in order",
        holds=(
            "broker.pop.orderly.OrderedPops._by_tick",
            "broker.pop.orderly.OrderedPops._pops",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_pop_ordered_queues",
                past="no other queue is popped from in order",
                said="allows no more",
                shown=("popOrderedQueues", "popOrderedQueuesRefused"),
            ),
        ),
        entry=4_000,
    ),
    Growable(
        what="modes in which groups fetch messages",
        holds=("broker.assignment.modes.RequestModes._modes",),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_request_modes",
                past="the mode is not kept",
                said="the mode is not kept",
                shown=("requestModes", "requestModesRefused"),
            ),
        ),
        entry=1_500,
    ),
    Growable(
        what="pops whose messages are not acknowledged",
        holds=(
            "broker.pop.in_flight.InFlight._by_key",
            "broker.pop.in_flight.InFlight._by_tick",
            "broker.pop.in_flight.InFlight._logs",
            "broker.pop.in_flight.InFlight._messages",
            "broker.pop.in_flight.InFlight._of_group",
            "broker.pop.in_flight.InFlight._ticks",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_pop_check_points",
                past="nothing more is popped until some are acknowledged or over",
                said="allows no more",
                shown=("popCheckPoints", "popCheckPointsRefused"),
            ),
            Limit(
                config=BrokerConfig,
                setting="max_pop_check_points_per_group",
                past="the same, for the group",
                said="allows no more",
                shown=("popCheckPointsRefused",),
            ),
        ),
        entry=2_000,
    ),
    Growable(
        what="half messages since the oldest that is not decided",
        holds=(
            "broker.transactions.decisions.Decisions._row",
            "broker.transactions.operations.OperationOffsets._segments",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_half_messages",
                past="the half message is refused",
                said="allows no more",
                shown=("halfMessages", "halfMessagesRefused"),
            ),
        ),
        entry=2,
    ),
    Growable(
        what="timed messages, and recalls, that are due in one second",
        holds=(
            "broker.timer.deliveries.Deliveries._added",
            "broker.timer.deliveries.Deliveries._found",
            "store.timer.timers.Chain.delays",
            "store.timer.timers.Chain.flags",
            "store.timer.timers.Chain.offsets",
            "store.timer.timers.Chain.sizes",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="timer_congest_num_each_slot",
                past="the send, or the recall, is refused; what waits otherwise is on"
                " disk",
                said="allows no more",
                shown=("timerMessages", "timerSlotRefused"),
            ),
        ),
        entry=100,
    ),
    Growable(
        what="tags of the filters of pulls that wait for a message",
        holds=(),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_held_pull_tags",
                past="a pull that would wait is refused",
                said="allows no more",
                shown=("heldPullTags", "heldPullsRefused"),
            ),
        ),
        entry=100,
    ),
    Growable(
        what="pulls that wait for the disk",
        holds=(
            "broker.pull.cold.ColdPulls.lines",
            "broker.pull.cold._Line.waiting",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_cold_pulls",
                past="the pull is refused",
                said="allows no more",
                shown=("coldPulls", "coldPullsRefused"),
            ),
        ),
        entry=2_000,
    ),
    Growable(
        what="bytes of large batches that wait for their turn",
        holds=(
            "remoting.pacing.Pacer._order",
            "remoting.pacing.Pacer._works",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_waiting_requests_size",
                past="the batch is refused; a connection with a request that waits is"
                " not read further",
                said="other requests wait already",
                shown=(
                    "waitingRequests",
                    "waitingRequestsSize",
                    "waitingRequestsRefused",
                ),
            ),
        ),
        entry=12,
    ),
    Growable(
        what="bytes of messages that wait for an fsync, with SYNC_FLUSH",
        holds=(
            "store.queues.deferred_dispatch.DeferredDispatch._ahead",
            "store.queues.deferred_dispatch.DeferredDispatch._waiting",
        ),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_unflushed_size",
                past="further messages are refused, and clients send them to another"
                " broker, until an fsync ends",
                said="an fsync has not ended, and",
                shown=("unflushedSize", "unflushedRefused"),
            ),
            Limit(
                config=BrokerConfig,
                setting="max_unflushed_messages",
                past="the same",
                said="an fsync has not ended, and",
                shown=("unflushedMessages", "unflushedRefused"),
            ),
        ),
        entry=3,
    ),
    Growable(
        what="slaves",
        holds=("replication.master.MasterService.links",),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_ha_connections",
                past="the new connection is closed",
                said="slaves are connected, as many as maxHaConnections lets",
                shown=("haConnections", "haConnectionsRefused"),
            ),
            Limit(
                config=BrokerConfig,
                setting="max_ha_connections_per_address",
                past="the same",
                said="slaves of its address are connected, as many as"
                " maxHaConnectionsPerAddress lets",
                shown=("haConnections", "haConnectionsRefused"),
            ),
        ),
        entry=800_000,
    ),
    Growable(
        what="reads that wait for the disk",
        holds=("store.files.reads.Reads._waiting",),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_waiting_reads",
                past="the pull, or another request that reads messages, is refused",
                said="other reads wait for the disk already",
                shown=("waitingReads", "waitingReadsRefused"),
            ),
        ),
        entry=3_000,
    ),
    Growable(
        what="queries by key that wait",
        holds=("store.index.builder.IndexBuilder._waiting",),
        limits=(
            Limit(
                config=BrokerConfig,
                setting="max_waiting_queries",
                past="the query is refused",
                said="other queries wait already",
                shown=("waitingQueries", "waitingQueriesRefused"),
            ),
        ),
        entry=3_000,
    ),
)

_NAME_SERVER: Final = (
    Growable(
        what="topics of all brokers, each with its own",
        holds=(
            "namesrv.groups.BrokerGroup.topics",
            "namesrv.live.LiveBroker.named",
            "namesrv.topic_queues.TopicQueues.queues",
        ),
        limits=(
            Limit(
                config=NamesrvConfig,
                setting="max_topics",
                past="the registration is refused",
                said="the broker is not registered; {} ({}) is reached",
                shown=("topics", "tablesRefused"),
            ),
        ),
        entry=2_500,
    ),
    Growable(
        what="characters of the mappings of static topics",
        holds=("namesrv.topic_queues.TopicQueues.mappings",),
        limits=(
            Limit(
                config=NamesrvConfig,
                setting="max_mappings_size",
                past="the mapping is not kept, and the registration fails; one has"
                " mappings of 1 MiB at most",
                said="maxMappingsSize",
                shown=("mappingsSize", "tablesRefused"),
            ),
        ),
        entry=15,
    ),
    Growable(
        what="brokers",
        holds=(
            "namesrv.groups.BrokerGroup.addrs",
            "namesrv.live.LiveBrokers._by_connection",
            "namesrv.live.LiveBrokers._by_key",
            "namesrv.live.LiveBrokers._by_name",
            "namesrv.routes.RouteTable.groups",
        ),
        limits=(
            Limit(
                config=NamesrvConfig,
                setting="max_brokers",
                past="the registration of a new broker is refused; a broker has at most"
                " 16 filter servers, and no name or address more than 255 characters",
                said="the broker is not registered; {} ({}) is reached",
                shown=("brokers", "tablesRefused"),
            ),
        ),
        entry=25_000,
    ),
    Growable(
        what="characters of keys and values",
        holds=(
            "namesrv.kvconfig.KVConfig._table",
            "namesrv.kvconfig.KVConfig._waiting",
        ),
        limits=(
            Limit(
                config=NamesrvConfig,
                setting="max_kv_config_size",
                past="a new key or value is refused; each counts 32 besides, a"
                " namespace and a key have at most 255 characters, a value 65,536",
                said="(maxKvConfigSize)",
                shown=("kvConfigSize", "kvConfigRefused"),
            ),
        ),
        entry=20,
    ),
)

#: What limits single requests, and no table.
REQUESTS: Final = (
    Limit(
        config=BrokerConfig,
        setting="max_message_size",
        past="the message is refused",
        said="the message body is",
        shown=(),
    ),
    Limit(
        config=BrokerConfig,
        setting="max_batch_messages",
        past="the batch is refused",
        said="messages (maxBatchMessages)",
        shown=(),
    ),
    Limit(
        config=BrokerConfig,
        setting="max_msgs_num_batch",
        past="a query by key returns so many messages",
        said="",
        shown=(),
    ),
    Limit(
        config=NamesrvConfig,
        setting="max_registration_size",
        past="decompressed; a larger registration is refused",
        said="the body decompresses to more than",
        shown=("registrationsRefused",),
    ),
)

#: The options of a client that limit what brokers and name servers can make it keep.
CLIENT: Final = (
    Limit(
        config=ConsumerConfig,
        setting="max_cached_bytes",
        past="of messages of all queues: nothing is pulled until some are consumed; one"
        " pull for each queue more is possible",
        said="",
        shown=(),
    ),
    Limit(
        config=ConsumerConfig,
        setting="max_queue_bytes",
        past="likewise, of each queue; whole MiB count",
        said="",
        shown=(),
    ),
    Limit(
        config=ConsumerConfig,
        setting="max_queue_messages",
        past="the number of messages of one queue: it is not pulled until some are"
        " consumed",
        said="",
        shown=(),
    ),
    Limit(
        config=ConsumerConfig,
        setting="max_span",
        past="of queue offsets from the first message that is not consumed to the last"
        " one: the queue is not pulled",
        said="",
        shown=(),
    ),
    Limit(
        config=PullConsumerConfig,
        setting="max_cached_bytes",
        past="of messages that a pull consumer keeps for later polls: nothing is pulled"
        " until some are polled; one pull for each queue more is possible",
        said="",
        shown=(),
    ),
    Limit(
        config=PullConsumerConfig,
        setting="max_cached_messages",
        past="likewise, the number of these messages",
        said="",
        shown=(),
    ),
    Limit(
        config=ClientConfig,
        setting="max_outstanding_requests",
        past="requests that wait for replies: one more fails with ``QueueFull``",
        said="max_outstanding_requests",
        shown=(),
    ),
    Limit(
        config=ClientConfig,
        setting="max_body_size",
        past="of a compressed body: reading it raises ``BodyTooLarge``, the message is"
        " retried and becomes a dead letter",
        said="the body decompresses to more than",
        shown=(),
    ),
    Limit(
        config=ClientConfig,
        setting="max_inflated_size",
        past="of inflated bodies that the messages of a pull keep: others are inflated"
        " each time they are read",
        said="",
        shown=(),
    ),
)

#: The tables and buffers, by whose they are.
GROWABLE: Final = {
    "Broker": (*_both(BrokerConfig), *_BROKER),
    "Name server": (*_both(NamesrvConfig), *_NAME_SERVER),
}

#: Settings named like limits that limit nothing that a peer can make grow.
OTHER_SETTINGS: Final = frozenset(
    (
        "max_ha_transfer_byte_in_second",
        "max_hash_slot_num",
        "max_index_num",
        "max_retries",
    )
)

#: Limits whose settings have other names, those of Apache RocketMQ.
NAMED_OTHERWISE: Final = frozenset(("timer_congest_num_each_slot",))

CACHES: Final = (
    Cache(
        what="sends that are allowed, by user, topic and host",
        holds=(
            "broker.access.admitted.AdmittedHosts._hosts",
            "broker.access.admitted.AdmittedSends._keys",
        ),
        limit="broker.access.admitted.MAX_ADMITTED",
        entry=1_000,
    ),
    Cache(
        what="routes of the messages that an acting slave sends elsewhere",
        holds=("broker.slave.escape.Escape._routes",),
        limit="broker.slave.escape.MAX_ROUTES",
        entry=20_000,
    ),
    Cache(
        what="timed messages that had rolled when a former slave read their queue",
        holds=("broker.timer.deliveries.Deliveries._superseded",),
        limit="broker.timer.deliveries.MAX_SUPERSEDED",
        entry=80,
    ),
    Cache(
        what="timed messages that another broker has delivered since a check point",
        holds=("broker.timer.copy_keys.CopyKeys._counts",),
        limit="broker.timer.copy_keys.MAX_COPIES",
        entry=110,
    ),
    Cache(
        what="timed messages that were stored last, until they are linked",
        holds=(
            "broker.timer.recent.RecentSends._last",
            "broker.timer.recent.RecentSends._runs",
            "broker.timer.recent._Run.kept",
        ),
        limit="broker.timer.recent.MOST",
        entry=125,
    ),
    Cache(
        what="half messages that were stored last, of 8 MiB together",
        holds=(
            "broker.transactions.lane_recent.RecentHalves._kept",
            "broker.transactions.lane_recent.RecentHalves._order",
        ),
        limit="broker.transactions.lane_recent.MOST",
        entry=1_400,
    ),
    Cache(
        what="properties of half messages for each topic and queue",
        holds=("broker.transactions.lane_half._own_properties",),
        limit="broker.transactions.lane_half._own_properties",
        entry=400,
    ),
    Cache(
        what="addresses from which slaves have asked as the inner user",
        holds=("broker.ha_admission.HaAdmission._seen",),
        limit="broker.ha_admission.MAX_HOSTS",
        entry=300,
    ),
    Cache(
        what="orders of fields that signatures cover",
        holds=("auth.signature._orders",),
        limit="auth.signature.MAX_ORDERS",
        entry=6_000,
    ),
    Cache(
        what="decisions about users and topics or groups",
        holds=("broker.access.user_checks.UserChecks._decided",),
        limit="broker.access.user_checks.MAX_DECISIONS",
        entry=1_200,
    ),
    Cache(
        what="characters of subscriptions of pulls, with their filters",
        holds=(
            "broker.pull.filters.Filters._filters",
            "broker.pull.filters.Filters._sql",
        ),
        limit="broker.pull.filters.KEPT_CHARACTERS",
        entry=25,
    ),
    Cache(
        what="bytes of routes as a name server sends them",
        holds=("namesrv.views.RouteTexts._texts",),
        limit="namesrv.views.KEPT_BYTES",
        entry=1,
    ),
    Cache(
        what="hash codes of texts of up to 64 characters",
        holds=("model.subscription.kept_hash",),
        limit="model.subscription.kept_hash",
        entry=420,
    ),
    Cache(
        what="addresses of those whom access control asks about",
        holds=("auth.addresses.parse_address",),
        limit="auth.addresses.parse_address",
        entry=300,
    ),
    Cache(
        what="addresses as texts",
        holds=("model.msgid.host_to_text",),
        limit="model.msgid.host_to_text",
        entry=300,
    ),
    Cache(
        what="hash codes of how keys begin, up to 512 bytes; two tables, twice",
        holds=(
            "store.index.hash.KeyHash._counted",
            "store.index.hash.KeyHash._heads",
        ),
        limit="store.index.hash.MAX_HEADS",
        entry=4 * 700,
    ),
    Cache(
        what="tails of records without their unique key, and tags, up to 512 bytes",
        holds=(
            "store.index.entries.Entries._tags",
            "store.index.entries.Entries._tails",
        ),
        limit="store.index.entries.MAX_TAILS",
        entry=2 * 900,
    ),
    Cache(
        what="hosts of peers, for each kind of line in the log; some 40 kinds",
        holds=(
            "remoting.peer_log.PeerLog._kinds",
            "remoting.peer_log._Kind._dropped",
            "remoting.peer_log._Kind._last",
        ),
        limit="remoting.peer_log.KNOWN",
        entry=40 * 300,
    ),
    Cache(
        what="topics of a client's routes",
        holds=(
            "client.routes.RouteCache._brokers",
            "client.routes.RouteCache._known",
            "client.routes._Known.readable",
            "client.routes._Known.writable",
        ),
        limit="client.routes.MAX_TOPICS",
        entry=3_000,
    ),
    Cache(
        what="topics of a producer that sends to their queues in turn",
        holds=("client.producer.selectors.RoundRobin._counters",),
        limit="client.producer.selectors.MAX_TOPICS",
        entry=300,
    ),
    Cache(
        what="prepared headers of the queues to which a producer sends",
        holds=("client.producer.quick.QuickSender._forms",),
        limit="client.producer.quick.MAX_HEADERS",
        entry=900,
    ),
    Cache(
        what="tags of a producer's messages, as texts",
        holds=("client.producer.message.Preparation._starts",),
        limit="client.producer.message.MAX_STARTS",
        entry=500,
    ),
)
