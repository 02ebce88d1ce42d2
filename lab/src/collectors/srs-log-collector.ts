/**
 * What the log of SRS says: dropped frames, clients gone, publishers that fell silent (strategy 3.4). Patterns are data; they
 * are tested on recorded lines, SRS itself is not run by this repository's tests.
 */
import { monotonicMs } from '../clock.ts';
import type { Collector, Reading } from './collector.ts';
import { MinuteWindow } from './minute-window.ts';
import { TailedFile } from './tailed-file.ts';

/**
 * By metric; a number that a pattern catches counts so many. SRS 3 to 6 write `client disconnect peer. ret=1007`,
 * `shrinking, size=0, removed=1031, max=10000ms` when a viewer's queue is over its bound, and
 * `rtmp: publish timeout 5000ms, nb_msgs=3`. The strategy asks for `drop frame`.
 */
export const SRS_LOG_PATTERNS = {
  frame_drops_per_min: /\bdrop(?:ped)? frames?\b|\bshrinking\b.*\bremoved=(\d+)/,
  disconnects_per_min: /\bdisconnect peer\b/,
  publish_timeouts_per_min: /\bpublish timeout\b|\brecv publish message failed\b/,
} as const;

/** `path`: SRS's log file. Counts of the last minute; before a minute has passed, of what there is. */
export function srsLogCollector(source: string, path: string): Collector {
  const file = new TailedFile(path);
  const minute = new MinuteWindow();
  return {
    collector: 'srs',
    source,
    scrape: async () => {
      const { lines } = await file.read();
      minute.add(monotonicMs(), countSrsLog(lines));
      const names = Object.keys(SRS_LOG_PATTERNS);
      return [{ metrics: Object.fromEntries(names.map((name) => [name, minute.sum(name)])) } satisfies Reading];
    },
    close: () => file.close(),
  };
}

/** What each pattern finds in these lines. */
export function countSrsLog(lines: readonly string[]): Record<keyof typeof SRS_LOG_PATTERNS, number> {
  const count = (pattern: RegExp): number =>
    lines.reduce((sum, line) => {
      const found = pattern.exec(line);
      return found === null ? sum : sum + Number(found[1] ?? 1);
    }, 0);
  return {
    frame_drops_per_min: count(SRS_LOG_PATTERNS.frame_drops_per_min),
    disconnects_per_min: count(SRS_LOG_PATTERNS.disconnects_per_min),
    publish_timeouts_per_min: count(SRS_LOG_PATTERNS.publish_timeouts_per_min),
  };
}
