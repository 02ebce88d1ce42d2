/** Every metric of the lab and what it means. A series whose metric is not here is a mistake; a test holds that. */

/** `trend`: distribution in ms; `counter`: sum; `gauge`: level. */
export type Metric = { readonly kind: 'trend' | 'counter' | 'gauge'; readonly meaning: string };

/** By name. */
export const METRICS: Readonly<Record<string, Metric>> = {
  vus_active: gauge('virtual users at work'),
  play_attempts_total: counter('attempts to play: one per viewer, one more after each failed start'),
  play_starts_total: counter('attempts that showed a first picture'),
  play_failures_total: counter('attempts that failed for good, before the start or during play'),
  startup_ms: trend('planned moment of pressing play → picture moves; failed starts are not in it'),
  flv_connect_ms: trend('part of startup: TCP (and TLS) connection'),
  flv_ttfb_ms: trend('part of startup: connection → head of the answer'),
  flv_first_keyframe_ms: trend('part of startup: connection opened → first keyframe'),
  stalls_total: counter('stalls: the picture stood still for longer than a frame'),
  stalls_tainted_total: counter('stalls shorter than the lag of the generator itself: not to be trusted'),
  stall_ms: trend('length of each stall that ended'),
  stalled_ms_total: counter('time spent stalled, startup not included'),
  watched_ms_total: counter('time from pressing play until leaving, with startup and stalls'),
  played_ms_total: counter('time with a moving picture'),
  media_ms_total: counter('media time played; differs from played time when the player catches up'),
  jumped_ms_total: counter('media time skipped by jumps'),
  latency_capture_ms: trend('tier A, glass to glass: capture time in the picture → picture on screen'),
  latency_ingest_ms: trend('ingest tier: media server received the picture → picture on screen'),
  latency_negative_total: counter('samples below zero, not recorded; tag: metric. A clock is ahead of the other'),
  video_bytes_total: counter('bytes of FLV received'),
  flv_tags_total: counter('FLV tags received'),
  flv_tag_gap_ms: trend('time between two media tags of one viewer'),
  flv_tag_silences_total: counter('no media tag for longer than a keyframe interval (at least 2 s)'),
  flv_accepted_silent_total: counter('connections answered with 200 that brought no media within 2 s'),
  flv_timestamp_regressions_total: counter('tags whose time lies before the previous one of the same kind'),
  flv_timestamp_gaps_total: counter('holes of more than half a second in the timestamps'),
  flv_sequence_headers_total: counter('sequence headers received: more than two per connection mean a change'),
  flv_reconnects_total: counter('connections lost and opened again'),
  flv_reconnect_ms: trend('connection lost → first keyframe of the next one'),
  socket_attempts_total: counter('attempts to connect to the room'),
  socket_failures_total: counter('connections lost or joins refused'),
  socket_connect_ms: trend('planned connection → namespace answers; tag: namespace'),
  socket_reconnect_ms: trend('connection lost → joined again'),
  room_join_ms: trend('joins sent → all acknowledged'),
  room_joins_total: counter('members who joined'),
  room_members: gauge('members in the room'),
  chat_messages_total: counter('messages sent, whatever became of them'),
  chat_sent_total: counter('messages accepted by the room'),
  chat_expected_total: counter('deliveries owed: messages that were not refused × members when they were sent'),
  chat_received_total: counter('deliveries made, each counted once'),
  chat_duplicates_total: counter('deliveries of a message that the member had already'),
  chat_inversions_total: counter('deliveries after one that came later in the room'),
  chat_refused_total: counter('messages refused as expected (rate limit)'),
  chat_errors_total: counter('messages refused for any other reason'),
  chat_unacknowledged_total: counter('messages without an acknowledgement within 10 s'),
  chat_ack_ms: trend('planned sending → acknowledgement'),
  chat_fanout_ms: trend('sending → another member has it'),
  api_requests_total: counter('API requests; tag: read or write'),
  api_errors_total: counter('5xx, time-outs, broken connections, unexpected refusals'),
  api_error_classes_total: counter('the same by class and step'),
  api_outcomes_total: counter('answers by step and outcome: ok, or an expected refusal such as insufficient_stock'),
  api_ms: trend('planned request → whole answer'),
  api_service_ms: trend('request sent → whole answer: what remains without the delay of the generator'),
  shop_visits_total: counter('visits of shoppers'),
  shop_stock_reads_total: counter('lists of products that shoppers were shown'),
  shop_carts_total: counter('carts that shoppers were shown after holding a product'),
  shop_units_checked_total: counter('units sold whose stock before the run is known'),
  shop_units_sold_total: counter('units in paid orders; tag: variant'),
  checkouts_total: counter('orders wanted; asking again for the same one is not counted'),
  orders_paid_total: counter('orders paid'),
  orders_undecided_total: counter('orders neither paid nor refused after the shopper asked many times'),
  orders_rechecked_total: counter('paid orders asked for a second time, or looked up among all orders'),
  duplicate_orders_total: counter('orders that one idempotency key made twice'),
  oversold_units_total: counter('units sold beyond the stock before the run'),
  negative_stock_total: counter('answers that showed a stock below zero'),
  cart_total_mismatches_total: counter('carts whose total is not the sum of their lines'),
  dropped_iterations_total: counter(
    'planned actions that did not happen because the previous one still ran, and arrivals without a free virtual user',
  ),
  arrivals_total: counter('arrivals of groups with an arrival rate, those that were dropped included'),
  faults_planned_total: counter('faults whose time came; tag: fault'),
  faults_verified_total: counter('faults that an independent probe saw at work'),
  fault_outage_ms: trend('fault injected → the probe finds the plane well again; at least this long when it never did'),
  recovery_ms: trend('fault healed → a picture the viewer has not seen before; 0 for who never lost it'),
  recovery_viewers_total: counter('viewers who were watching when a fault came'),
  recovery_disturbed_total: counter('those of them who were without a new picture when it was healed'),
  recovery_lost_total: counter('those of them who were not back before the next fault, or the end'),
  recovered_5s_total: counter('those of them who had a new picture at most 5 s after it was healed'),
  recovered_10s_total: counter('those of them who had a new picture at most 10 s after it was healed'),
  lab_bugs_total: counter('virtual users that broke: a bug of the lab, makes the run invalid'),
};

function trend(meaning: string): Metric {
  return { kind: 'trend', meaning };
}

function counter(meaning: string): Metric {
  return { kind: 'counter', meaning };
}

function gauge(meaning: string): Metric {
  return { kind: 'gauge', meaning };
}
