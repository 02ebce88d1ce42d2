import { Counter, createSealer, Gauge, Histogram, type Logger, type Registry } from '@showfloor/service-kit';
import { sql } from 'kysely';
import { RELEASE_LINES_MAX, releaseExpired } from '../carts/release-holds.ts';
import type { Database } from '../database/database.ts';
import { OutboxRelay } from '../outbox/relay.ts';
import { runExclusive } from '../outbox/run-exclusive.ts';
import type { PaymentProvider } from '../payments/payment-provider.ts';
import { reconcilePayments } from '../payments/reconcile-payments.ts';
import { carryOutRestreamWishes } from '../restream/restream-wishes.ts';
import { endAbandonedShows } from '../shows/end-abandoned.ts';
import { MissingStreams } from '../shows/missing-streams.ts';
import { carryOutCuts } from '../shows/publisher-cuts.ts';
import { cleanUp } from './clean-up.ts';
import { type PeriodicJob, runPeriodically } from './periodic-job.ts';

export type CommerceJobsOptions = {
  readonly database: Database;
  readonly databaseUrl: string;
  readonly provider: PaymentProvider;
  readonly realtimeUrl: string;
  readonly mediaAdminUrl: string;
  readonly webhookSecret: string;
  /** Opens the keys of restream targets. */
  readonly storageSecret: string;
  readonly registry: Registry;
  readonly log: Logger;
};

const SECOND_MS = 1_000;

/**
 * Everything commerce does without being asked: frees holds, relays the outbox, finishes payments, ends abandoned shows,
 * cuts publishers, tells of restream targets, cleans up. Safe to run in several processes. The caller closes it; closing waits for what is under way.
 */
export function startCommerceJobs(options: CommerceJobsOptions): { readonly close: () => Promise<void> } {
  const { log } = options;
  const stop = new AbortController();
  const metrics = jobMetrics(options.registry);
  const running = [
    ...periodicJobs(options).map((job) => runPeriodically(job, log, metrics, stop.signal)),
    relayOutbox(options, stop.signal),
  ];
  return {
    close: async () => {
      stop.abort();
      await Promise.all(running);
    },
  };
}

function periodicJobs(options: CommerceJobsOptions): PeriodicJob[] {
  const { database, provider, mediaAdminUrl, log, registry } = options;
  const sealer = createSealer(options.storageSecret);
  const db = database.kysely;
  const lag = new Histogram({
    name: 'commerce_hold_expiry_lag_seconds',
    help: 'From the end of a hold to its units being available again',
    buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30],
    registers: [registry],
  });
  const unsettled = new Gauge({
    name: 'commerce_unsettled_payments',
    help: 'Payments whose outcome is not known yet, or that are due for refund',
    registers: [registry],
  });
  const refundsStillDue = new Counter({
    name: 'commerce_refunds_still_due_total',
    help: 'Attempts to give money back that did not work; each is made again',
    registers: [registry],
  });
  const missingStreams = new MissingStreams({ db, mediaAdminUrl });
  return [
    {
      name: 'hold_expiry',
      everyMs: SECOND_MS,
      run: async () => {
        const freed = await releaseExpired(db);
        for (const { lagMs } of freed) lag.observe(lagMs / 1000);
        return freed.length >= RELEASE_LINES_MAX;
      },
    },
    {
      name: 'payment_reconciliation',
      everyMs: SECOND_MS,
      run: async () => {
        await reconcilePayments({ db, provider, log, refundsStillDue });
        const { rows } = await sql<{ n: number }>`
          select count(*) as n from payments where status in ('processing', 'refund_due')`.execute(db);
        unsettled.set(rows[0]?.n ?? 0);
        return false;
      },
    },
    {
      name: 'abandoned_shows',
      everyMs: SECOND_MS,
      run: async () => {
        for (const playbackId of await endAbandonedShows(db, Date.now())) log.info({ playbackId }, 'show.abandoned');
        return false;
      },
    },
    {
      name: 'missing_streams',
      everyMs: 5 * SECOND_MS,
      run: async () => {
        for (const playbackId of await missingStreams.check(Date.now()))
          log.warn({ playbackId }, 'show.stream_missing');
        return false;
      },
    },
    {
      name: 'publisher_cuts',
      everyMs: SECOND_MS / 2,
      run: () => carryOutCuts({ db, mediaAdminUrl, log }),
    },
    {
      name: 'restream_plans',
      everyMs: SECOND_MS / 2,
      run: () => carryOutRestreamWishes({ db, sealer, mediaAdminUrl, log }),
    },
    {
      name: 'clean_up',
      everyMs: 600 * SECOND_MS,
      run: () => cleanUp(db),
    },
  ];
}

function relayOutbox(options: CommerceJobsOptions, signal: AbortSignal): Promise<void> {
  const { database, databaseUrl, realtimeUrl, webhookSecret, registry, log } = options;
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers: [registry] });
  const relay = new OutboxRelay({
    db: database.kysely,
    realtimeUrl,
    webhookSecret,
    log,
    delivered: counter('outbox_delivered_total', 'Events the realtime plane has taken'),
    failed: counter('outbox_failed_deliveries_total', 'Attempts that were refused or did not arrive'),
    deadLetters: counter('outbox_dead_letters_total', 'Events given up on; they stay in the table'),
    coalesceFailures: counter('outbox_coalesce_failures_total', 'Passes that could not delete superseded stock levels'),
    waiting: new Gauge({
      name: 'outbox_waiting_events',
      help: 'Events read in the last pass (at most 500)',
      registers: [registry],
    }),
    delay: new Histogram({
      name: 'outbox_delay_seconds',
      help: 'From the write of an event to the start of its pass',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300],
      registers: [registry],
    }),
  });
  return runExclusive(
    { url: databaseUrl, log, onNotify: () => relay.wake(), work: (working) => relay.run(working) },
    signal,
  );
}

function jobMetrics(registry: Registry) {
  return {
    runs: new Counter({
      name: 'job_runs_total',
      help: 'Runs of background jobs',
      labelNames: ['job', 'outcome'] as const,
      registers: [registry],
    }),
    lastSuccess: new Gauge({
      name: 'job_last_success_timestamp_seconds',
      help: 'When the job last ended well',
      labelNames: ['job'] as const,
      registers: [registry],
    }),
  };
}
