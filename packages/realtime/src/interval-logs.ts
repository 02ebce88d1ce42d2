import type { Logger } from '@showfloor/service-kit';

const INTERVAL_MS = 10_000;

/** One line per interval in which the figures changed, instead of a line per connection. The caller clears the timer. */
export function logChanges(log: Logger, event: string, read: () => object): NodeJS.Timeout {
  let last = '';
  const timer = setInterval(() => {
    const figures = read();
    if (JSON.stringify(figures) === last) return;
    last = JSON.stringify(figures);
    log.info(figures, event);
  }, INTERVAL_MS);
  return timer.unref();
}

/** Repeated warnings: the first at once, the rest as a number per interval with the details of the last. */
export function countPerInterval(log: Logger, event: string): { count: (details: object) => void; close: () => void } {
  let repeated = 0;
  let lastDetails: object = {};
  let timer: NodeJS.Timeout | null = null;
  const report = (): void => {
    timer = null;
    if (repeated > 0) log.warn({ ...lastDetails, repeated }, event);
    repeated = 0;
  };
  return {
    count: (details) => {
      if (timer === null) {
        log.warn(details, event);
        timer = setTimeout(report, INTERVAL_MS).unref();
        return;
      }
      repeated += 1;
      lastDetails = details;
    },
    close: () => {
      if (timer !== null) clearTimeout(timer);
      report();
    },
  };
}
