import { randomUUID } from 'node:crypto';
import {
  type NewRestreamTarget,
  RESTREAM_TARGETS_PER_SHOW_MAX,
  type RestreamPlan,
  type RestreamTargetPatch,
  type RestreamTargetView,
} from '@showfloor/protocol';
import type { Sealer } from '@showfloor/service-kit';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { isOver } from '../shows/show-states.ts';
import { changeShow, type LockedShow, type ShowOf, type ShowResult } from '../shows/shows.ts';
import { keyHint, maskedKey, pushUrl } from './push-url.ts';
import { requestPlan } from './restream-wishes.ts';

type Row = Selectable<Tables['restream_targets']>;
/** What of a show decides how its targets are told of. */
type ShowFacts = { readonly status: string; readonly startedAt: Date | null };

/** All targets of the seller's show; null when there is no such show. */
export async function restreamTargets(
  db: Kysely<Tables>,
  sealer: Sealer,
  of: ShowOf,
): Promise<RestreamTargetView[] | null> {
  const show = await db
    .selectFrom('shows')
    .select(['status', 'started_at as startedAt'])
    .where('id', '=', of.showId)
    .where('seller_id', '=', of.sellerId)
    .executeTakeFirst();
  if (show === undefined) return null;
  const rows = await rowsOf(db, of.showId);
  return rows.map((row) => viewOf(row, show, sealer));
}

/** Adds a target. The caller has asked the outbound guard. */
export function addRestreamTarget(
  db: Kysely<Tables>,
  sealer: Sealer,
  of: ShowOf,
  input: NewRestreamTarget,
): Promise<ShowResult<RestreamTargetView>> {
  return changeTargets(db, of, async (tx, show) => {
    const rows = await rowsOf(tx, show.id);
    if (rows.length >= RESTREAM_TARGETS_PER_SHOW_MAX) return { ok: false, reason: 'restream_limit' };
    const id = randomUUID();
    const row = await tx
      .insertInto('restream_targets')
      .values({
        id,
        show_id: show.id,
        name: input.name.trim(),
        url: withLowerScheme(input.url),
        is_enabled: input.isEnabled ?? true,
        ...sealedKey(sealer, { id, url: withLowerScheme(input.url) }, input.key),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { ok: true, value: viewOf(row, { status: show.status, startedAt: null }, sealer) };
  });
}

/** Changes what the patch names. The caller has checked that a new address comes with a key, and asked the guard. */
export function updateRestreamTarget(
  db: Kysely<Tables>,
  sealer: Sealer,
  of: ShowOf & { readonly targetId: string },
  patch: RestreamTargetPatch,
): Promise<ShowResult<RestreamTargetView>> {
  return changeTargets(db, of, async (tx, show) => {
    const before = (await rowsOf(tx, show.id)).find(({ id }) => id === of.targetId);
    if (before === undefined) return { ok: false, reason: 'not_found' };
    const url = patch.url === undefined ? before.url : withLowerScheme(patch.url);
    const row = await tx
      .updateTable('restream_targets')
      .set({
        updated_at: new Date(),
        ...(patch.name === undefined ? {} : { name: patch.name.trim() }),
        url,
        ...(patch.isEnabled === undefined ? {} : { is_enabled: patch.isEnabled }),
        ...(patch.key === undefined ? {} : sealedKey(sealer, { id: of.targetId, url }, patch.key)),
      })
      .where('id', '=', of.targetId)
      .where('show_id', '=', show.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    return { ok: true, value: viewOf(row, { status: show.status, startedAt: null }, sealer) };
  });
}

/** Takes a target and its key away, also of a show that is over; what is being sent there ends within a second or two. */
export function deleteRestreamTarget(
  db: Kysely<Tables>,
  of: ShowOf & { readonly targetId: string },
): Promise<ShowResult<null>> {
  return changeShow(db, of, async (tx, show) => {
    const deleted = await tx
      .deleteFrom('restream_targets')
      .where('id', '=', of.targetId)
      .where('show_id', '=', show.id)
      .returning('id')
      .executeTakeFirst();
    if (deleted === undefined) return { ok: false, reason: 'not_found' };
    await announce(tx, show);
    return { ok: true, value: null };
  });
}

/**
 * What the media plane shall send where, with the keys in clear: for its ears only. A key that does not open (the storage secret
 * was lost) is left out, and its target named in `unreadable`.
 */
export async function restreamPlan(
  db: Kysely<Tables>,
  sealer: Sealer,
  showId: string,
): Promise<RestreamPlan & { readonly unreadable: readonly string[] }> {
  // The revision first: a plan may be newer than it says, never older.
  const show = await db.selectFrom('shows').select('restream_revision').where('id', '=', showId).executeTakeFirst();
  const rows = (await rowsOf(db, showId)).filter((row) => row.is_enabled);
  const opened = rows.map((row) => ({ ...row, key: sealer.open(row.sealed_key, placeOf(row)) }));
  return {
    revision: show?.restream_revision ?? 0,
    targets: opened.flatMap(({ id, url, key }) => (key === null ? [] : [{ id, url: pushUrl(url, key) }])),
    unreadable: opened.filter(({ key }) => key === null).map(({ id }) => id),
  };
}

/** Runs `change` on the seller's show, unless it is over, and announces what it changed. */
function changeTargets<T>(
  db: Kysely<Tables>,
  of: ShowOf,
  change: (tx: Kysely<Tables>, show: LockedShow) => Promise<ShowResult<T>>,
): Promise<ShowResult<T>> {
  return changeShow(db, of, async (tx, show) => {
    if (isOver(show.status)) return { ok: false, reason: 'illegal_transition' };
    const result = await change(tx, show);
    if (!result.ok) return result;
    await announce(tx, show);
    return result;
  });
}

/** What changed is a new revision, which the media plane will be told. */
async function announce(tx: Kysely<Tables>, show: LockedShow): Promise<void> {
  // Not a mere count: after the return of an older database it would begin again where it was, and the media plane, which has
  // seen those numbers, would take every change for an old one.
  await sql`update shows
    set restream_revision = greatest(restream_revision + 1, floor(extract(epoch from clock_timestamp()) * 1000)::bigint)
    where id = ${show.id}::uuid`.execute(tx);
  await requestPlan(tx, show.playback_id);
}

function rowsOf(db: Kysely<Tables>, showId: string): Promise<Row[]> {
  return db
    .selectFrom('restream_targets')
    .selectAll()
    .where('show_id', '=', showId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** Sealed in with the key: it can neither be moved to another row, nor be sent to an address that was written over its own. */
function placeOf({ id, url }: Pick<Row, 'id' | 'url'>): string {
  return `${id} ${url}`;
}

function sealedKey(
  sealer: Sealer,
  place: Pick<Row, 'id' | 'url'>,
  key: string,
): { sealed_key: Buffer; key_hint: string } {
  return { sealed_key: sealer.seal(key, placeOf(place)), key_hint: keyHint(key) };
}

/** The wire knows schemes in lower case only. */
function withLowerScheme(url: string): string {
  return url.replace(/^[a-z]+:/i, (scheme) => scheme.toLowerCase());
}

function viewOf(row: Row, show: ShowFacts, sealer: Sealer): RestreamTargetView {
  const { id, name, url, is_enabled: isEnabled } = row;
  const isReadable = sealer.open(row.sealed_key, placeOf(row)) !== null;
  if (!isReadable) return { id, name, url, maskedKey: maskedKey(row.key_hint), isEnabled, ...KEY_LOST };
  return { id, name, url, maskedKey: maskedKey(row.key_hint), isEnabled, ...stateOf(row, show) };
}

const IDLE = { state: 'idle', reason: null, message: null, stateAtMs: null } as const;
const KEY_LOST = {
  state: 'idle',
  reason: 'key_unreadable',
  message: 'The stream key can no longer be read: enter it again.',
  stateAtMs: null,
} as const;
type StateView = Pick<RestreamTargetView, 'state' | 'reason' | 'message' | 'stateAtMs'>;

/** What was told last, as long as it can still be true. */
function stateOf(row: Row, { status, startedAt }: ShowFacts): StateView {
  const isOnAir = status === 'live' || status === 'interrupted';
  if (!isOnAir || !row.is_enabled || row.state === null || row.state_at === null) return IDLE;
  if (startedAt !== null && row.state_at < startedAt) return IDLE; // of an earlier show under this name
  const stateAtMs = row.state_at.getTime();
  if (status === 'interrupted' && row.state === 'active') {
    return { state: 'waiting', reason: 'publisher_away', message: 'Waiting for your encoder to come back.', stateAtMs };
  }
  return { state: row.state, reason: row.state_reason, message: row.state_message, stateAtMs };
}
