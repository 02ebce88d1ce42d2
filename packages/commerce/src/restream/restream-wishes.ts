import type { Logger, Sealer } from '@showfloor/service-kit';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { restreamPlan } from './restream-targets.ts';

/**
 * The targets of a show on air have changed, or it has just gone on air: the media plane is to be told which they are now. The wish
 * is written with the change; the worker carries it to the media plane's admin listener, as it does with publishers' cuts.
 */
export async function requestPlan(tx: Kysely<Tables>, playbackId: string): Promise<void> {
  await sql`insert into restream_wishes (playback_id) values (${playbackId})
    on conflict (playback_id) do update set requested_at = clock_timestamp()`.execute(tx);
}

export type RestreamWishOptions = {
  readonly db: Kysely<Tables>;
  readonly sealer: Sealer;
  /** Base URL of the media plane's admin listener, without trailing slash. */
  readonly mediaAdminUrl: string;
  readonly log: Logger;
};

type Wish = {
  readonly playbackId: string;
  /** As text: a JavaScript date would lose the microseconds that tell one wish from the next. */
  readonly requestedAt: string;
  readonly ageMs: number;
  readonly showId: string | null;
};

const WISHES_PER_PASS_MAX = 200;
const REQUEST_TIMEOUT_MS = 2_000;
/** A wish the media plane keeps refusing is given up after this. One it was never asked about waits for as long as it takes. */
const REFUSED_MS_MAX = 10 * 60_000;

/**
 * Tells the media plane what was requested. Each wish succeeds or fails for itself; those that failed wait for the next pass, and
 * are thrown together. Resolves with true when there is more to do at once.
 */
export async function carryOutRestreamWishes(options: RestreamWishOptions): Promise<boolean> {
  const { rows } = await sql<Wish>`
    select w.playback_id as "playbackId", w.requested_at::text as "requestedAt", s.id as "showId",
           (extract(epoch from clock_timestamp() - w.requested_at) * 1000)::float8 as "ageMs"
      from restream_wishes w left join shows s on s.playback_id = w.playback_id
     order by w.requested_at limit ${WISHES_PER_PASS_MAX}`.execute(options.db);
  const outcomes = await Promise.allSettled(rows.map((wish) => settle(options, wish)));
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} restream plans wait for the media plane`);
  return rows.length === WISHES_PER_PASS_MAX;
}

async function settle({ db, sealer, mediaAdminUrl, log }: RestreamWishOptions, wish: Wish): Promise<void> {
  const { playbackId, showId, requestedAt } = wish;
  if (showId !== null) {
    const { unreadable, ...plan } = await restreamPlan(db, sealer, showId);
    if (unreadable.length > 0) log.warn({ playbackId, unreadable }, 'restream.keys_unreadable');
    const status = await put(`${mediaAdminUrl}/api/v1/streams/${encodeURIComponent(playbackId)}/restream`, plan);
    const isTold = status < 300 || status === 404; // not on air: the next publish is answered with the targets
    if (!isTold && wish.ageMs < REFUSED_MS_MAX) throw new Error(`the media plane answered ${status}`);
    if (isTold) log.info({ playbackId, status, targets: plan.targets.length }, 'restream.plan_sent');
    else log.warn({ playbackId, status }, 'restream.plan_given_up');
  }
  // A newer wish stays: what was read for this one may be older.
  await sql`delete from restream_wishes
    where playback_id = ${playbackId} and requested_at = ${requestedAt}::timestamptz`.execute(db);
}

async function put(url: string, body: unknown): Promise<number> {
  const answer = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  await answer.arrayBuffer();
  return answer.status;
}
