import { randomInt } from 'node:crypto';
import type {
  FeaturedProduct,
  NewShow,
  Reason,
  ShowDetail,
  ShowPatch,
  ShowStatus,
  ShowSummary,
} from '@showfloor/protocol';
import { assert } from '@showfloor/service-kit';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { productCard, productsOfShow } from '../catalog/product-cards.ts';
import type { Tables } from '../database/tables.ts';
import { appendEvent } from '../outbox/append.ts';
import { requestCut } from './publisher-cuts.ts';
import { isOver, nextStatus } from './show-states.ts';

export type ShowResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: Reason };
/** Whose show it is: every seller's request names both, so that nobody touches another's. */
export type ShowOf = { readonly showId: string; readonly sellerId: string };

const PLAYBACK_ID_CHARS = 10;
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'; // without look-alikes: people read these aloud
const LIST_MAX = 500;

type SummaryRow = Omit<ShowSummary, 'scheduledAtMs' | 'startedAtMs'> & {
  readonly scheduledAt: Date | null;
  readonly startedAt: Date | null;
};

async function summaries(
  db: Kysely<Tables>,
  where: RawBuilder<unknown>,
  order: RawBuilder<unknown>,
): Promise<ShowSummary[]> {
  const { rows } = await sql<SummaryRow>`
    select s.id, s.playback_id as "playbackId", s.title, s.description, s.status, u.display_name as "sellerName",
           s.poster_url as "posterUrl", s.scheduled_at as "scheduledAt", s.started_at as "startedAt"
      from shows s join users u on u.id = s.seller_id
     where ${where} order by ${order} limit ${LIST_MAX}`.execute(db);
  return rows.map(({ scheduledAt, startedAt, ...row }) => ({
    ...row,
    scheduledAtMs: scheduledAt?.getTime() ?? null,
    startedAtMs: startedAt?.getTime() ?? null,
  }));
}

/** Shows on air, also those whose publisher is gone for a moment; the latest start first. */
export function activeShows(db: Kysely<Tables>): Promise<ShowSummary[]> {
  return summaries(db, sql`s.status in ('live', 'interrupted')`, sql`s.started_at desc nulls last, s.id`);
}

/** Shows to come, the next one first. */
export function upcomingShows(db: Kysely<Tables>): Promise<ShowSummary[]> {
  return summaries(db, sql`s.status in ('scheduled', 'ready')`, sql`s.scheduled_at nulls last, s.created_at, s.id`);
}

/** The seller's own view: with the latest encoder of each show that was turned away. */
export async function showsOfSeller(db: Kysely<Tables>, sellerId: string): Promise<ShowSummary[]> {
  const shows = await summaries(db, sql`s.seller_id = ${sellerId}::uuid`, sql`s.created_at desc, s.id`);
  const refused = await db
    .selectFrom('shows')
    .select([
      'id',
      'publisher_refused_at as at',
      'publisher_refused_reason as reason',
      'publisher_refused_text as text',
    ])
    .where('seller_id', '=', sellerId)
    .where('publisher_refused_at', 'is not', null)
    .execute();
  const refusedById = new Map(refused.map((row) => [row.id, row]));
  return shows.map((show) => {
    const { at, reason, text } = refusedById.get(show.id) ?? { at: null, reason: null, text: null };
    if (at === null || reason === null || text === null) return show;
    return { ...show, publisherRefused: { atMs: at.getTime(), reason, text } };
  });
}

/** Creates a scheduled show with a playback id of its own. */
/** Call it with a transaction: the show and the event that names it are written together. */
export async function createShow(tx: Kysely<Tables>, sellerId: string, input: NewShow): Promise<ShowSummary> {
  const show = await tx
    .insertInto('shows')
    .values({
      seller_id: sellerId,
      playback_id: newPlaybackId(),
      title: input.title,
      description: input.description ?? '',
      scheduled_at: input.scheduledAtMs === undefined ? null : new Date(input.scheduledAtMs),
    })
    .returning(['id', 'playback_id', 'status'])
    .executeTakeFirstOrThrow();
  // A room whose show has been named is kept a place, whoever else asks for rooms.
  await appendEvent(tx, {
    type: 'show.changed',
    playbackId: show.playback_id,
    atMs: Date.now(),
    data: { status: show.status },
  });
  return summaryOf(tx, show.id);
}

/** 31^10 ids: nobody guesses one, and two alike are refused by the table's unique column. */
function newPlaybackId(): string {
  return Array.from({ length: PLAYBACK_ID_CHARS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

export function updateShow(db: Kysely<Tables>, of: ShowOf, patch: ShowPatch): Promise<ShowResult<ShowSummary>> {
  return changeShow(db, of, async (tx, show) => {
    if (isOver(show.status)) return refused('illegal_transition');
    await tx
      .updateTable('shows')
      .set({
        updated_at: new Date(),
        ...(patch.title === undefined ? {} : { title: patch.title }),
        ...(patch.description === undefined ? {} : { description: patch.description }),
        ...(patch.scheduledAtMs === undefined
          ? {}
          : { scheduled_at: patch.scheduledAtMs === null ? null : new Date(patch.scheduledAtMs) }),
      })
      .where('id', '=', show.id)
      .execute();
    return { ok: true, value: await summaryOf(tx, show.id) };
  });
}

/** The seller opens, ends or calls off the show; the room is told. */
export function moveShow(
  db: Kysely<Tables>,
  of: ShowOf,
  move: 'start' | 'stop' | 'cancel',
): Promise<ShowResult<ShowSummary>> {
  return changeShow(db, of, async (tx, show) => {
    const status = nextStatus(show.status, move);
    if (status === null) return refused('illegal_transition');
    const now = new Date();
    await tx
      .updateTable('shows')
      .set({ status, updated_at: now, ...(status === 'ended' ? { ended_at: now, grace_ends_at: null } : {}) })
      .where('id', '=', show.id)
      .execute();
    await appendEvent(tx, {
      type: 'show.changed',
      playbackId: show.playback_id,
      atMs: now.getTime(),
      data: { status },
    });
    if (isOver(status)) await requestCut(tx, show.playback_id, 'end_stream');
    return { ok: true, value: await summaryOf(tx, show.id) };
  });
}

/** Lists a product of the same seller in the show. Listing it twice changes nothing. */
export function addShowProduct(db: Kysely<Tables>, of: ShowOf, productId: string): Promise<ShowResult<ShowDetail>> {
  return changeShow(db, of, async (tx, show) => {
    if (isOver(show.status)) return refused('illegal_transition');
    const own = await tx
      .selectFrom('products')
      .select('id')
      .where('id', '=', productId)
      .where('seller_id', '=', of.sellerId)
      .executeTakeFirst();
    if (own === undefined) return refused('not_found');
    const added = await tx
      .insertInto('show_products')
      .values({ show_id: show.id, product_id: productId })
      .onConflict((conflict) => conflict.doNothing())
      .returning('product_id')
      .executeTakeFirst();
    if (added !== undefined) {
      const product = await productCard(tx, productId);
      assert(product !== null, 'a product that was just found is not there');
      await appendEvent(tx, {
        type: 'product.added',
        playbackId: show.playback_id,
        atMs: Date.now(),
        data: { product },
      });
    }
    return { ok: true, value: await detailOf(tx, show.id) };
  });
}

/** Takes a product off the show's list, and off the screen if it was pinned. */
export function removeShowProduct(db: Kysely<Tables>, of: ShowOf, productId: string): Promise<ShowResult<ShowDetail>> {
  return changeShow(db, of, async (tx, show) => {
    if (show.featured_product_id === productId) await writeUnpin(tx, show, productId);
    const removed = await tx
      .deleteFrom('show_products')
      .where('show_id', '=', show.id)
      .where('product_id', '=', productId)
      .returning('product_id')
      .executeTakeFirst();
    if (removed === undefined) return refused('not_found');
    await appendEvent(tx, {
      type: 'product.deleted',
      playbackId: show.playback_id,
      atMs: Date.now(),
      data: { productId },
    });
    return { ok: true, value: await detailOf(tx, show.id) };
  });
}

/** Pins a listed product: players show it when their picture reaches `nowMs`. */
export function pinProduct(
  db: Kysely<Tables>,
  of: ShowOf,
  productId: string,
  nowMs: number,
): Promise<ShowResult<ShowDetail>> {
  return changeShow(db, of, async (tx, show) => {
    if (isOver(show.status)) return refused('illegal_transition');
    const listed = (await productsOfShow(tx, show.id)).find(({ id }) => id === productId);
    if (listed === undefined) return refused('not_found');
    await tx
      .updateTable('shows')
      .set({ featured_product_id: productId, pinned_at: new Date(nowMs) })
      .where('id', '=', show.id)
      .execute();
    await appendEvent(tx, {
      type: 'product.pinned',
      playbackId: show.playback_id,
      atMs: nowMs,
      data: { product: listed, pinnedAtMs: nowMs },
    });
    return { ok: true, value: await detailOf(tx, show.id) };
  });
}

/** Takes the pinned product off the screen. Nothing pinned: nothing changes. */
export function unpinProduct(db: Kysely<Tables>, of: ShowOf): Promise<ShowResult<ShowDetail>> {
  return changeShow(db, of, async (tx, show) => {
    if (show.featured_product_id !== null) await writeUnpin(tx, show, show.featured_product_id);
    return { ok: true, value: await detailOf(tx, show.id) };
  });
}

async function writeUnpin(tx: Kysely<Tables>, show: LockedShow, productId: string): Promise<void> {
  await tx.updateTable('shows').set({ featured_product_id: null, pinned_at: null }).where('id', '=', show.id).execute();
  await appendEvent(tx, {
    type: 'product.unpinned',
    playbackId: show.playback_id,
    atMs: Date.now(),
    data: { productId },
  });
}

/** A show as anyone may see it, by its public id. */
export async function showDetail(db: Kysely<Tables>, playbackId: string): Promise<ShowDetail | null> {
  const row = await db.selectFrom('shows').select('id').where('playback_id', '=', playbackId).executeTakeFirst();
  return row === undefined ? null : detailOf(db, row.id);
}

async function detailOf(db: Kysely<Tables>, showId: string): Promise<ShowDetail> {
  const pin = await db
    .selectFrom('shows')
    .select(['featured_product_id', 'pinned_at'])
    .where('id', '=', showId)
    .executeTakeFirstOrThrow();
  const show = await summaryOf(db, showId);
  const products = await productsOfShow(db, showId);
  const product = products.find(({ id }) => id === pin.featured_product_id);
  const featured: FeaturedProduct | null =
    product === undefined || pin.pinned_at === null ? null : { product, pinnedAtMs: pin.pinned_at.getTime() };
  return { show, products, featured };
}

async function summaryOf(db: Kysely<Tables>, showId: string): Promise<ShowSummary> {
  const summary = (await summaries(db, sql`s.id = ${showId}::uuid`, sql`s.id`))[0];
  assert(summary !== undefined, 'a show that was just written is not there');
  return summary;
}

export type LockedShow = {
  readonly id: string;
  readonly playback_id: string;
  readonly status: ShowStatus;
  readonly featured_product_id: string | null;
};

/**
 * Runs `change` with the seller's show locked: events of one show are written in the order of its changes. In the caller's
 * transaction when `db` is one, otherwise in its own.
 */
export function changeShow<T>(
  db: Kysely<Tables>,
  of: ShowOf,
  change: (tx: Kysely<Tables>, show: LockedShow) => Promise<ShowResult<T>>,
): Promise<ShowResult<T>> {
  const work = async (tx: Kysely<Tables>): Promise<ShowResult<T>> => {
    const show = await tx
      .selectFrom('shows')
      .select(['id', 'playback_id', 'status', 'featured_product_id'])
      .where('id', '=', of.showId)
      .where('seller_id', '=', of.sellerId)
      .forUpdate()
      .executeTakeFirst();
    return show === undefined ? refused('not_found') : change(tx, show);
  };
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}

function refused(reason: Reason): { readonly ok: false; readonly reason: Reason } {
  return { ok: false, reason };
}
