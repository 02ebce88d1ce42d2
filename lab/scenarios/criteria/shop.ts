/** What a shopper sees, and what no shopper may ever see. */
import type { Criterion } from '../../src/index.ts';

const MANDATORY = { isMandatory: true } as const;

/** What a shopper sees, and what no shopper may ever see. */
export const SHOP_CRITERIA: readonly Criterion[] = [
  {
    ...MANDATORY,
    id: 'api-errors',
    title: 'API errors',
    meaning: '5xx, time-outs, broken connections and unexpected refusals. Sold out and rate limits are not errors.',
    source: '2.2 S2 (T-68), Readings 12',
    plane: 'commerce',
    measure: { kind: 'count', metric: 'api_errors_total', outOf: 'api_requests_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 5,
  },
  {
    ...MANDATORY,
    id: 'api-error-rate',
    title: 'Share of API requests with an error',
    meaning: '5xx, time-outs, broken connections and unexpected refusals, out of all requests.',
    source: '5.1 #9 (T-207), 1.4 (T-33), Readings 12',
    gate: 'M9',
    plane: 'commerce',
    measure: { kind: 'ratio', numerator: 'api_errors_total', denominator: 'api_requests_total' },
    op: '<',
    limit: 1,
    unit: 'percent',
    during: 'run',
    samplesMin: 5,
  },
  apiLatency('read', 95, 500),
  apiLatency('write', 95, 1000),
  apiLatency('read', 99, 1000),
  apiLatency('write', 99, 2000),
  {
    isMandatory: false,
    id: 'api-p95',
    title: 'API reads and writes together, p95',
    meaning: 'The joint figure that the gate names; reads and writes decide on their own.',
    source: '5.1 #10 (T-208), Readings 11',
    plane: 'commerce',
    measure: { kind: 'percentile', metric: 'api_ms', percentile: 95 },
    op: '<',
    limit: 500,
    unit: 'ms',
    during: 'run',
    samplesMin: 5,
  },
  zeroTolerance(
    'oversold',
    'Units sold that were not there',
    'oversold_units_total',
    'shop_units_checked_total',
    'bar C1',
  ),
  zeroTolerance('negative-stock', 'Stock shown below zero', 'negative_stock_total', 'shop_stock_reads_total', 'bar R6'),
  zeroTolerance(
    'duplicate-orders',
    'Orders placed twice',
    'duplicate_orders_total',
    'orders_rechecked_total',
    'bar C5',
  ),
  zeroTolerance('cart-total', 'Carts with a wrong total', 'cart_total_mismatches_total', 'shop_carts_total', 'qoe 2.5'),
  {
    isMandatory: false,
    id: 'orders-undecided',
    title: 'Orders left undecided',
    meaning: 'Neither paid nor refused after the shopper asked many times with the same key.',
    source: 'bar C5',
    plane: 'commerce',
    measure: { kind: 'count', metric: 'orders_undecided_total', outOf: 'checkouts_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
  },
];

function apiLatency(kind: 'read' | 'write', percentile: 95 | 99, limit: number): Criterion {
  return {
    isMandatory: percentile === 95,
    id: `api-${kind}-p${percentile}`,
    title: `API ${kind}s, p${percentile}`,
    meaning: 'From the moment the request was planned until its answer was whole.',
    source: percentile === 95 ? '1.4 (T-34), 5.1 #10 (T-208), Readings 11' : '1.4 (T-35), Readings 11',
    ...(percentile === 95 ? { gate: 'M10' as const } : {}),
    plane: 'commerce',
    measure: { kind: 'percentile', metric: 'api_ms', percentile, where: { kind } },
    op: '<',
    limit,
    unit: 'ms',
    during: 'run',
    samplesMin: 5,
  };
}

function zeroTolerance(id: string, title: string, metric: string, outOf: string, source: string): Criterion {
  return {
    ...MANDATORY,
    id,
    title,
    meaning: 'Zero tolerance: one is too many.',
    source,
    plane: 'commerce',
    measure: { kind: 'count', metric, outOf },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
  };
}
