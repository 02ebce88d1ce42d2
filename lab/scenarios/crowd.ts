/** Viewers of a crowd by their ways of watching, and which criteria then have something to judge. */
import type { Criterion, Group, VideoAbility } from '../src/index.ts';

type Timing = Group['timing'];

/** Of those who do not watch by LL-HLS (T-55, 2.2 S1 step 4). */
const CLASSIC_SHARE = 0.7;

/** How many watch in which way. */
export type Mix = Readonly<Record<VideoAbility, number>>;

/** 70 % by classic HLS and 30 % by FLV; a share of all (0 to 1) takes LL-HLS instead, in equal parts from both (Readings 14). */
export function mixOf(viewers: number, llhlsShare: number): Mix {
  const llhls = Math.round(viewers * Math.min(1, Math.max(0, llhlsShare)));
  const hls = Math.round((viewers - llhls) * CLASSIC_SHARE);
  return { flv: viewers - llhls - hls, hls, llhls };
}

/** One group per way in which anybody watches. `sampleEvery`: who reads whole media. */
export function viewerGroups(
  mix: Mix,
  timing: (viewers: number) => Timing,
  options: { readonly sampleEvery: number; readonly recordEvery?: number } = { sampleEvery: 10, recordEvery: 100 },
): Record<string, Group> {
  const groups: readonly (readonly [string, number, Group])[] = [
    [
      'flv-viewers',
      mix.flv,
      { actor: 'flv-viewer', timing: timing(mix.flv), options: { profile: 'mpegts.js', ...options } },
    ],
    [
      'hls-viewers',
      mix.hls,
      { actor: 'hls-viewer', timing: timing(mix.hls), options: { profile: 'hls.js', mode: 'classic', ...options } },
    ],
    [
      'llhls-viewers',
      mix.llhls,
      {
        actor: 'hls-viewer',
        timing: timing(mix.llhls),
        options: { profile: 'hls.js', mode: 'low-latency', ...options },
      },
    ],
  ];
  return Object.fromEntries(groups.filter(([, viewers]) => viewers > 0).map(([name, , group]) => [name, group]));
}

/**
 * Without those about a way in which nobody of this crowd watches: nobody is there to judge it. That 99 % get a picture takes 300
 * tries to show: everybody together makes them, the fewest by one way need not, so for single ways it is advisory.
 */
export function watchedBy(mix: Mix, criteria: readonly Criterion[]): readonly Criterion[] {
  const isJudgedTogether = criteria.some(({ id }) => id === TOGETHER);
  return criteria
    .filter(({ needs }) => needs === undefined || mix[needs] > 0)
    .map((one) =>
      isJudgedTogether && one.id !== TOGETHER && one.id.endsWith(START) ? { ...one, isMandatory: false } : one,
    );
}

const START = 'start-success';
const TOGETHER = 'all-start-success';
