import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SAMPLE_METRICS } from './metric-names.ts';
import { sampleDocument } from './metric-table.ts';

test('lab/docs/samples.md is made of the names of metrics', async () => {
  await expect(sampleDocument()).toMatchFileSnapshot(join(import.meta.dirname, '../../docs/samples.md'));
});

test('every field of appendix B has its metric', () => {
  const container = 'cpu_pct mem_mb mem_pct net_rx_mb net_tx_mb pids';
  const fields = {
    container,
    process: 'cpu_pct mem_mb mem_pct pids',
    srs: 'clients streams recv_kbps send_kbps',
    nginx: 'req_per_sec error_4xx error_5xx rt_p50_ms rt_p95_ms rt_p99_ms',
    redis: 'connected_clients used_memory_mb ops_per_sec evicted_keys',
    websocket: 'root_connections chat_connections streaming_connections chat_msg_per_sec',
  } as const;
  for (const [collector, names] of Object.entries(fields)) {
    const { metrics } = SAMPLE_METRICS[collector as keyof typeof fields];
    const marked = Object.entries<{ b?: true }>(metrics).flatMap(([name, { b }]) => (b ? [name] : []));
    expect([collector, marked.toSorted()]).toEqual([collector, names.split(' ').toSorted()]);
  }
});
