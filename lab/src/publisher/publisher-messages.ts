/** What the thread of publishers is told, and tells. */
import type { LabEvent } from '../clients/actor.ts';
import type { SelfSample } from '../engine/guard.ts';
import type { SliceData } from '../metrics/slice.ts';

/** `own`: the project's publisher, with the capture time in each picture; `ffmpeg`: an independent one, without it. */
export const ENCODERS = ['own', 'ffmpeg'] as const;
/** One of {@link ENCODERS}. */
export type Encoder = (typeof ENCODERS)[number];

/** Where one stream goes. `url` carries the key: a secret, never logged, never in the run folder. */
export type PublishedAs = { readonly name: string; readonly url: string };

/** What to send, and where. `file`: an FLV clip, played over and over; null (ffmpeg only): a test picture that ffmpeg makes. */
export type PublisherTask = {
  readonly streams: readonly PublishedAs[];
  readonly file: string | null;
  readonly encoder: Encoder;
};

/** `stop` ends every publish with a goodbye, `start` begins again under the same names, `close` is the end. */
export type PublisherMessage = { readonly type: 'stop' | 'start' | 'close' };

/** One stream came on air, or could not, or went off it. */
export type PublisherChange = {
  readonly stream: string;
  readonly state: 'on_air' | 'refused' | 'lost' | 'stopped';
  /** In words; empty for `on_air`. */
  readonly reason: string;
  readonly detail: LabEvent['detail'];
};

/** `slice`: once per second. `atMs` is monotonic. */
export type PublisherReport =
  | { readonly type: 'change'; readonly atMs: number; readonly change: PublisherChange }
  | { readonly type: 'slice'; readonly atMs: number; readonly data: SliceData; readonly self: SelfSample };
