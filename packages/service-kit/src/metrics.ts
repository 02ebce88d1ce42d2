import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { bugsTotal } from './assert.ts';
import { droppedLogLines } from './log.ts';

export { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** A registry with the process's own figures (CPU, memory, event-loop delay, GC) and `bugs_total`. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'bugs_total',
    help: 'Broken invariants met by this process; 0 in every healthy run',
    registers: [registry],
    collect() {
      this.set(bugsTotal());
    },
  });
  new Gauge({
    name: 'log_lines_dropped_total',
    help: 'Log lines that found no reader',
    registers: [registry],
    collect() {
      this.set(droppedLogLines());
    },
  });
  return registry;
}

/** `http_request_duration_seconds` by method, route pattern and status. Routes are patterns, never raw paths. */
export function httpDurationHistogram(registry: Registry): Histogram<'method' | 'path' | 'status'> {
  return new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from request to the end of the answer',
    labelNames: ['method', 'path', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    registers: [registry],
  });
}
