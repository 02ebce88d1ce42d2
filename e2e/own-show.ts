import type { ShowSummary, StreamKey } from '@showfloor/protocol';
import type { Floor } from './floor.ts';
import { Shopper } from './shopper.ts';
import { signInToken } from './sign-in-link.ts';

/** A show of the demo's seller, and where its encoder publishes. */
export type OwnShow = { readonly playbackId: string; readonly server: string; readonly streamKey: string };

/** Signs in by the one-time link, so once per floor. */
export async function sellerOf(floor: Floor): Promise<Shopper> {
  return Shopper.redeem(floor.webUrl, await signInToken(floor));
}

/** Creates a show with a stream key of its own. */
export async function createShow(seller: Shopper, title: string): Promise<OwnShow> {
  const show = (await seller.send<ShowSummary>('POST', '/api/shows', { title })).body;
  const key = (await seller.send<StreamKey>('POST', `/api/shows/${show.id}/stream-key`)).body;
  return { playbackId: show.playbackId, server: key.server, streamKey: key.streamKey };
}
