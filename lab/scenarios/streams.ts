import type { Scenario } from '../src/index.ts';
import { PLAYBACK_CRITERIA } from './criteria/kpis.ts';
import { PUBLISH_CRITERIA } from './criteria/publish.ts';
import { viewerGroups, watchedBy } from './crowd.ts';

const STREAMS = 100;
/** FLV, HLS and LL-HLS viewers of each stream. */
const EACH = { flv: 2, hls: 2, llhls: 1 } as const;
const MINUTE_MS = 60_000;

const MIX = { flv: STREAMS * EACH.flv, hls: STREAMS * EACH.hls, llhls: STREAMS * EACH.llhls };

/**
 * Many shows at once, few viewers each (T-236, Readings 39): the strategy knew one stream. The lab publishes them all: name
 * where with `--seller` or `--rtmp`. `--viewers` scales both, so that each stream keeps its five.
 */
export const scenario: Scenario = {
  name: 'streams',
  purpose: 'A hundred sellers are live at once, each with five viewers, for ten minutes.',
  durationMs: 10 * MINUTE_MS,
  viewers: MIX.flv + MIX.hls + MIX.llhls,
  publishers: { streams: STREAMS },
  groups: viewerGroups(MIX, (vus) => ({ executor: 'constant-vus', vus, arriveOverMs: MINUTE_MS })),
  criteria: [...watchedBy(MIX, PLAYBACK_CRITERIA), ...PUBLISH_CRITERIA],
};
