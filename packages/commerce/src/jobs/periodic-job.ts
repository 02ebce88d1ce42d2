import { setTimeout as sleep } from 'node:timers/promises';
import type { Counter, Gauge, Logger } from '@showfloor/service-kit';

export type PeriodicJob = {
  readonly name: string;
  readonly everyMs: number;
  /** Resolves with true when there is more to do at once. */
  readonly run: () => Promise<boolean>;
};
export type JobMetrics = {
  readonly runs?: Counter<'job' | 'outcome'>;
  readonly lastSuccess?: Gauge<'job'>;
};

/** Runs the job again and again until the signal aborts. A failed run is counted and logged once per row of failures. */
export async function runPeriodically(
  job: PeriodicJob,
  log: Logger,
  metrics: JobMetrics,
  signal: AbortSignal,
): Promise<void> {
  let isFailing = false;
  while (!signal.aborted) {
    let isMore = false;
    try {
      isMore = await job.run();
      metrics.runs?.inc({ job: job.name, outcome: 'done' });
      metrics.lastSuccess?.set({ job: job.name }, Date.now() / 1000);
      if (isFailing) log.info({ job: job.name }, 'job.recovered');
      isFailing = false;
    } catch (error) {
      metrics.runs?.inc({ job: job.name, outcome: 'failed' });
      if (!isFailing) log.warn({ err: error, job: job.name }, 'job.failed');
      isFailing = true;
    }
    if (!isMore) await sleep(job.everyMs, undefined, { signal }).catch(() => undefined);
  }
}
