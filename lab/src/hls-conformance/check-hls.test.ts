import { expect, test } from 'vitest';
import { readMediaPlaylist } from './media-playlist.ts';
import { checkPlaylist } from './playlist-rules.ts';
import { RuleBook } from './rules.ts';
import { checkUpdate } from './sequence-rules.ts';

const HEAD = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.603,HOLD-BACK=3
#EXT-X-PART-INF:PART-TARGET=0.201
#EXT-X-MEDIA-SEQUENCE:10
#EXT-X-DISCONTINUITY-SEQUENCE:4
#EXT-X-MAP:URI="init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
`;
const WHOLE = ['10', '11', '12'].map((number) => `#EXTINF:1.000,\n${number}.m4s\n`).join('');
const PART = (name: string, seconds = 0.2): string => `#EXT-X-PART:DURATION=${seconds},URI="${name}.m4s"\n`;
const GOOD = `${HEAD}${WHOLE}${PART('13.0')}${PART('13.1')}#EXT-X-PRELOAD-HINT:TYPE=PART,URI="13.2.m4s"\n`;

function broken(text: string): string[] {
  const book = new RuleBook();
  checkPlaylist(book, readMediaPlaylist(text), text);
  return [...new Set(book.findings.map(({ rule }) => rule))];
}

test('a good low-latency list breaks no rule', () => {
  expect(broken(GOOD)).toEqual([]);
});

test.each([
  ['a list that begins with something else', GOOD.replace('#EXTM3U\n', '#EXTINF\n'), 'playlist.parses'],
  ['an attribute that is missing', GOOD.replace('DURATION=0.2,', ''), 'playlist.parses'],
  ['an old version', GOOD.replace('VERSION:9', 'VERSION:3'), 'playlist.version'],
  ['a segment over the target duration', GOOD.replace('EXTINF:1.000', 'EXTINF:1.600'), 'target-duration.covers'],
  ['a part over the part target', GOOD.replace('DURATION=0.2,', 'DURATION=0.25,'), 'part-target.covers'],
  ['a short part in the middle', GOOD.replace('DURATION=0.2,', 'DURATION=0.12,'), 'part-target.filled'],
  ['a short hold back', GOOD.replace('PART-HOLD-BACK=0.603', 'PART-HOLD-BACK=0.35'), 'hold-back.part'],
  [
    'two part targets of hold back',
    GOOD.replace('PART-HOLD-BACK=0.603', 'PART-HOLD-BACK=0.45'),
    'hold-back.part-three',
  ],
  ['two target durations of hold back', GOOD.replace(',HOLD-BACK=3', ',HOLD-BACK=2'), 'hold-back.segment'],
  ['no map', GOOD.replace('#EXT-X-MAP:URI="init.mp4"\n', ''), 'map.present'],
  ['no hint', GOOD.replace(/#EXT-X-PRELOAD.*\n/, ''), 'preload-hint.present'],
  ['no date', GOOD.replace(/#EXT-X-PROGRAM.*\n/, ''), 'date-time.present'],
  [
    'a date from arrival',
    GOOD.replace('#EXTINF:1.000,\n11', '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:01.200Z\n#EXTINF:1.000,\n11'),
    'date-time.runs',
  ],
  ['parts that do not add up', GOOD.replace('#EXTINF:1.000,\n12', `${PART('12.0')}#EXTINF:1.000,\n12`), 'parts.sum'],
])('%s is found', (_name, text, rule) => {
  expect(text).not.toBe(GOOD);
  expect(broken(text)).toContain(rule);
});

function brokenUpdate(before: string, after: string): string[] {
  const book = new RuleBook();
  checkUpdate(book, readMediaPlaylist(before), readMediaPlaylist(after));
  return [...new Set(book.findings.map(({ rule }) => rule))];
}

const NEXT = GOOD.replace(
  '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="13.2.m4s"\n',
  `${PART('13.2')}#EXT-X-PRELOAD-HINT:TYPE=PART,URI="13.3.m4s"\n`,
);
const MARKED = GOOD.replace('#EXTINF:1.000,\n11', '#EXT-X-DISCONTINUITY\n#EXTINF:1.000,\n11');

test('a list that grows by a part, or moves on by a segment, breaks no rule', () => {
  expect(brokenUpdate(GOOD, NEXT)).toEqual([]);
  expect(brokenUpdate(GOOD, GOOD)).toEqual([]);
  const whole = `${PART('13.3')}${PART('13.4')}#EXTINF:1.000,\n13.m4s\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="14.0.m4s"\n`;
  const moved = NEXT.replace('#EXT-X-PRELOAD-HINT:TYPE=PART,URI="13.3.m4s"\n', whole)
    .replace('SEQUENCE:10', 'SEQUENCE:11')
    .replace('#EXTINF:1.000,\n10.m4s\n', '');
  expect(brokenUpdate(GOOD, moved)).toEqual([]);
});

test.each([
  [
    'a target duration that changes',
    GOOD,
    GOOD.replace('TARGETDURATION:1', 'TARGETDURATION:2'),
    'target-duration.constant',
  ],
  ['a part target that changes', GOOD, GOOD.replace('PART-TARGET=0.201', 'PART-TARGET=0.301'), 'part-target.constant'],
  ['a sequence that goes back', GOOD, GOOD.replace('SEQUENCE:10', 'SEQUENCE:9'), 'sequence.no-regression'],
  ['a list that skips', GOOD, GOOD.replace('SEQUENCE:10', 'SEQUENCE:20'), 'sequence.only-appended'],
  ['a segment under another name', GOOD, GOOD.replace('11.m4s', '11b.m4s'), 'sequence.same-number-same-segment'],
  ['a part that changes', GOOD, NEXT.replace('"13.0.m4s"', '"13.x.m4s"'), 'sequence.parts-kept'],
  ['a hint for nothing', GOOD, NEXT.replace('"13.2.m4s"', '"13.two.m4s"'), 'preload-hint.kept'],
  ['a list that goes on after its end', `${GOOD}#EXT-X-ENDLIST\n`, NEXT, 'sequence.nothing-after-end'],
  [
    'a window that gets too short',
    GOOD,
    GOOD.replace('SEQUENCE:10', 'SEQUENCE:12').replace('#EXTINF:1.000,\n10.m4s\n#EXTINF:1.000,\n11.m4s\n', ''),
    'window.long-enough',
  ],
  [
    'a discontinuity that is not counted',
    MARKED,
    MARKED.replace('SEQUENCE:10', 'SEQUENCE:12').replace(/#EXTINF:1.000,\n10[\s\S]*11\.m4s\n/, ''),
    'sequence.discontinuity',
  ],
])('%s is found', (_name, before, after, rule) => {
  expect(after).not.toBe(before);
  expect(brokenUpdate(before, after)).toContain(rule);
});
