import type { NewShow, ShowPatch, ShowSummary } from '@showfloor/protocol';

/** A show as it is being typed. */
export type ShowDraft = {
  readonly title: string;
  readonly description: string;
  /** As a `datetime-local` field has it: `2026-03-01T18:30`, in the seller's time zone; empty: no date. */
  readonly scheduledAt: string;
};

export const EMPTY_SHOW: ShowDraft = { title: '', description: '', scheduledAt: '' };

/** What the field for the date takes. */
export const SHOW_DATE_MIN = '2000-01-01T00:00';
export const SHOW_DATE_MAX = '2999-12-31T23:59';

export function draftOfShow({ title, description, scheduledAtMs }: ShowSummary): ShowDraft {
  return { title, description, scheduledAt: scheduledAtMs === null ? '' : localMinute(scheduledAtMs) };
}

/** The request for a new show, or null while it has no title. */
export function newShowOf(draft: ShowDraft): NewShow | null {
  const title = draft.title.trim();
  const description = draft.description.trim();
  const scheduledAtMs = wallMsOf(draft.scheduledAt);
  if (title === '') return null;
  return {
    title,
    ...(description === '' ? {} : { description }),
    ...(scheduledAtMs === null ? {} : { scheduledAtMs }),
  };
}

/** What the draft changes of a show; null when nothing. A title cannot be taken away, a date can. */
export function showPatchOf(draft: ShowDraft, show: ShowSummary): ShowPatch | null {
  const title = draft.title.trim();
  const description = draft.description.trim();
  const isSameDate = draft.scheduledAt === draftOfShow(show).scheduledAt; // to the minute: seconds stay as they are
  const patch: ShowPatch = {
    ...(title === '' || title === show.title ? {} : { title }),
    ...(description === show.description ? {} : { description }),
    ...(isSameDate ? {} : { scheduledAtMs: wallMsOf(draft.scheduledAt) }),
  };
  return Object.keys(patch).length === 0 ? null : patch;
}

function wallMsOf(localMinuteText: string): number | null {
  const wallMs = new Date(localMinuteText).getTime(); // without a zone: the local one
  return Number.isNaN(wallMs) ? null : wallMs;
}

function localMinute(wallMs: number): string {
  const at = new Date(wallMs);
  const two = (part: number): string => String(part).padStart(2, '0');
  const date = `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date}T${two(at.getHours())}:${two(at.getMinutes())}`;
}
