/**
 * A whole HLS player without I/O: list lane, media lane, buffer. Its driver (sockets, or a simulation) sends what `nextList` and
 * `nextMedia` ask for and reports what became of it, with the instant; the same events give the same session.
 */
import type { HlsList } from './hls-list.ts';
import type { HlsProfile } from './hls-profile.ts';
import { type ListAnswer, ListReloads, type ListRequest } from './list-reloads.ts';
import {
  type HlsFact,
  type LoadedFragment,
  type LoadFailure,
  MediaFollower,
  type MediaRequest,
} from './media-follower.ts';
import { MARKS_MAX, Player, type PlayerOutput } from './player.ts';
import type { PlayerInput } from './player-input.ts';

/** Where a latency starts. Tiers are never merged. */
export type LatencyTier = 'capture' | 'ingest' | 'pdt' | 'edge';

/** A stamp inside a picture: which clock wrote it, and when the picture is decoded, in media time. */
export type PictureStamp = { readonly tier: 'capture' | 'ingest'; readonly atMediaMs: number; readonly wallMs: number };

/** What a fragment really holds, when somebody has read it. Media time in ms. */
export type FragmentMedia = {
  readonly startMs: number;
  readonly endMs: number;
  readonly frameMs: number;
  readonly stamps: readonly PictureStamp[];
};

/** What the session shows beside the outputs of its player. */
export type HlsPlayerFact =
  | HlsFact
  /** Timestamps do not go on where the fragment before it ended, and no discontinuity says so. */
  | { readonly type: 'pts_break'; readonly byMs: number; readonly uri: string }
  /** The list gives another length than the media have. */
  | { readonly type: 'duration_lie'; readonly listedMs: number; readonly realMs: number; readonly uri: string }
  /** A stamped picture is on screen: its age is a latency. */
  | { readonly type: 'shown'; readonly tier: LatencyTier; readonly wallMs: number; readonly atMs: number };

/** Timestamps may miss each other by one frame, or by this. */
const PTS_TOLERANCE_MS = 50;
/** Lists round durations; rounding is less than this. */
const DURATION_TOLERANCE_MS = 100;

type Stamp = { readonly tier: LatencyTier; readonly wallMs: number };

export type HlsPlayerOptions = {
  readonly profile: HlsProfile;
  readonly isLowLatency: boolean;
  readonly onOutput: (output: PlayerOutput) => void;
  readonly onFact: (fact: HlsPlayerFact) => void;
  readonly record?: (input: PlayerInput) => void;
};

/** One session of one viewer. */
export class HlsPlayer {
  readonly player: Player;
  readonly #options: HlsPlayerOptions;
  readonly #media: MediaFollower;
  readonly #lists: ListReloads;
  readonly #stamps = new Map<number, Stamp>();
  #nextMark = 0;
  /** Position = media time + this; known when the media are read. */
  #shiftMs: number | null = null;
  #mediaEndMs: number | null = null;
  #playFromMs: number | null = null;
  /** Media of a hint that the list does not have yet. */
  #hintMedia: FragmentMedia | null = null;

  /** `atMs`: when the media playlist is first wanted. */
  constructor(options: HlsPlayerOptions, atMs: number) {
    this.#options = options;
    this.player = new Player(options.profile.buffer, (output) => this.#onOutput(output), options.record);
    this.#media = new MediaFollower(options.profile, options.isLowLatency, options.onFact);
    this.#lists = new ListReloads(options.profile, options.isLowLatency, atMs);
  }

  /** The next question for the list; null while one is under way. */
  nextList(): ListRequest | null {
    return this.#lists.next;
  }

  /** See {@link ListReloads.sent}. */
  listSent(atMs: number): boolean {
    return this.#lists.sent(atMs);
  }

  onList(atMs: number, list: HlsList, lagMs: number): ListAnswer {
    const answer = this.#lists.answered(atMs, list);
    if (!answer.isChanged) return answer;
    this.#media.onList(list);
    const hinted = this.#media.takeHinted();
    if (hinted !== null) this.#append(atMs, hinted, this.#hintMedia, lagMs);
    this.#completeAtEnd(atMs);
    return answer;
  }

  /** True: no retry is left, playback fails. */
  onListFailed(atMs: number): boolean {
    return this.#lists.failed(atMs);
  }

  /** The next request for media; null while one is under way or nothing is wanted. */
  nextMedia(): MediaRequest | null {
    return this.#media.next(this.player.bufferMs);
  }

  mediaSent(request: MediaRequest): void {
    this.#media.sent(request);
  }

  /** The answer is whole. `read`: what is in it, null when nobody looked. */
  onMedia(atMs: number, read: FragmentMedia | null, lagMs: number): void {
    const loaded = this.#media.loaded();
    if (loaded === null) this.#hintMedia = read;
    else this.#append(atMs, loaded, read, lagMs);
    this.#completeAtEnd(atMs);
  }

  /** True: no retry is left for something without which nothing plays. */
  onMediaFailed(failure: LoadFailure): boolean {
    const isFatal = this.#media.failed(failure);
    this.#completeAtEnd(failure.atMs);
    return isFatal;
  }

  /** Tier D: media time between the picture and the newest that is listed. Null unless it plays. */
  get behindEdgeMs(): number | null {
    return this.player.state === 'playing' ? this.#media.edgeMs - this.player.playheadMs : null;
  }

  #completeAtEnd(atMs: number): void {
    if (this.#media.isComplete) this.player.complete(atMs);
  }

  #append(
    atMs: number,
    { fragment, positionMs, playFromMs, isContiguous }: LoadedFragment,
    read: FragmentMedia | null,
    lagMs: number,
  ): void {
    this.#hintMedia = null;
    let [fromMs, toMs] = [positionMs, positionMs + fragment.durationMs];
    if (read !== null) {
      this.#check(fragment.uri, fragment.durationMs, fragment.isDiscontinuity || !isContiguous, read);
      if (this.#shiftMs === null || fragment.isDiscontinuity || !isContiguous)
        this.#shiftMs = positionMs - read.startMs;
      fromMs = read.startMs + this.#shiftMs;
      toMs = read.endMs + this.#shiftMs;
    }
    this.#playFromMs ??= playFromMs ?? fromMs;
    if (fragment.dateTimeMs !== null) this.#mark(fromMs, { tier: 'pdt', wallMs: fragment.dateTimeMs });
    for (const { tier, atMediaMs, wallMs } of read?.stamps ?? []) {
      this.#mark(atMediaMs + (this.#shiftMs ?? 0), { tier, wallMs });
    }
    this.player.span(atMs, { fromMs, toMs, playFromMs: playFromMs ?? fromMs }, lagMs);
  }

  #check(uri: string, listedMs: number, isAnew: boolean, { startMs, endMs, frameMs }: FragmentMedia): void {
    const { onFact } = this.#options;
    const byMs = this.#mediaEndMs === null || isAnew ? 0 : startMs - this.#mediaEndMs;
    if (Math.abs(byMs) > Math.max(frameMs, PTS_TOLERANCE_MS)) onFact({ type: 'pts_break', byMs, uri });
    const realMs = endMs - startMs;
    if (Math.abs(realMs - listedMs) > DURATION_TOLERANCE_MS) onFact({ type: 'duration_lie', listedMs, realMs, uri });
    this.#mediaEndMs = endMs;
  }

  /** Stamps come in the order of their places. What lies before the first picture shown is never on screen. */
  #mark(positionMs: number, stamp: Stamp): void {
    if (positionMs < (this.#playFromMs ?? 0)) return;
    // The player forgets its oldest marks beyond this, and with them their stamps.
    if (this.#stamps.size >= MARKS_MAX) this.#stamps.delete(this.#stamps.keys().next().value ?? -1);
    this.#stamps.set(this.#nextMark, stamp);
    this.player.mark(positionMs, this.#nextMark);
    this.#nextMark += 1;
  }

  #onOutput(output: PlayerOutput): void {
    if (output.type !== 'passed') {
      this.#options.onOutput(output);
      return;
    }
    const stamp = this.#stamps.get(output.mark);
    this.#stamps.delete(output.mark);
    if (stamp !== undefined) this.#options.onFact({ type: 'shown', ...stamp, atMs: output.atMs });
  }
}
