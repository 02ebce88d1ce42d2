/**
 * The criteria under their first names, judged from few samples on: for scenarios and tests that are small. The full sets,
 * which demand as many samples as their limits need, are in `criteria/`.
 */
import { HLS_CRITERIA as HLS, LLHLS_CRITERIA as LLHLS } from './criteria/hls.ts';
import { indicative } from './criteria/indicative.ts';
import { ROOM_CRITERIA as ROOM } from './criteria/room.ts';
import { SHOP_CRITERIA as SHOP } from './criteria/shop.ts';
import { FLV_CRITERIA } from './criteria/video.ts';

/** What a viewer of HTTP-FLV sees. */
export const VIDEO_CRITERIA = indicative(FLV_CRITERIA);
/** What a viewer of classic HLS sees. */
export const HLS_CRITERIA = indicative(HLS);
/** What a viewer of LL-HLS sees. */
export const LLHLS_CRITERIA = indicative(LLHLS);
/** What a member of the room sees. */
export const ROOM_CRITERIA = indicative(ROOM);
/** What a shopper sees. */
export const SHOP_CRITERIA = indicative(SHOP);
