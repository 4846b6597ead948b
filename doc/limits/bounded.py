"""
The containers that no peer can make grow without a bound of their own.

A line is "class or module: containers: reason". Read a reason as "at most": one for
each feature, the files of a store.
"""

from __future__ import annotations

from typing import Final

from doc.limits.declared import Bounded

#: Made by the code itself: its features, its types, its declarations.
_OURS: Final = """\
clock.PeriodicCall: kw: empty
broker.transactions.rounds.Rounds: _rounds: 1000 rounds
broker.lifecycle.Lifecycle: on_connection_lost on_drain on_online on_start on_stop: one for each feature
broker.periodic.Periodic: _ticks: one for each periodic task of a feature
broker.send.drafts.Drafts: _ways: one for each kind of message
broker.service.BrokerService: _name_servers _until_started: the configured name servers; calls of stop
broker.processors.admin.pages.Pages: _names: the names of the topics, or groups
broker.slave.escape.Escape: _waiting: the messages of one step
broker.slave.master.Master: on_change: one for each feature
broker.slave.sync.SlaveSync: _failing: one for each kind of document
broker.put_times.PutTimes: _last: one number for each time
broker.safe_puts.SafePuts: _waiting: 20,000 reads with messages that are not safe
broker.stats.BrokerStats: _samples gauges: samples of ten minutes; one for each gauge
broker.timer.delivery_run.DeliveryRun: _queues _run _times: 128 messages, those of one step
broker.timer.linking._Step: delays topics waiting: 192 messages, those of one step
broker.timer.metrics.TimerMetrics: _counts _times: maxTopics
broker.transactions.counts.TransactionCounts: table: maxTopics
broker.transactions.counts_file.CountsFile: _saved: maxTopics
broker.timer.progress.Progress: _flushed: three numbers
store.timer.files.TimerFiles: _dirty: the files of the timer
store.timer.timers.Timers: passed: eight, one each time the clock is set back
broker.tables.encoded_offsets.EncodedOffsets: _noted _texts: 1,024 numbers; 1024 blocks, together as large as the file
broker.tables.resets.PendingResets: _targets: maxConsumerOffsets queues
broker.dedupe.rebuild._Found: _keys: twice maxDedupeKeys, at the start
broker.dedupe.sends._Batch: firsts offsets: the messages of one batch
broker.dedupe.window.Windows: _by_topic _dropped: maxTopics; one for each until its keys are forgotten
broker.tables.producer_ids.ProducerIds: _ids _peers: one for each connection
broker.tables.agreement.Agreement: _marks _counts: one for each membership, maxGroupMemberships
broker.tables.clients.ConsumerGroup: agreement: an Agreement
broker.tables.table_set.Tables: _files: one for each document
broker.tables.topics.TopicTable: _defaults on_change on_permission: the topics of every broker; one for each listener
remoting.router.Router: _absent _codes _guards _handlers _lane_codes _unguarded lane_starts: one for each declared request
replication.acks.SlaveAcks: _waiting: one for each connection, and one
remoting.in_process.OwnServers: _servers: a name server and a broker
settings: NOTHING: always empty
store.durability.flush.FlushService: _timers: three timers
store.queues.dispatch.Dispatcher: _targets listeners: one for each feature that listens
store.queues.warm: _unpacks: 256, one for each number of entries
wire.binary_template.BinaryDecoder: _changing: the declared fields of one kind of request
wire.binary_template.BinaryDecoder: _templates: 64 of headers of up to 4 KiB
wire.binary_template._Template: _changing: the declared fields of one kind of request
wire.coerce: _converter _members: 512 types of the code
wire.command: _typed: the codes of declared requests, with leading zeros
wire.fastjson: _sorted_members: 512 types of the code
wire.fields: DECLARED _booleans layout: one for each declared request
wire.requests.pull: _heads: one for each status of a fetch
wire.signed_send: _NUMBERS: the numbers below 1,024
"""

#: The page of metrics, made of tables that have limits; metricsOtelCardinalityLimit.
_METRICS: Final = """\
metrics.blocks.Blocks: _blocks _home _joined _open: the series of one metric, metricsOtelCardinalityLimit
metrics.broker.first_times.FirstTimes: _lacking _offsets _times: the queues of a chunk's groups, which are those of maxConsumerOffsets
metrics.broker.first_times.StoreTimes: _before _found _reading: reads of two pages, 2,000 each; running ones, of the reads that may wait
metrics.broker.lag_chunk.LagChunk: _blocks _committed _ended _ends _ids _keys_of _queue_rows _queues _rows _sizes _spans: the offsets of 64 groups and topics
metrics.broker.messages.MessageMetrics: _entries _renamed: the table of progress, the topics that changed
metrics.broker.messages.SentChunk: _burying _rows: 64 topics and groups; 2
metrics.broker.messages.StoredChunk: _messages _numbers _used: 64 topics
metrics.broker.stored_sums.StoredSums: _bytes _counts _topics larger numbers positions: the queues and topics of the store
metrics.broker.pops.Counts: table: maxTopics
metrics.broker.timer.TopicCounts: table: maxTopics
metrics.broker.transactions.TransactionMetrics: _latencies: maxTopics
metrics.creations.CreationMetrics: _groups _topics: one for each outcome
metrics.chunks.Chunks: _all _home _keys: the keys of a table that has a limit
metrics.broker.state.StateMetrics: _numbers _timer: a few numbers
metrics.counters.CounterMetrics: _families: one for each gauge
metrics.rows.Rows: _admitted: some hundred series, of metricsOtelCardinalityLimit
metrics.family.Family: _bounds _rows _seen _starts _taken left_out: the bounds; metricsOtelCardinalityLimit series
metrics.http.MetricsFactory: _channels: 64 connections
metrics.page.Page: _collectors _families _pieces _waiting: one for each part; each metric; the connections
metrics.process.ProcessMetrics: _collections _gauges: a few numbers
metrics.requests.RequestMeter: _table: the codes of requests and responses
namesrv.service.NamesrvService: gauges: one for each gauge
"""

#: Made by an administrator: settings, name servers, files of configuration.
_CONFIGURED: Final = """\
broker.delay.offsets.DelayOffsets: saved: one for each delay level
broker.delay.schedule.ScheduleService: _levels: one for each delay level
broker.assignment.routes.QueueRoutes: _known: 100,000 queues and topics
broker.pop.journal.ReviveLog: _done: one for each queue of the revive log
broker.delay.level.Level: shifts: one each time the clock is set; no peer sets it
broker.live_settings.LiveSettings: _applied _fields: the settings of a broker
broker.registration.Registration: _links: one for each name server
broker.slave.pre_online.PreOnline: _name_servers: the configured name servers
remoting.tls_client.ClientTls: _paths: three files
auth.signature.Signer: _names: two fields
auth.policies: _indexes _matchers key: one for each policy and each entry of users
auth.yaml_text._Builder: _open: 16 levels of a document
auth.policies._Index: _by_resource _lengths: the entries of one policy
broker.slave.master.Master: _said: one for each name server
remoting.waiters.Waiters: _waiting: one for each request in flight that creates topics, or that waits for a peer which does not read; calls of stop
broker.tables.topic_journal.TopicJournal: _lines _unwritten: 200,000 changes
broker.tables.background.BackgroundFile: _waiting: one for each caller of drain, which runs every 10 s
store.durability.shared_work.SharedWork: _asking: one for each connection that deletes a topic, and the timer
"""

#: Lives as long as one request, pull or load.
_OF_ONE_CALL: Final = """\
broker.transactions.lane_batch.Batch: ended halves prepared responses run: one for each request of a read
broker.transactions.checks.CheckRounds: _silent: ten groups, during one round
broker.transactions.producers.Producers: _blocked: groups of producers, during one round, 60 at most
broker.transactions.producers.Producers: _silent: producers that do not read, during one round, 60 at most
broker.transactions.journal.TransactionJournal: _first_of _unwritten moved: 20,000 decisions; 50,000 copies
client.transactions.questions.Questions: _known _running _waiting: 2,032 questions
broker.pop.reader.Found: offsets order_counts queues records starts: the messages of one pop
broker.pop.orderly._Pop: counts visible_ms: the messages of one pop
broker.pop.reader.PopReader: _reading: one for each queue that is read from the disk for a pop, of ``maxWaitingReads``
broker.redelivery.RedeliveryCopy: properties: of one message
admin.errors.NothingResponded: failed: the servers of one call
admin.errors.RefusedByAll: failed: the servers of one call
admin.results.listing.Listing: failed: the servers of one call
admin.clients._Clients: _found: the clients that brokers list
admin.clients._Memberships: brokers consumes heartbeats produces: the groups of one client that brokers list
admin.reading._Merge: _buffers _next failed positions: the queues of one topic, with one pull each
admin.tail.Tail: _followed _messages _offsets _permits _running _spots failing: its limit and one pull of each queue; one for each queue of the topic, and 4,096 later ones
client.errors.BatchesIncomplete: results: the requests of one call
client.errors.CommitError: failed: the queues of one commit
client.errors.NameServerUnavailable: causes: the name servers of one look-up
client.errors.SendError: attempts: the attempts of one send
client.name_servers._Lookup: _calls _causes _untried: the name servers of one look-up
client.producer.failed.FailedAttempts: attempts brokers: the attempts of one send
remoting.errors.Refused: ext: fields of one response
wire.requests.reply._Confirmation: fields: none of one response
store.index.search.Search: _descriptors _files records: one search at a time; 8 MiB of records
store.log.received.Received: records: those of one transfer of a master
store.queues.fetched.Picked: offsets sizes: 800 entries
store.queues.load.QueueLoading: _expected cut damaged untouched: the queues, while a store is loaded
wire.compression.ZlibReader: _held: steps of 64 KiB of one registration
wire.json_references._Sizes: _known: the nodes of one document
wire.lenient_json._Reader: open references: the nodes of one document
"""

#: The browsers of a console, all of them signed in but those that sign in.
_CONSOLE: Final = """\
console.api.kept.Kept: _waiting: one for each request, maxConsoleConnections
console.api.routes.Routes: _by_path: one for each declared route
console.history.presence.Presence: _seen: 1024 brokers
console.history.ring.Ring: _times _values: 720 samples
console.history.ring.Rings: _rings: 200 groups
console.web.channel.ConsoleFactory: _channels: maxConsoleConnections
console.web.attempts.Attempts: _known: 1024 addresses
console.web.attempts.Attempts: _wrong: 1024 addresses
console.web.sessions.Sessions: _sessions: 64 sessions
console.web.streams.Streams: _streams: maxConsoleTails
"""

#: The files of a store, which retention deletes.
_FILES: Final = """\
store.durability.flush.FlushService: _to_retry: files of the store that failed
store.durability.queue_checkpoint.QueueCheckpoint: paths queues: two files; the queues, while loading
store.files.segments.MappedFileQueue: bases dirty mapped: files of the store
store.files.recent.RecentReads: _blocks: one for each of 256 queues; 2 MiB
store.files.mapped_reads.MappedReads: _mapped: 8 files, of which mappedReadSize are in memory
store.files.residency.Residency: _pages: 258 pages
store.files.segments.OpenFiles: _descriptors on_unmap: 128 descriptors; one for the windows
store.index.files.IndexFiles: files: files of the index
store.log.commitlog.CommitLog: _view: 8 MiB that are mapped
store.replica.ReplicaLog: _pending _undispatched: 32 MiB of one record; maxUnflushedMessages
store.memory.log._Chunk: data offsets: memoryStoreSize, with the keys; for tests and trials
store.memory.log.MemoryLog: _chunks: 16 chunks and one
"""

#: Made by the application that uses the client.
_APPLICATION: Final = """\
client.consumer.counts.ConsumerCounts: _samples _topics: 13 samples; subscribed topics
client.consumer.dispatch.completion.Completion: _scheduled: pulled messages that are retried
client.consumer.dispatch.concurrent.ConcurrentDispatcher: _queued: pulled messages
client.consumer.dispatch.concurrent._Chunk: waiting: the messages of one pull
client.consumer.dispatch.orderly.OrderlyDispatcher: _busy _ready _suspended: assigned queues
client.consumer.dispatch.running.RunningHandlers: _running: handlers that run, at most concurrency
client.consumer.dispatch.running._Invocation: messages: one batch of a handler
client.consumer.group.assignment.Assignment: fetchers on_assigned on_revoked: the queues of the routes; listeners
client.consumer.group.locks.QueueLocks: _until: assigned queues
client.consumer.group.pauses.Pauses: _queues: queues that the application paused
client.consumer.group.rebalance.Rebalance: _complained _waiting: subscribed topics; calls of start
client.consumer.group.repair.Repairs: _last _running: assigned queues
client.consumer.offsets.local.LocalOffsetStore: _frozen _offsets _stored: queues that were ever assigned
client.consumer.offsets.remote.RemoteOffsetStore: _frozen _offsets _sent _stored: assigned queues
client.consumer.process_queue.ProcessQueue: _idle: calls of stop
client.consumer.subscriptions.Subscriptions: _by_topic _handlers: subscribed topics
client.groups.Groups: _consumers _producers: groups of the application
client.remote_commands.RemoteCommands: _controls: groups of the application
client.heartbeats.Heartbeats: _in_flight _wanted: brokers of the routes; consumers that start or change
client.identity: _month_start: 8 months
client.name_servers.NameServers: addresses: the configured name servers
client.consumer.lite.cursors.Cursor: in_hand: messages of one poll of the application
client.consumer.lite.cursors.Cursors: _by_queue _in_hand abandoned: the queues assigned to this consumer; messages of one poll
client.consumer.lite.delivery.Delivery: _ready: the queues assigned to this consumer
client.consumer.lite.fixed.FixedQueues: _queues: queues that the application has chosen
client.consumer.lite.iteration.Iterations: _running: loops of the application
client.transactions.producer.TransactionProducer: _open _unfinished: transactions that the application has begun
client.transactions.questions.Questions: _producers: groups of the application
client.producer.context.SendContext: pending: sends of the application, limited by its options
client.producer.in_flight.InFlight: _waiting: 65,536 sends that wait
client.producer.large.LargeBodies: _waiting: 65,536 sends that wait
client.producer.message.Preparation: _checked: topics that the application sends to
client.replies.outstanding.OutstandingRequests: _waiting: max_outstanding_requests
client.replies.reply_brokers.ReplyBrokers: _ready _waiting: 4,096 topics; topics of requests of the application
client.time_limits.TimeLimit: _deadlines: sends of the application, limited by its options
client.time_limits.TimeLimits: _limits: 16, and none is added while all are used
client.trace.dispatcher.TraceDispatcher: _waiting: 2,048 records
client.routes.RouteCache: _waiting on_change: calls of the application; listeners
client.session.ClientSession: _loops: periodic tasks
client.shutdown.ShutdownTrigger: _trigger: one
remoting.pending.PendingCalls: _waiting: our own calls, 65,535 of a connection
remoting.proxied.ProxiedFactory: waiting: 1,000 connections whose header is not complete
remoting.pool.ConnectionPool: _connecting _direct _live _waiting on_connected: addresses of the routes; our own calls; listeners
"""

#: Bounded by what stands in the tables, or by nothing else yet.
_BY_OTHERS: Final = """\
client.brokers.Brokers: _reached _unresponsive_since on_lost: brokers of the routes; one for each producer
client.consumer.process_queue.ProcessQueue: _messages _order: max_cached_bytes, and one pull for each queue; twice as many, and 64
client.producer.faults.Faults: _until: brokers of the routes
namesrv.live.LiveBroker: filter_servers: 16 of each broker
remoting.durable.AwaitingFlush: _late _waiting: the requests of a connection in flight, 20,000
store.durability.group_commit.FlushWaiters: _waiting: connections, and one
store.durability.group_commit.WaitingDeferreds: _waiting: messages sent back within syncFlushTimeout
replication.until_safe.UntilSafe: _waiting: messages sent back within slaveTimeout and syncFlushTimeout
replication.needs.Needs: _parts: changes of the number of slaves within slaveTimeout
broker.member_group.MemberGroup: _own addresses on_found: the brokers of one name; listeners
broker.strict_locks.StrictLocks: _failing: the brokers of one name
broker.worker.WorkerThread: _jobs: one fsync of the log at a time
store.queues.consumequeue.ConsumeQueue: larger tail: 6; 64 KiB
store.queues.dispatch.Dispatcher: _waiting: one for each index
store.queues.table.ConsumeQueues: _changed _noted: the directory of the queues; the queues of its table
"""


def _read(text: str) -> list[Bounded]:
    """Read the lines of a table."""
    return [Bounded(*line.split(": ")) for line in text.splitlines()]


BOUNDED: Final = [
    bounded
    for text in (
        _OURS,
        _METRICS,
        _CONFIGURED,
        _OF_ONE_CALL,
        _CONSOLE,
        _FILES,
        _APPLICATION,
        _BY_OTHERS,
    )
    for bounded in _read(text)
]
