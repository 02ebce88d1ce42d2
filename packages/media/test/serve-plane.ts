/**
 * The plane as a process of its own, so that what is measured of it is not its viewers'. Over IPC it tells its ports first, then
 * for each message what it holds. Ends with its parent.
 */
import { metricOf, PlaneUnderTest } from './plane-under-test.ts';

/** What the process says first. */
export type ServedAt = Readonly<{ rtmpPort: number; httpPort: number }>;

/** What it says to each message. */
export type ServerSample = Readonly<{
  rssBytes: number;
  viewers: number;
  /** Largest queue of a viewer in this process; the kernel's is not in it. */
  backlogMaxBytes: number;
  skips: number;
  stuck: number;
}>;

const floor = await PlaneUnderTest.start({ viewerLimits: { stuckMsMax: 8_000 }, merge: 'packet' });
process.on('disconnect', () => process.exit());
process.on('message', () => {
  floor.metricsText().then((text) => {
    const viewers = floor.plane.viewers();
    const sample: ServerSample = {
      rssBytes: process.memoryUsage.rss(),
      viewers: viewers.length,
      backlogMaxBytes: Math.max(0, ...viewers.map(({ backlogBytes }) => backlogBytes)),
      skips: metricOf(text, 'media_subscriber_skips_total'),
      stuck: metricOf(text, 'media_subscriber_ends_total'),
    };
    process.send?.(sample);
  }, console.error);
});
process.send?.({ rtmpPort: floor.plane.rtmpPort, httpPort: floor.plane.httpPort } satisfies ServedAt);
