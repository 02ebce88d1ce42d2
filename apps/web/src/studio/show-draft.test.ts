import type { ShowSummary } from '@showfloor/protocol';
import { describe, expect, test } from 'vitest';
import { draftOfShow, EMPTY_SHOW, newShowOf, showPatchOf } from './show-draft.ts';

const SIX_THIRTY_MS = new Date(2026, 2, 1, 18, 30).getTime();
const show: ShowSummary = {
  id: '00000000-0000-4000-8000-000000000001',
  playbackId: 'pottery',
  title: 'Friday pottery',
  description: 'Glazes',
  status: 'scheduled',
  sellerName: 'Ada',
  posterUrl: null,
  scheduledAtMs: SIX_THIRTY_MS + 12_345,
  startedAtMs: null,
};

describe('a new show', () => {
  test('has a title, and a date when one is given, in the seller’s time zone', () => {
    expect(newShowOf({ ...EMPTY_SHOW, title: ' ' })).toBeNull();
    expect(newShowOf({ ...EMPTY_SHOW, title: ' Friday ' })).toEqual({ title: 'Friday' });
    expect(newShowOf({ title: 'Friday', description: ' Glazes ', scheduledAt: '2026-03-01T18:30' })).toEqual({
      title: 'Friday',
      description: 'Glazes',
      scheduledAtMs: SIX_THIRTY_MS,
    });
  });
});

describe('editing a show', () => {
  test('shows its date to the minute, and leaves the seconds alone', () => {
    expect(draftOfShow(show).scheduledAt).toBe('2026-03-01T18:30');
    expect(showPatchOf(draftOfShow(show), show)).toBeNull();
  });

  test.each([
    [{ title: 'Saturday pottery' }, { title: 'Saturday pottery' }],
    [{ title: ' ' }, null],
    [{ description: '' }, { description: '' }],
    [{ scheduledAt: '' }, { scheduledAtMs: null }],
    [{ scheduledAt: '2026-03-01T18:31' }, { scheduledAtMs: SIX_THIRTY_MS + 60_000 }],
  ])('%o sends %o', (change, patch) => {
    expect(showPatchOf({ ...draftOfShow(show), ...change }, show)).toEqual(patch);
  });
});
