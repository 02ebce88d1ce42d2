/** Asks an address whether the platform is ready. An answer that is not 200 is a figure; no answer at all is a gap. */
import { monotonicMs } from '../clock.ts';
import type { Collector } from './collector.ts';
import { get } from './http-get.ts';

const STATUS_OK = 200;

/** `url`: e.g. `/api/health/ready`. */
export function healthCollector(source: string, url: URL): Collector {
  return {
    collector: 'health',
    source,
    secrets: [decodeURIComponent(url.password), url.search],
    scrape: async (signal) => {
      const askedAtMs = monotonicMs();
      const { status } = await get(url, signal);
      return [{ metrics: { status, ready: status === STATUS_OK ? 1 : 0, response_ms: monotonicMs() - askedAtMs } }];
    },
  };
}
