"""
The settings of a broker, under Apache RocketMQ's names.

Source: ``BrokerConfig``, ``MessageStoreConfig`` and ``NettyServerConfig`` of RocketMQ
5.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.broker.choices import BrokerRole, FlushDiskType, SubscriptionConflict
from rocketmq_tw.broker.console_settings import ConsoleSettings
from rocketmq_tw.metrics_settings import MetricsSettings
from rocketmq_tw.model.topic import TRACE_TOPIC
from rocketmq_tw.remoting.buffers import DEFAULT_BUDGET
from rocketmq_tw.settings import Count, Port, Positive
from rocketmq_tw.tls.settings import TlsSettings
from rocketmq_tw.wire.bodies.pop import MessageRequestMode

__all__ = [
    "FAST_PORT_GAP",
    "BrokerConfig",
    "BrokerRole",
    "FlushDiskType",
    "SubscriptionConflict",
]

Milliseconds = Positive
#: Bytes of a transfer to a slave; those of Apache RocketMQ have a buffer of 4 MiB.
TransferSize = Annotated[int, msgspec.Meta(ge=1024, le=2 << 20)]

#: The fast port is this much below the main port.
FAST_PORT_GAP = 2

#: Local hours, from 0 to 23, as in "04;16".
_HOURS = "^ *([01]?[0-9]|2[0-3])( *; *([01]?[0-9]|2[0-3]))* *;? *$"

#: The name of a topic.
_TOPIC = "^[%|A-Za-z0-9_-]{1,127}$"


class BrokerConfig(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """
    The settings of a broker. Sizes are in bytes, times in ms, as in ``broker.conf``.

    :ivar listen: an endpoint string in place of ``listen_port``; an extension.
    :ivar memory_store_size: if not 0, messages are kept in memory only, at most this
        many bytes; an extension.
    :ivar max_subscription_length: characters of the subscription that a pull brings; a
        longer one is refused; an extension.
    :ivar subscription_conflict: whether a consumer that subscribes to something else
        than other members of its group is refused; an extension.
    :ivar use_server_side_reset_offset: whether a reset of a group's offsets takes
        effect in the broker; otherwise in the members that are connected.
    :ivar max_groups_per_connection: how many groups of consumers and producers the
        heartbeats of one connection may name; an extension.
    :ivar max_connections: how many connections both ports accept together. In programs
        0 means as many as leave enough file descriptors to the store; an extension.
    :ivar max_connections_per_address: how many are accepted from one address; 0 means
        half of ``max_connections``; an extension.
    :ivar max_buffered_size: bytes of incomplete requests and unsent responses of all
        connections, beyond which some are closed; 0 means no limit; an extension.
    :ivar max_tls_handshakes: how many TLS handshakes may be begun and not complete;
        others wait; an extension.
    :ivar max_tls_handshakes_per_address: how many from one address; 0 means half of
        ``max_tls_handshakes``; an extension.
    :ivar tls_handshake_timeout_millis: ms that a handshake may take; an extension.
    :ivar tls: TLS of the ports and of outgoing connections; from keys that begin with
        ``tls.``.
    :ivar console: a web page; from keys such as ``console``.
    :ivar access: who may send what; from keys such as ``authenticationEnabled``.
    :ivar metrics: whether and where metrics are served; from ``metricsExporterType``
        and others.
    :ivar max_access_users: how many users, or accounts of ACL 1.0, there may be; an
        extension.
    :ivar max_access_entries: how many entries their policies may have together; an
        extension.
    :ivar max_batch_messages: a batch of more messages is refused; an extension.
    :ivar max_topics: how many topics there may be; an extension.
    :ivar max_queues: how many queues all topics may have together; an extension.
    :ivar max_subscription_groups: how many consumer groups there may be; an extension.
    :ivar max_forbidden_topics: of how many topics, of all groups, it is kept that a
        group may not read them; an extension.
    :ivar max_consumer_offsets: how many offsets, one for each queue and group, are
        kept; an extension.
    :ivar max_pull_offsets: for how many queues, of all groups, it is remembered up to
        where messages were sent; an extension.
    :ivar max_statistics: for how many topics, queues and groups messages are counted in
        the last minute, hour and day; an extension.
    :ivar max_group_memberships: how many memberships in groups of consumers and
        producers all connections may have together; an extension.
    :ivar max_subscriptions_size: bytes, roughly, of the subscriptions that heartbeats
        bring, of all groups; an extension.
    :ivar max_queue_locks: how many locks on queues there may be, of all groups; an
        extension.
    :ivar max_waiting_requests_size: bytes of large batches that may wait to be handled
        in steps; an extension.
    :ivar max_cold_pulls: how many pulls may wait until others of their connection have
        been read from the disk; an extension.
    :ivar max_waiting_reads: how many reads may wait for the disk; an extension.
    :ivar max_waiting_queries: how many queries by key may wait; an extension.
    :ivar mapped_read_size: how many bytes of the commit log are mapped for reading at
        most, and count as resident memory then; 0 for none; an extension.
    :ivar max_unflushed_messages: how many messages may wait for an fsync, with
        SYNC_FLUSH, before the store refuses further ones; an extension.
    :ivar max_unflushed_size: how many bytes of the log; an extension.
    :ivar max_held_pulls: how many pulls may wait for a message in all; an extension.
    :ivar max_held_pulls_per_connection: how many of one connection; an extension.
    :ivar max_held_pull_tags: how many tags the filters of pulls that wait for a message
        may have in all; an extension.
    :ivar enable_retry_topic_v2: messages that were popped and not acknowledged come
        again in ``%RETRY%group+topic``; otherwise in ``%RETRY%group_topic``. Both are
        read.
    :ivar pop_from_retry_probability: percent of the pops that read the retry topic
        first.
    :ivar pop_from_retry_probability_for_priority: the same, for topics whose messages
        have priorities.
    :ivar priority_order_asc: whether pops of such topics begin with the last queue;
        otherwise with the first.
    :ivar pop_polling_size: how many pops of a group may wait at one queue.
    :ivar max_pop_polling_size: how many pops may wait in all.
    :ivar max_pop_polling_per_connection: how many of one connection; an extension.
    :ivar max_pop_check_points: how many pops may have messages that are not
        acknowledged; an extension.
    :ivar max_pop_check_points_per_group: how many of one group; an extension.
    :ivar max_pop_ordered_queues: how many queues, one for each group, may be popped
        from in order; an extension.
    :ivar transaction_time_out: ms after which the producer of a half message is asked
        how the transaction ended.
    :ivar transaction_check_max: how often it is asked before that is given up.
    :ivar transaction_check_interval: ms between two rounds that ask producers.
    :ivar transaction_op_batch_interval: ms that a decision may wait to be written; 3000
        in Apache RocketMQ. What is not written when the broker is killed, its producers
        are asked about again.
    :ivar transaction_op_msg_max_size: characters of decisions that are written at once.
    :ivar transaction_metric_flush_interval: ms between two writes of how many half
        messages of each topic are pending.
    :ivar reject_transaction_message: no half message is accepted.
    :ivar max_half_messages: how many half messages there may be from the oldest on that
        is not decided; an extension.
    :ivar enable_pop_message_threshold: whether ``pop_inflight_message_threshold``
        counts: a queue of which more messages are in flight for a group is not popped.
    :ivar default_message_request_mode: how groups fetch a topic's messages for which
        nothing else was set.
    :ivar default_pop_share_queue_num: with how many others each member of such a group
        shares its queues if they pop; 0 or less: all share all.
    :ivar max_request_modes: for how many groups and topics it is kept whether they pop;
        an extension.
    :ivar store_reply_message_enable: replies are stored, too, not only pushed to the
        clients that wait for them.
    :ivar trace_topic_enable: the topic ``msg_trace_topic_name`` of message traces is
        there from the start, with one queue.
    :ivar max_dedupe_keys: how many unique keys are kept of topics with
        ``dedupe.window``, together; an extension.
    :ivar max_reply_pushes: how many replies may wait until the clients to which they
        were pushed confirm them; an extension.
    :ivar max_reply_pushes_per_connection: how many of one connection; an extension.
    :ivar timer_wheel_enable: whether timed messages are accepted.
    :ivar timer_precision_ms: the time from one slot of the timer's wheel to the next.
    :ivar timer_roll_window_slot: how many slots ahead a timed message waits before it
        is stored again; fewer if ``file_reserved_time`` needs that.
    :ivar timer_max_delay_sec: how far ahead a message may be due, in seconds; Apache
        RocketMQ has three days.
    :ivar timer_congest_num_each_slot: how many messages, and recalls, may be due in
        one slot.
    :ivar recall_message_enable: whether timed messages can be recalled.
    :ivar append_topic_for_timer_delete_key: recalls are stored as RocketMQ 5.3 does.
    :ivar broker_ip1: the address that clients connect to.
    :ivar broker_ip2: the address that slaves connect to.
    :ivar ha_listen_port: the port that slaves connect to; 0 means the next one after
        ``listen_port``.
    :ivar ha_master_address: ``host:port`` of the master's HA port, for a slave; empty
        means that name servers know it.
    :ivar max_ha_connections: how many slaves may be connected; an extension.
    :ivar max_ha_connections_per_address: how many from one address; an extension.
    :ivar in_sync_replicas: how many brokers must have a message before a SYNC_MASTER
        acknowledges it, itself included.
    :ivar enable_auto_in_sync_replicas: it is enough that all that are in sync have it,
        but at least ``min_in_sync_replicas``; both count only with
        ``enable_slave_acting_master``.
    :ivar sync_from_last_file: a slave without messages copies only the last file of the
        master's commit log. Otherwise it copies all.
    :ivar slave_read_enable: a slave responds to pulls, and a master sends consumers
        there that are far behind.
    :ivar offset_check_in_slave: a slave corrects the offset of a consumer that is out
        of its queue's range, instead of leaving that to the master.
    :ivar enable_slave_acting_master: the slave with the lowest id acts for a master
        that is gone: consumers read, lock and commit there; see
        :mod:`rocketmq_tw.broker.slave.acting`. For all brokers of a name, with
        ``supportActingMaster`` at the name servers.
    :ivar enable_remote_escape: a slave that acts for its master sends delayed messages
        that are due to masters of other names.
    :ivar lock_in_strict_mode: a lock on a queue, for consumers in order, is given only
        if most of the ``total_replicas`` brokers give it; counts only with
        ``enable_slave_acting_master``.
    :ivar total_replicas: how many brokers of this name there are, the master included.
        With more than one, a broker that has ``enable_slave_acting_master`` registers
        once the others of its name are ready for it.
    :ivar skip_pre_online: it registers at once nevertheless.
    :ivar sync_broker_member_group_period: ms between two looks which brokers of this
        name are registered.
    :ivar broker_heartbeat_interval: ms between heartbeats to the name servers; sent
        with ``enable_slave_acting_master``.
    :ivar broker_not_active_timeout_millis: ms without a heartbeat after which name
        servers remove the broker; likewise.
    :ivar drain_millis: ms for which a master that is to stop still serves, after it has
        removed the permission to write at the name servers, so that clients leave; 0
        stops at once. Clients look every 30 s; an extension.
    :ivar access_message_in_memory_max_ratio: percent of this machine's memory; a
        consumer is far behind if it reads messages older than so many bytes of the log.
    """

    namesrv_addr: str = ""
    broker_cluster_name: str = "DefaultCluster"
    broker_name: str = ""
    broker_id: Count = 0
    broker_ip1: str = msgspec.field(name="brokerIP1", default="")
    broker_ip2: str = msgspec.field(name="brokerIP2", default="")
    listen_port: Port = 10911
    listen: str = ""
    ha_listen_port: Port = 0
    ha_master_address: str = ""
    ha_send_heartbeat_interval: Milliseconds = 5000
    ha_housekeeping_interval: Milliseconds = 20_000
    ha_transfer_batch_size: TransferSize = 32 << 10
    ha_max_gap_not_in_sync: Positive = 256 << 20
    ha_flow_control_enable: bool = False
    max_ha_transfer_byte_in_second: Positive = 100 << 20
    max_ha_connections: Positive = 64
    max_ha_connections_per_address: Positive = 16
    broker_role: BrokerRole = BrokerRole.ASYNC_MASTER
    in_sync_replicas: Positive = 1
    min_in_sync_replicas: Positive = 1
    enable_auto_in_sync_replicas: bool = False
    slave_timeout: Milliseconds = 3000
    sync_from_last_file: bool = False
    slave_read_enable: bool = False
    offset_check_in_slave: bool = False
    enable_slave_acting_master: bool = False
    enable_remote_escape: bool = False
    lock_in_strict_mode: bool = False
    total_replicas: Positive = 1
    skip_pre_online: bool = False
    sync_broker_member_group_period: Milliseconds = 1000
    broker_heartbeat_interval: Milliseconds = 1000
    broker_not_active_timeout_millis: Milliseconds = 10_000
    drain_millis: Count = 0
    access_message_in_memory_max_ratio: Annotated[int, msgspec.Meta(ge=0, le=100)] = 40
    broker_permission: Annotated[int, msgspec.Meta(ge=0, le=7)] = 6
    region_id: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_.-]*$")] = (
        "DefaultRegion"
    )
    trace_on: bool = True
    trace_topic_enable: bool = False
    msg_trace_topic_name: Annotated[str, msgspec.Meta(pattern=_TOPIC)] = TRACE_TOPIC

    auto_create_topic_enable: bool = True
    default_topic_queue_nums: Positive = 8
    cluster_topic_enable: bool = True
    broker_topic_enable: bool = True
    auto_create_subscription_group: bool = True
    max_groups_per_connection: Positive = 1000
    max_topics: Positive = 100_000
    max_queues: Positive = 1_000_000
    max_subscription_groups: Positive = 20_000
    max_forbidden_topics: Positive = 10_000
    max_consumer_offsets: Positive = 500_000
    max_pull_offsets: Positive = 50_000
    max_statistics: Positive = 20_000
    max_group_memberships: Positive = 200_000
    max_subscriptions_size: Positive = 64 << 20
    max_queue_locks: Positive = 100_000

    long_polling_enable: bool = True
    short_polling_time_mills: Milliseconds = 1000
    lite_pull_message_enable: bool = True
    enable_property_filter: bool = True
    max_subscription_length: Positive = 64 << 10
    use_server_side_reset_offset: bool = True
    subscription_conflict: SubscriptionConflict = SubscriptionConflict.WARN
    max_held_pulls: Positive = 100_000
    max_cold_pulls: Positive = 100_000
    max_held_pulls_per_connection: Positive = 10_000
    max_held_pull_tags: Positive = 4_000_000

    enable_retry_topic_v2: bool = False
    pop_from_retry_probability: Annotated[int, msgspec.Meta(ge=0, le=100)] = 20
    pop_from_retry_probability_for_priority: Annotated[
        int, msgspec.Meta(ge=0, le=100)
    ] = 0
    priority_order_asc: bool = True
    pop_polling_size: Positive = 1024
    max_pop_polling_size: Positive = 100_000
    max_pop_polling_per_connection: Positive = 10_000
    max_pop_check_points: Positive = 200_000
    max_pop_check_points_per_group: Positive = 100_000
    max_pop_ordered_queues: Positive = 5_000
    enable_pop_message_threshold: bool = False
    pop_inflight_message_threshold: Count = 10_000
    default_message_request_mode: MessageRequestMode = MessageRequestMode.PULL
    default_pop_share_queue_num: int = -1
    max_request_modes: Positive = 2_000

    store_reply_message_enable: bool = True
    max_dedupe_keys: Positive = 500_000
    max_reply_pushes: Positive = 20_000
    max_reply_pushes_per_connection: Positive = 2_000

    transaction_time_out: Count = 6000
    transaction_check_max: Positive = 15
    transaction_check_interval: Milliseconds = 30_000
    transaction_op_batch_interval: Count = 100
    transaction_op_msg_max_size: Positive = 4096
    transaction_metric_flush_interval: Milliseconds = 10_000
    reject_transaction_message: bool = False
    max_half_messages: Positive = 10_000_000

    register_name_server_period: Annotated[int, msgspec.Meta(ge=1000)] = 30_000
    register_broker_timeout_mills: Milliseconds = 24_000
    flush_consumer_offset_interval: Milliseconds = 5_000
    server_channel_max_idle_time_seconds: Positive = 120
    max_connections: Count = 0
    max_connections_per_address: Count = 0
    max_buffered_size: Count = DEFAULT_BUDGET
    max_waiting_requests_size: Positive = 64 << 20
    max_tls_handshakes: Positive = 1000
    max_tls_handshakes_per_address: Count = 0
    tls_handshake_timeout_millis: Milliseconds = 10_000
    tls: TlsSettings = TlsSettings()
    access: AccessSettings = AccessSettings()
    console: ConsoleSettings = ConsoleSettings()
    metrics: MetricsSettings = MetricsSettings()
    max_access_users: Positive = 1000
    max_access_entries: Positive = 5000

    store_path_root_dir: str = ""
    memory_store_size: Count = 0
    mapped_file_size_commit_log: Annotated[int, msgspec.Meta(ge=4096)] = 1 << 30
    mapped_file_size_consume_queue: Annotated[int, msgspec.Meta(ge=20)] = 6_000_000
    max_message_size: Annotated[int, msgspec.Meta(ge=10, le=16 << 20)] = 4 << 20
    max_batch_messages: Positive = 32_768
    flush_disk_type: FlushDiskType = FlushDiskType.ASYNC_FLUSH
    sync_flush_timeout: Milliseconds = 5000
    flush_interval_commit_log: Milliseconds = 500
    flush_commit_log_least_pages: Count = 4
    flush_commit_log_thorough_interval: Milliseconds = 10_000
    flush_interval_consume_queue: Milliseconds = 1000
    flush_consume_queue_thorough_interval: Milliseconds = 60_000
    clean_resource_interval: Milliseconds = 10_000
    file_reserved_time: Count = 72
    delete_when: Annotated[str, msgspec.Meta(pattern=_HOURS)] = "04"
    delete_commit_log_files_interval: Count = 100
    delete_file_batch_max: Positive = 10
    clean_file_forcibly_enable: bool = True
    disk_max_used_space_ratio: Count = 75
    disk_space_clean_forcibly_ratio: Count = 85
    disk_space_warning_level_ratio: Count = 90
    message_index_enable: bool = True
    max_hash_slot_num: Positive = 5_000_000
    max_index_num: Annotated[int, msgspec.Meta(ge=2)] = 20_000_000
    max_msgs_num_batch: Positive = 64
    default_query_max_num: Positive = 32
    max_waiting_queries: Positive = 256
    max_waiting_reads: Positive = 4096
    mapped_read_size: Count = 512 << 20
    max_unflushed_messages: Positive = 100_000
    max_unflushed_size: Positive = 256 << 20
    message_delay_level: str = (
        "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h"
    )
    flush_delay_offset_interval: Milliseconds = 10_000
    timer_wheel_enable: bool = True
    timer_precision_ms: Annotated[int, msgspec.Meta(ge=100, le=1000)] = 1000
    timer_roll_window_slot: Positive = 172_800
    timer_max_delay_sec: Positive = 40 * 86_400
    timer_congest_num_each_slot: Positive = 1_000_000
    timer_flush_interval_ms: Milliseconds = 1000
    mapped_file_size_timer_log: Annotated[int, msgspec.Meta(ge=4096)] = 100 << 20
    recall_message_enable: bool = True
    append_topic_for_timer_delete_key: bool = False

    @property
    def trace_topic(self) -> str:
        """The topic of message traces that is created; empty for none."""
        return self.msg_trace_topic_name if self.trace_topic_enable else ""

    @property
    def is_slave(self) -> bool:
        """Whether the broker copies a master."""
        return self.broker_role is BrokerRole.SLAVE
