/**
 * The rules of HTTP Live Streaming that a low-latency origin is held to, as data. Sections are those of
 * draft-pantos-hls-rfc8216bis. `must` is an error for players; `should` costs latency or robustness.
 */
export const HLS_RULES = {
  'playlist.parses': {
    level: 'must',
    section: '4.1',
    text: 'begins with #EXTM3U and every tag has its required attributes',
  },
  'playlist.other-parser': {
    level: 'must',
    section: '4.1',
    text: 'is read by an independent parser with the same segments',
  },
  'playlist.version': { level: 'must', section: '8', text: 'declares a version that covers its tags' },
  'playlist.content-type': {
    level: 'must',
    section: '4',
    text: 'is served as application/vnd.apple.mpegurl or audio/mpegurl',
  },
  'target-duration.covers': {
    level: 'must',
    section: '4.4.3.1',
    text: 'no segment rounds to more than the target duration',
  },
  'target-duration.constant': { level: 'must', section: '4.4.3.1', text: 'the target duration never changes' },
  'part-target.covers': { level: 'must', section: '4.4.3.7', text: 'no part is longer than the part target' },
  'part-target.filled': {
    level: 'must',
    section: '4.4.4.9',
    text: 'every part but the last of its segment is at least 85 % of the part target',
  },
  'part-target.constant': { level: 'must', section: '4.4.3.7', text: 'the part target never changes' },
  'hold-back.part': {
    level: 'must',
    section: '4.4.3.8',
    text: 'PART-HOLD-BACK is there with parts and at least twice the part target',
  },
  'hold-back.part-three': {
    level: 'should',
    section: '4.4.3.8',
    text: 'PART-HOLD-BACK is at least three times the part target',
  },
  'hold-back.segment': {
    level: 'must',
    section: '4.4.3.8',
    text: 'HOLD-BACK is at least three times the target duration',
  },
  'parts.recent-only': {
    level: 'should',
    section: '4.4.4.9',
    text: 'parts older than three target durations from the end are removed',
  },
  'parts.sum': { level: 'must', section: '4.4.4.9', text: 'the parts of a segment add up to its duration' },
  'parts.independent': {
    level: 'must',
    section: '4.4.4.9',
    text: 'a part marked INDEPENDENT begins with a sync sample',
  },
  'parts.media-duration': { level: 'must', section: '4.4.4.9', text: 'a part lasts as long as it says' },
  'parts.equal-segment': {
    level: 'must',
    section: '4.4.4.9',
    text: 'the parts of a segment, put together, are the segment',
  },
  'window.long-enough': {
    level: 'must',
    section: '6.2.2',
    text: 'segments are only removed while the list still spans three target durations',
  },
  'map.present': { level: 'must', section: '4.4.4.5', text: 'fMP4 segments have an EXT-X-MAP' },
  'preload-hint.present': { level: 'should', section: '4.4.5.3', text: 'a low-latency list hints at its next part' },
  'preload-hint.kept': {
    level: 'must',
    section: '4.4.5.3',
    text: 'what was hinted becomes the next part, or is a hint still',
  },
  'date-time.present': {
    level: 'must',
    section: '4.4.4.6',
    text: 'segments of a low-latency list carry PROGRAM-DATE-TIME',
  },
  'date-time.runs': {
    level: 'should',
    section: '4.4.4.6',
    text: 'PROGRAM-DATE-TIME advances with the segments, unless a discontinuity says otherwise',
  },
  'sequence.no-regression': { level: 'must', section: '4.4.3.2', text: 'the media sequence number never decreases' },
  'sequence.same-number-same-segment': {
    level: 'must',
    section: '6.2.1',
    text: 'a media sequence number keeps its URI, duration and discontinuity',
  },
  'sequence.only-appended': {
    level: 'must',
    section: '6.2.1',
    text: 'segments are removed at the front and added at the end, none is skipped',
  },
  'sequence.discontinuity': {
    level: 'must',
    section: '4.4.3.3',
    text: 'the discontinuity sequence counts what left the list',
  },
  'sequence.parts-kept': { level: 'must', section: '6.2.1', text: 'a listed part keeps its URI and duration' },
  'sequence.nothing-after-end': {
    level: 'must',
    section: '4.4.3.4',
    text: 'a list with EXT-X-ENDLIST does not change',
  },
  'block.contains': {
    level: 'must',
    section: '6.2.5.2',
    text: 'a blocking request is answered with a list that holds what it asked for',
  },
  'block.in-time': {
    level: 'should',
    section: '6.2.5.2',
    text: 'a blocking request is answered within a part and a half of its expected time',
  },
  'block.refuses-far': {
    level: 'should',
    section: '6.2.5.2',
    text: 'a request for more than two segments ahead is refused with 400',
  },
  'object.available': { level: 'must', section: '6.2.2', text: 'whatever is listed can be fetched' },
  'object.hint-served': {
    level: 'must',
    section: '6.2.6',
    text: 'a request for the hinted part is answered when the part exists',
  },
  'media.timeline': { level: 'must', section: '3', text: 'decode times continue from part to part on each track' },
  'media.segment-duration': { level: 'must', section: '4.4.4.1', text: 'a segment lasts as long as it says' },
  'master.codecs': {
    level: 'should',
    section: '4.4.6.2',
    text: 'each variant names CODECS, and they are those of its init segment',
  },
  'master.bandwidth': {
    level: 'must',
    section: '4.4.6.2',
    text: 'each variant has BANDWIDTH, no segment needs more than 110 % of it',
  },
  'master.resolution': {
    level: 'should',
    section: '4.4.6.2',
    text: 'a variant with video names RESOLUTION, and it is that of its init segment',
  },
  'http.cache-playlist': {
    level: 'should',
    section: 'B.1',
    text: 'a plain live list may be cached for half a target duration at most',
  },
  'http.cache-media': { level: 'should', section: 'B.1', text: 'segments and parts may be cached' },
  'http.cors': { level: 'should', section: 'B.1', text: 'every answer allows other origins' },
  'http.head': { level: 'should', section: 'B.1', text: 'HEAD is answered like GET, without a body' },
} as const satisfies Readonly<Record<string, HlsRule>>;

/** One rule of the table. */
export type HlsRule = Readonly<{ level: 'must' | 'should'; section: string; text: string }>;

export type HlsRuleId = keyof typeof HLS_RULES;

/** One breach: which rule, and what was seen. */
export type Finding = Readonly<{ rule: HlsRuleId; detail: string }>;

/** Collects breaches and how often each rule was looked at: a rule that was never looked at is not held. */
export class RuleBook {
  readonly findings: Finding[] = [];
  readonly #checked = new Map<HlsRuleId, number>();

  /** Looks at a rule once. `detail` is only asked for when it is broken. */
  hold(rule: HlsRuleId, isHeld: boolean, detail: () => string): void {
    this.#checked.set(rule, (this.#checked.get(rule) ?? 0) + 1);
    if (!isHeld && this.findings.length < FINDINGS_MAX) this.findings.push({ rule, detail: detail() });
  }

  /** How often a rule was looked at. */
  checksOf(rule: HlsRuleId): number {
    return this.#checked.get(rule) ?? 0;
  }

  /** Breaches of rules of one level. */
  breaches(level: HlsRule['level']): Finding[] {
    return this.findings.filter(({ rule }) => HLS_RULES[rule].level === level);
  }
}

/** A broken origin breaks the same rule again and again: more than this is not kept. */
const FINDINGS_MAX = 1_000;
