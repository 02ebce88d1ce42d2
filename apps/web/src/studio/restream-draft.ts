import type { NewRestreamTarget, Reason, RestreamTargetPatch, RestreamTargetView } from '@showfloor/protocol';

/** As many targets as the shop takes for one show; a test holds it to the shop's own number. */
export const TARGETS_MAX = 5;
/** What the shop takes of each text; tests hold them to its schema. */
export const TARGET_NAME_CHARS_MAX = 60;
export const TARGET_TEXT_CHARS_MAX = 500;

/** A restream target as it is being typed. Of one that exists the key is empty: it never comes back. */
export type TargetDraft = { readonly name: string; readonly url: string; readonly key: string };

export type TargetField = keyof TargetDraft;

/** What is wrong with a field; the sentences are in the text resources. */
export type TargetProblem = 'required' | 'scheme' | 'application' | 'query' | 'keyChars' | 'keyPath' | 'keyAgain';

export const EMPTY_TARGET: TargetDraft = { name: '', url: '', key: '' };

export function draftOfTarget({ name, url }: RestreamTargetView): TargetDraft {
  return { name, url, key: '' };
}

/**
 * What the shop would refuse for its form, said before asking; `target` null: a new one. The rules are those of
 * packages/commerce/src/restream/push-url.ts. Where an address leads only the shop knows.
 */
export function problemsOfTarget(
  draft: TargetDraft,
  target: RestreamTargetView | null,
): Partial<Record<TargetField, TargetProblem>> {
  const name = draft.name.trim() === '' ? 'required' : null;
  const url = problemOfUrl(draft.url.trim());
  const key = problemOfKey(draft, target);
  return { ...(name && { name }), ...(url && { url }), ...(key && { key }) };
}

function problemOfUrl(url: string): TargetProblem | null {
  if (url === '') return 'required';
  if (!/^rtmps?:\/\//i.test(url)) return 'scheme';
  if (/[?#]/.test(url)) return 'query';
  return /^rtmps?:\/\/[^/]+\/+[^/]/i.test(url) ? null : 'application';
}

function problemOfKey(draft: TargetDraft, target: RestreamTargetView | null): TargetProblem | null {
  const key = draft.key.trim();
  if (key === '') {
    if (target === null) return 'required';
    return isSameUrl(draft, target) ? null : 'keyAgain';
  }
  if (/[\s\\#\p{Cc}]/u.test(key)) return 'keyChars';
  const name = key.split('?')[0] ?? '';
  return name === '' || name.includes('/') ? 'keyPath' : null;
}

/** The request for a draft without problems. */
export function newTargetOf(draft: TargetDraft): NewRestreamTarget {
  return { name: draft.name.trim(), url: draft.url.trim(), key: draft.key.trim() };
}

/** What a draft without problems changes; null when nothing. */
export function targetPatchOf(draft: TargetDraft, target: RestreamTargetView): RestreamTargetPatch | null {
  const { name, url, key } = newTargetOf(draft);
  const patch: RestreamTargetPatch = {
    ...(name === target.name ? {} : { name }),
    ...(isSameUrl(draft, target) ? {} : { url }),
    ...(key === '' ? {} : { key }),
  };
  return Object.keys(patch).length === 0 ? null : patch;
}

/** The shop keeps schemes in lower case. */
function isSameUrl({ url }: TargetDraft, target: RestreamTargetView): boolean {
  return url.trim().replace(/^[a-z]+:/i, (scheme) => scheme.toLowerCase()) === target.url;
}

/**
 * The field a refusal belongs to; null: to the form. The forms of address and key were checked before they were sent, so a target
 * is refused for where its address leads.
 */
export function fieldOfRefusal(reason: Reason, sent: RestreamTargetPatch): TargetField | null {
  if (reason === 'target_refused') return sent.url === undefined ? 'key' : 'url';
  if (reason === 'bad_request' && sent.url !== undefined && sent.key === undefined) return 'key';
  return null;
}
