/**
 * Every metric of `samples.jsonl`. Names are the field names of the strategy's appendix B where it has one, else of the
 * same style. The unit is in the name: `_mb` 2^20 bytes, `_pct` percent, `_ms` milliseconds. "Since the last scrape" means
 * exactly that: the first scrape of a source does not have those. `lab/docs/samples.md` is made of this table.
 */

/** `b`: named so in appendix B. */
export type SampleMetric = { readonly meaning: string; readonly b?: true };

/** What one collector can bring. */
export type CollectorEntry = {
  readonly what: string;
  readonly metrics: Readonly<Record<string, SampleMetric>>;
};

const PROCESS_METRICS = {
  cpu_pct: b('CPU since the last scrape; 100 is one core, as docker stats counts'),
  mem_mb: b('memory: anonymous pages of all processes, shared and file pages counted once'),
  mem_pct: b('that memory, of the limit; of the host where there is no limit'),
  pids: b('tasks: threads of all processes, as docker stats counts'),
  processes: m('processes: it and its children'),
  swap_mb: m('swapped out'),
  fds: m('open file descriptors'),
  fds_limit_pct: m('open file descriptors of the fullest process, of its limit'),
  block_read_mb: m('read from disks since the processes began'),
  block_write_mb: m('written to disks since the processes began'),
} as const;

/** By collector: the first word of a line's `collector`. */
export const SAMPLE_METRICS = {
  process: {
    what: 'a process and its children (/proc); appendix B `docker.<name>.*` where there are no containers',
    metrics: { ...PROCESS_METRICS, restarts: m('times another process was found in its place') },
  },
  container: {
    what: 'a container (cgroup v2 files, or docker stats); appendix B `docker.<name>.*`',
    metrics: {
      ...PROCESS_METRICS,
      net_rx_mb: b('received since the container began'),
      net_tx_mb: b('sent since the container began'),
    },
  },
  host: {
    what: 'the machine that the lab runs on',
    metrics: {
      cpu_pct: m('CPU since the last scrape; 100 is all cores busy'),
      iowait_pct: m('time all cores waited for disks since the last scrape'),
      steal_pct: m('time taken by the hypervisor since the last scrape'),
      load1: m('load average of one minute'),
      mem_pct: m('memory that is not available'),
      mem_available_mb: m('memory available'),
      swap_mb: m('swap in use'),
      net_rx_mb: m('received by all interfaces but loopback, since boot'),
      net_tx_mb: m('sent by all interfaces but loopback, since boot'),
      net_lo_mb: m('through loopback, since boot'),
      disk_read_mb: m('read from disks, since boot'),
      disk_write_mb: m('written to disks, since boot'),
      sockets: m('sockets in use'),
      tcp_established: m('TCP connections that are not closed'),
      tcp_time_wait: m('TCP connections in TIME_WAIT'),
    },
  },
  nginx: {
    what: 'an access log of nginx with timing fields; counts and percentiles since the last scrape',
    metrics: {
      req_per_sec: b('requests ended per second'),
      requests: m('requests ended'),
      error_4xx: b('answers 400 to 498'),
      error_5xx: b('answers 500 to 599'),
      error_499: m('requests given up by their client'),
      error_502: m('answers 502: nobody upstream'),
      error_504: m('answers 504: upstream too slow'),
      error_4xx_pct: m('answers 400 to 498 of the requests of the last minute'),
      error_5xx_pct: m('answers 500 to 599 of the requests of the last minute'),
      error_499_pct: m('given up, of the requests of the last minute'),
      rt_p50_ms: b('request time, median'),
      rt_p95_ms: b('request time, 95th percentile'),
      rt_p99_ms: b('request time, 99th percentile'),
      uct_p95_ms: m('time to connect upstream, 95th percentile; with several tries the last one'),
      uht_p95_ms: m('time to the head of the upstream answer, 95th percentile'),
      urt_p95_ms: m('time to the end of the upstream answer, 95th percentile'),
      unreadable_lines: m('lines in another format'),
      skipped_mb: m('log not read because too much came at once'),
      active_connections: m('connections now, by stub_status'),
      waiting_connections: m('idle kept connections now, by stub_status'),
      connections_dropped: m('connections not handled since nginx began (worker_connections), by stub_status'),
    },
  },
  srs: {
    what: 'an API in the shape of SRS (/api/v1), and patterns of its log',
    metrics: {
      clients: b('clients connected, publishers included'),
      viewers: m('clients that watch'),
      streams: b('streams with a publisher'),
      recv_kbps: b('received from publishers, mean of 30 s'),
      send_kbps: b('sent to viewers, mean of 30 s'),
      cpu_pct: m('CPU, by its own word'),
      mem_mb: m('resident memory, by its own word'),
      connections: m('connections, by its own word'),
      publish_active: m('1 when this stream has a publisher; label stream'),
      stream_recv_kbps: m('received of this stream, mean of 30 s; label stream'),
      stream_send_kbps: m('sent of this stream, mean of 30 s; label stream'),
      stream_clients: m('clients of this stream; label stream'),
      stream_fps: m('pictures per second that came; label stream'),
      frame_drops_per_min: m('frames dropped in the last minute, by its log'),
      disconnects_per_min: m('clients gone in the last minute, by its log'),
      publish_timeouts_per_min: m('publishers that fell silent in the last minute, by its log'),
    },
  },
  redis: {
    what: 'INFO of a Redis',
    metrics: {
      connected_clients: b('clients'),
      blocked_clients: m('clients that wait in a blocking command'),
      used_memory_mb: b('memory used'),
      used_memory_pct: m('memory used, of maxmemory; without a maxmemory it is left out'),
      ops_per_sec: b('commands per second, by its own word'),
      evicted_keys: b('keys evicted since the last scrape'),
      expired_keys: m('keys expired since the last scrape'),
      mem_fragmentation_ratio: m('resident memory ÷ memory used; below 64 MB of use it says little'),
      hit_pct: m('lookups that found their key, since the collector began; from 100 lookups on'),
      pubsub_channels: m('channels with a subscriber'),
      rejected_connections: m('connections refused (maxclients) since the last scrape'),
      keys: m('keys of all databases'),
      command_p99_ms: m('99th percentile of the slowest command, by INFO latencystats'),
      ping_ms: m('time from asking for INFO to its answer'),
    },
  },
  postgres: {
    what: 'statistics views of a PostgreSQL',
    metrics: {
      active: m('connections that run a statement'),
      active_pct: m('those, of max_connections'),
      connections: m('connections of clients'),
      connections_pct: m('those, of max_connections'),
      idle_in_transaction: m('connections that hold a transaction open and do nothing'),
      waiting: m('connections inside a statement or transaction that wait for anything but their client'),
      locks_waiting: m('locks asked for and not granted'),
      longest_transaction_s: m('age of the oldest open transaction'),
      xact_per_sec: m('transactions per second since the last scrape'),
      rollback_pct: m('rolled back, of the transactions since the last scrape'),
      cache_hit_pct: m('blocks found in memory, since the collector began; from 1,000 blocks on'),
      deadlocks: m('deadlocks since the last scrape'),
      deadlocks_total: m('deadlocks since the statistics began'),
      temp_mb: m('temporary files written since the last scrape'),
      buffers_clean: m('buffers written by the background writer since the last scrape'),
      buffers_alloc: m('buffers allocated since the last scrape'),
      slow_statements: m('statements with a mean over 1,000 ms (pg_stat_statements; left out without it)'),
      size_mb: m('size of the database'),
      query_ms: m('time that these questions took'),
    },
  },
  websocket: {
    what: 'Socket.IO, by the metrics of the realtime server',
    metrics: {
      root_connections: b('sockets in /'),
      chat_connections: b('sockets in /chat'),
      streaming_connections: b('sockets in /streaming'),
      connections: m('transport connections'),
      chat_msg_per_sec: b('chat messages taken per second since the last scrape'),
      chat_delivery_p95_ms: m('taking a message → writing it to its room, 95th percentile since the last scrape'),
      viewers: m('viewers in all rooms'),
      room_viewers_peak: m('viewers in the biggest room so far'),
      viewer_joins: m('viewers that joined since the last scrape'),
      viewer_leaves: m('viewers that left since the last scrape'),
      refused_pct: m('handshakes refused, of those since the last scrape'),
    },
  },
  media: {
    what: 'video, by the metrics of the media server',
    metrics: {
      viewers: m('viewers of all protocols'),
      publishers: m('publishers'),
      send_kbps: m('sent to viewers since the last scrape'),
      recv_kbps: m('received from publishers since the last scrape'),
      dropped_packets: m('packets not sent to viewers over their bound, since the last scrape'),
      skips: m('times a slow viewer was put to the next keyframe, since the last scrape'),
      viewer_ends: m('viewers gone since the last scrape'),
      hls_held: m('HLS requests that wait for a part or a list'),
      gop_cache_frames: m('packets kept for joiners'),
    },
  },
  api: {
    what: 'HTTP, by `http_request_duration_seconds` of a server; percentiles since the last scrape, by its buckets',
    metrics: {
      req_per_sec: m('requests per second'),
      p50_ms: m('answer time, median'),
      p95_ms: m('answer time, 95th percentile'),
      p99_ms: m('answer time, 99th percentile'),
      error_5xx_pct: m('answers 500 to 599 of the requests since the last scrape'),
    },
  },
  node: {
    what: 'a Node.js process, by the default metrics of prom-client',
    metrics: {
      event_loop_lag_ms: m('delay of the event loop, mean since it was last asked by anybody'),
      event_loop_lag_p99_ms: m('delay of the event loop, 99th percentile'),
      heap_used_mb: m('heap used'),
      heap_total_mb: m('heap reserved'),
      external_mb: m('memory outside the heap'),
      cpu_pct: m('CPU since the last scrape; 100 is one core'),
      mem_mb: m('resident memory'),
      fds: m('open file descriptors'),
      handles: m('open handles: sockets, timers, files'),
      bugs: m('broken invariants met; 0 in every healthy run'),
      uptime_s: m('time since the process began'),
    },
  },
  health: {
    what: 'an address that says whether the platform is ready',
    metrics: {
      status: m('status of the answer'),
      ready: m('1 when it was 200'),
      response_ms: m('time to the answer'),
    },
  },
  lab: {
    what: "the lab's own virtual users",
    metrics: {
      viewers: m('virtual viewers at work'),
      room_members: m('virtual members in the room'),
    },
  },
  'viewer-count': {
    what: 'how far the three counts of viewers are apart; each from the scrapes of the same moment',
    metrics: {
      viewers_lab: m("the lab's own viewers"),
      viewers_media: m('viewers by the media server'),
      viewers_delta_pct: m('those two, difference of the larger'),
      room_lab: m("the lab's own members of the room"),
      room_realtime: m('viewers by the realtime server'),
      room_delta_pct: m('those two, difference of the larger'),
      sockets_delta_pct: m('viewers by the realtime server and its sockets in /streaming, difference of the larger'),
      delta_pct: m('the largest of these differences'),
    },
  },
  collectors: {
    what: 'what collecting itself costs',
    metrics: {
      scrapes: m('scrapes since the last line'),
      gaps: m('scrapes without figures since the last line'),
      late_ms_max: m('how late the latest of them began'),
      took_ms_max: m('how long the longest took'),
      took_ms_sum: m('how long all of them took; they overlap'),
      thread_cpu_pct: m("CPU of the thread they run in, the rest of the lab's work there included: an upper bound"),
    },
  },
} as const satisfies Readonly<Record<string, CollectorEntry>>;

/** Names of collectors. */
export type CollectorKind = keyof typeof SAMPLE_METRICS;

function m(meaning: string): SampleMetric {
  return { meaning };
}

function b(meaning: string): SampleMetric {
  return { meaning, b: true };
}
