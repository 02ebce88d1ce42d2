import type { Logger } from '@showfloor/service-kit';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';

/**
 * A stopped show ends its stream at once; a replaced key drops whoever still publishes with the old one (bar S1: within 5 s).
 * The wish is written with the change; the worker carries it to the media plane's admin listener.
 */
export type CutKind = 'end_stream' | 'drop_publisher';

/** Call it with the transaction of the change. */
export async function requestCut(tx: Kysely<Tables>, playbackId: string, kind: CutKind): Promise<void> {
  await tx.insertInto('publisher_cuts').values({ playback_id: playbackId, kind }).execute();
}

export type CutOptions = {
  readonly db: Kysely<Tables>;
  /** Base URL of the media plane's admin listener (SRS's HTTP API and ours), without trailing slash. */
  readonly mediaAdminUrl: string;
  readonly log: Logger;
};

/** A row of SRS's `/api/v1/clients`; `alive` is its age in seconds. */
type MediaClient = { readonly id: string; readonly name: string; readonly publish: boolean; readonly alive: number };

const CUTS_PER_PASS_MAX = 100;
const REQUEST_TIMEOUT_MS = 2_000;
/** After this long without a media plane there is nothing left to cut: it asks for admission when it is back. */
const AGE_MS_MAX = 10 * 60_000;

/** Carries out what was requested, oldest first. Rejects when the media plane cannot be reached: the rest waits. */
export async function carryOutCuts({ db, mediaAdminUrl, log }: CutOptions): Promise<boolean> {
  const rows = await db.selectFrom('publisher_cuts').selectAll().orderBy('id').limit(CUTS_PER_PASS_MAX).execute();
  for (const { id, playback_id: playbackId, kind, created_at: createdAt } of rows) {
    const isStale = Date.now() - createdAt.getTime() > AGE_MS_MAX;
    if (isStale) log.warn({ playbackId, kind }, 'publisher_cut.given_up');
    else if (kind === 'end_stream') await remove(`${mediaAdminUrl}/api/v1/streams/${encodeURIComponent(playbackId)}`);
    else await dropPublishersOlderThan(mediaAdminUrl, playbackId, Date.now() - createdAt.getTime());
    await db.deleteFrom('publisher_cuts').where('id', '=', id).execute();
    log.info({ playbackId, kind }, 'publisher_cut.done');
  }
  return rows.length === CUTS_PER_PASS_MAX;
}

/** Whoever came later has already shown the new key: cutting it would punish the seller who is quick. */
async function dropPublishersOlderThan(mediaAdminUrl: string, playbackId: string, ageMs: number): Promise<void> {
  const answer = await fetch(`${mediaAdminUrl}/api/v1/clients`, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`the media plane answered ${answer.status}`);
  const { clients } = (await answer.json()) as { clients: MediaClient[] };
  const publishers = clients.filter(
    ({ name, publish, alive }) => publish && name === playbackId && alive * 1000 > ageMs,
  );
  for (const { id } of publishers) await remove(`${mediaAdminUrl}/api/v1/clients/${encodeURIComponent(id)}`);
}

/** Gone already is as good as cut. */
async function remove(url: string): Promise<void> {
  const answer = await fetch(url, { method: 'DELETE', signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  if (!answer.ok && answer.status !== 404) throw new Error(`the media plane answered ${answer.status}`);
}
