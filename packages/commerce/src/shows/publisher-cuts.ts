import type { Logger } from '@showfloor/service-kit';
import { type Kysely, sql } from 'kysely';
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
/** `takenAfterMs`: at most so long after the ages of the wishes were read. */
type ClientList = { readonly clients: readonly MediaClient[]; readonly takenAfterMs: number };
/** A wish; `ageMs` by PostgreSQL's clock. */
type Cut = { readonly id: number; readonly playbackId: string; readonly kind: CutKind; readonly ageMs: number };

const CUTS_PER_PASS_MAX = 200;
const REQUEST_TIMEOUT_MS = 2_000;
/** A publisher that was being admitted when its key was replaced appears in the list only later: it is looked for until then. */
const DROP_REPEATED_FOR_MS = 5_000;
/** A wish the media plane keeps refusing is given up after this. One it was never asked about waits for as long as it takes. */
const REFUSED_MS_MAX = 10 * 60_000;

/**
 * Carries out what was requested. Each wish succeeds or fails for itself; those that failed wait for the next pass, and are
 * thrown together. Resolves with true when there is more to do at once.
 */
export async function carryOutCuts(options: CutOptions): Promise<boolean> {
  const startedMs = performance.now();
  const { rows } = await sql<Cut>`
    select id, playback_id as "playbackId", kind,
           (extract(epoch from clock_timestamp() - created_at) * 1000)::float8 as "ageMs"
      from publisher_cuts order by id limit ${CUTS_PER_PASS_MAX}`.execute(options.db);
  const clients = once(() => listClients(options.mediaAdminUrl, startedMs));
  const outcomes = await Promise.allSettled(rows.map((cut) => settleCut(options, cut, clients)));
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} publisher cuts wait for the media plane`);
  return (
    rows.length === CUTS_PER_PASS_MAX && outcomes.every((outcome) => outcome.status === 'fulfilled' && outcome.value)
  );
}

/** Resolves with true when nothing is left to do for this wish. */
async function settleCut(options: CutOptions, cut: Cut, clients: () => Promise<ClientList>): Promise<boolean> {
  const { db, log } = options;
  const { id, playbackId, kind, ageMs } = cut;
  try {
    await carryOut(options.mediaAdminUrl, cut, clients);
  } catch (error) {
    if (!(error instanceof CutRefused) || ageMs < REFUSED_MS_MAX) throw error;
    log.warn({ playbackId, kind, err: error }, 'publisher_cut.given_up');
    await db.deleteFrom('publisher_cuts').where('id', '=', id).execute();
    return true;
  }
  if (kind === 'drop_publisher' && ageMs < DROP_REPEATED_FOR_MS) return false;
  await db.deleteFrom('publisher_cuts').where('id', '=', id).execute();
  log.info({ playbackId, kind }, 'publisher_cut.done');
  return true;
}

async function carryOut(mediaAdminUrl: string, cut: Cut, clients: () => Promise<ClientList>): Promise<void> {
  const stream = `${mediaAdminUrl}/api/v1/streams/${encodeURIComponent(cut.playbackId)}`;
  if (cut.kind === 'end_stream') return remove(stream);
  await remove(`${stream}/key`); // first: nobody comes back by a key that is remembered
  // Whoever came later has already shown the new key: cutting it would punish the seller who is quick.
  const list = await clients();
  const isOlder = ({ name, publish, alive }: MediaClient): boolean =>
    publish && name === cut.playbackId && alive * 1000 > cut.ageMs + list.takenAfterMs;
  for (const { id } of list.clients.filter(isOlder)) {
    await remove(`${mediaAdminUrl}/api/v1/clients/${encodeURIComponent(id)}`);
  }
}

async function listClients(mediaAdminUrl: string, startedMs: number): Promise<ClientList> {
  const answer = await fetch(`${mediaAdminUrl}/api/v1/clients?count=100000`, {
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  if (!answer.ok) throw new CutRefused(answer.status);
  const { clients } = (await answer.json()) as { clients: MediaClient[] };
  return { clients, takenAfterMs: performance.now() - startedMs };
}

/** Gone already is as good as cut. */
async function remove(url: string): Promise<void> {
  const answer = await fetch(url, { method: 'DELETE', signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  await answer.arrayBuffer();
  if (!answer.ok && answer.status !== 404) throw new CutRefused(answer.status);
}

/** Runs `work` at the first call; every call gets its outcome. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let outcome: Promise<T> | null = null;
  return () => {
    outcome ??= work();
    return outcome;
  };
}

/** The media plane answered, and did not do it. */
class CutRefused extends Error {
  override readonly name = 'CutRefused';
  constructor(status: number) {
    super(`the media plane answered ${status}`);
  }
}
