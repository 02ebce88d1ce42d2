/**
 * Follows a live HLS or LL-HLS stream for a while, the way a careful player does, and holds it to the rules: lists by blocking
 * reload, the hinted part asked for ahead, every part and segment fetched once and read.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HlsOrigin, OriginAnswer } from './hls-origin.ts';
import { type ListedSegment, type MediaPlaylist, readAttributes, readMediaPlaylist } from './media-playlist.ts';
import { MediaRules } from './media-rules.ts';
import { checkPlaylist } from './playlist-rules.ts';
import { RuleBook } from './rules.ts';
import { checkUpdate } from './sequence-rules.ts';

/** What was found, and how much was looked at. */
export type HlsReport = Readonly<{
  book: RuleBook;
  protocol: string;
  /** True when the list has parts and can be waited for. */
  isLowLatency: boolean;
  updates: number;
  parts: number;
  segments: number;
}>;

export type CheckHlsOptions = Readonly<{
  /** Of the multivariant or the media playlist. */
  url: string;
  origin: HlsOrigin;
  /** How long to follow the stream. */
  seconds: number;
  signal?: AbortSignal;
}>;

const PLAYLIST_TYPES = /^(application\/vnd\.apple\.mpegurl|audio\/mpegurl|application\/x-mpegurl)/i;
/** What a busy machine may add to an answer that comes in time. */
const LATE_TOLERANCE_MS = 100;

/** Checks until `seconds` are over, the stream ends or `signal` aborts. Rejects when nothing can be fetched at all. */
export async function checkHls(options: CheckHlsOptions): Promise<HlsReport> {
  const follower = new HlsFollower(options);
  await follower.begin();
  const deadlineMs = performance.now() + options.seconds * 1_000;
  while (performance.now() < deadlineMs && !follower.isEnded && options.signal?.aborted !== true) await follower.step();
  await follower.finish();
  return follower.report();
}

type Variant = Readonly<{ bandwidthBps: number; codecs: string[]; resolution: string | null }>;

class HlsFollower {
  readonly #options: CheckHlsOptions;
  readonly #book = new RuleBook();
  readonly #media = new MediaRules(this.#book);
  #mediaUrl: URL;
  #variant: Variant | null = null;
  #list: MediaPlaylist | null = null;
  #initUri: string | null = null;
  #updates = 0;
  #parts = 0;
  #segments = 0;
  /** Bodies of the parts of the segment being followed. */
  #partBodies: Buffer[] = [];
  /** The next to be followed: this part of this segment. */
  #cursor: { mediaSequence: number; part: number } | null = null;
  /** What was asked for ahead, by URI. */
  readonly #hinted = new Map<string, Promise<OriginAnswer>>();
  #updatedAtMs: number | null = null;

  constructor(options: CheckHlsOptions) {
    this.#options = options;
    this.#mediaUrl = new URL(options.url);
  }

  get isEnded(): boolean {
    return this.#list?.isEnded === true;
  }

  report(): HlsReport {
    return {
      book: this.#book,
      protocol: this.#options.origin.protocol,
      isLowLatency: this.#list?.canBlockReload === true && this.#list.partTargetMs !== null,
      updates: this.#updates,
      parts: this.#parts,
      segments: this.#segments,
    };
  }

  async begin(): Promise<void> {
    const first = await this.#askFor(new URL(this.#options.url));
    const text = first.body.toString('utf8');
    this.#checkPlaylistHead(first);
    if (text.includes('#EXT-X-STREAM-INF')) this.#readMaster(text);
    const answer = await this.#askFor(this.#mediaUrl);
    this.#checkPlaylistHead(answer);
    const cache = answer.headers['cache-control'] ?? '';
    const maxAgeS = Number(/(?:s-maxage|max-age)=(\d+)/.exec(cache)?.[1] ?? 0);
    this.#takeList(answer);
    const targetS = this.#list?.targetDurationS ?? 0;
    const isFresh = cache.includes('no-') || maxAgeS <= targetS / 2;
    this.#book.hold('http.cache-playlist', isFresh, () => `Cache-Control: ${cache}`);
    const head = await this.#options.origin.ask(this.#mediaUrl, 'HEAD');
    const isLike =
      head.status === 200 && head.body.length === 0 && head.headers['content-type'] === answer.headers['content-type'];
    this.#book.hold('http.head', isLike, () => `HEAD ${head.status}`);
    await this.#checkFarRequest();
    this.#checkVariant();
  }

  /** One reload of the list, and all that is new in it. */
  async step(): Promise<void> {
    const list = this.#list;
    if (list === null) return;
    const hinted = this.#askHint(list);
    if (list.canBlockReload) await this.#blockingReload(list);
    else {
      await sleep((list.targetDurationS ?? 1) * 500);
      this.#takeList(await this.#askFor(this.#mediaUrl));
    }
    await this.#followNew();
    await hinted;
  }

  async finish(): Promise<void> {
    await Promise.allSettled(this.#hinted.values());
    const oldest = this.#list?.segments[0];
    if (oldest?.uri != null) await this.#fetch(oldest.uri);
  }

  #readMaster(text: string): void {
    const lines = text.split(/\r?\n/);
    const at = lines.findIndex((line) => line.startsWith('#EXT-X-STREAM-INF:'));
    const attributes = readAttributes((lines[at] ?? '').slice('#EXT-X-STREAM-INF:'.length));
    this.#variant = {
      bandwidthBps: Number(attributes.get('BANDWIDTH') ?? 0),
      codecs: (attributes.get('CODECS') ?? '').split(',').filter((codec) => codec !== ''),
      resolution: attributes.get('RESOLUTION') ?? null,
    };
    const uri = lines.slice(at + 1).find((line) => line !== '' && !line.startsWith('#'));
    this.#mediaUrl = new URL(uri ?? '', this.#mediaUrl);
  }

  #checkPlaylistHead({ status, headers }: OriginAnswer): void {
    if (status !== 200) throw new Error(`the playlist is answered with ${status}`);
    const type = headers['content-type'] ?? '';
    this.#book.hold('playlist.content-type', PLAYLIST_TYPES.test(type), () => type);
    const origin = headers['access-control-allow-origin'];
    this.#book.hold('http.cors', origin === '*' || origin !== undefined, () => 'no Access-Control-Allow-Origin');
  }

  #takeList(answer: OriginAnswer): void {
    if (answer.status !== 200) {
      this.#book.hold('object.available', false, () => `the list: ${answer.status}`);
      return;
    }
    const text = answer.body.toString('utf8');
    const list = readMediaPlaylist(text);
    checkPlaylist(this.#book, list, text);
    if (this.#list !== null) checkUpdate(this.#book, this.#list, list);
    this.#list = list;
    this.#updates += 1;
    this.#cursor ??= { mediaSequence: list.segments.at(-1)?.mediaSequence ?? list.mediaSequence, part: 0 };
  }

  async #checkFarRequest(): Promise<void> {
    const last = this.#list?.segments.at(-1)?.mediaSequence;
    if (last === undefined || this.#list?.canBlockReload !== true) return;
    const { status } = await this.#options.origin.ask(this.#reloadUrl(last + 10, 0));
    this.#book.hold('block.refuses-far', status === 400, () => `answered with ${status}`);
  }

  #reloadUrl(mediaSequence: number, part: number | null): URL {
    const url = new URL(this.#mediaUrl);
    url.searchParams.set('_HLS_msn', String(mediaSequence));
    if (part !== null) url.searchParams.set('_HLS_part', String(part));
    return url;
  }

  /** Asks for the list with the next part in it and holds the answer to that. */
  async #blockingReload(list: MediaPlaylist): Promise<void> {
    const last = list.segments.at(-1);
    const isOpen = last !== undefined && last.uri === null;
    const mediaSequence = isOpen ? last.mediaSequence : (last?.mediaSequence ?? list.mediaSequence - 1) + 1;
    const part = list.partTargetMs === null ? null : isOpen ? last.parts.length : 0;
    const answer = await this.#askFor(this.#reloadUrl(mediaSequence, part));
    const isPrompt = this.#updatedAtMs !== null && list.partTargetMs !== null;
    if (isPrompt && answer.status === 200) {
      const tookMs = answer.answeredAtMs - (this.#updatedAtMs ?? 0);
      const limitMs = (list.partTargetMs ?? 0) * 1.5 + LATE_TOLERANCE_MS;
      this.#book.hold(
        'block.in-time',
        tookMs <= limitMs,
        () => `${mediaSequence}.${part} took ${tookMs.toFixed(0)} ms`,
      );
    }
    this.#updatedAtMs = answer.answeredAtMs;
    this.#takeList(answer);
    if (answer.status !== 200 || this.#list === null) return;
    const asked = `${mediaSequence}.${part ?? ''}`;
    this.#book.hold('block.contains', holds(this.#list, mediaSequence, part), () => `${asked} is not in the answer`);
  }

  /** Asks for the hinted part before it is there. */
  async #askHint(list: MediaPlaylist): Promise<void> {
    const uri = list.preloadHintUri;
    if (uri === null || this.#hinted.has(uri)) return;
    const answer = this.#options.origin.ask(new URL(uri, this.#mediaUrl));
    this.#hinted.set(uri, answer);
    answer.catch(() => undefined); // told when it is used
  }

  async #followNew(): Promise<void> {
    for (const segment of this.#list?.segments ?? []) {
      if (this.#cursor === null || segment.mediaSequence < this.#cursor.mediaSequence) continue;
      if (segment.mediaSequence > this.#cursor.mediaSequence) this.#beginSegment(segment.mediaSequence);
      await this.#followSegment(segment);
    }
  }

  #beginSegment(mediaSequence: number): void {
    this.#cursor = { mediaSequence, part: 0 };
    this.#partBodies = [];
  }

  async #followSegment(segment: ListedSegment): Promise<void> {
    await this.#useInit(segment);
    const cursor = this.#cursor;
    if (cursor === null) return;
    for (const part of segment.parts.slice(cursor.part)) {
      const body = await this.#fetchPart(part.uri);
      const isFirst = cursor.part === 0;
      cursor.part += 1;
      if (body === null) continue;
      this.#partBodies.push(body);
      this.#media.follow({ ...part, hasDiscontinuity: isFirst && segment.hasDiscontinuity }, body, 'part');
      this.#parts += 1;
    }
    if (segment.uri === null || segment.durationMs === null) return;
    await this.#followWhole(segment, segment.uri, segment.durationMs);
    this.#beginSegment(segment.mediaSequence + 1);
  }

  /** A complete segment: against its parts, or followed itself where the list has none. */
  async #followWhole(segment: ListedSegment, uri: string, durationMs: number): Promise<void> {
    const body = await this.#fetch(uri);
    if (body === null) return;
    this.#segments += 1;
    if (this.#variant !== null && durationMs > 0) {
      const bps = (body.length * 8_000) / durationMs;
      const limit = this.#variant.bandwidthBps * 1.1;
      this.#book.hold(
        'master.bandwidth',
        bps <= limit,
        () => `${uri}: ${bps.toFixed(0)} bit/s, BANDWIDTH ${this.#variant?.bandwidthBps}`,
      );
    }
    if (segment.parts.length === 0) {
      this.#media.follow(
        { uri, durationMs, isIndependent: false, hasDiscontinuity: segment.hasDiscontinuity },
        body,
        'segment',
      );
      return;
    }
    if (this.#partBodies.length !== segment.parts.length) return; // began in the middle
    this.#book.hold('parts.equal-segment', Buffer.concat(this.#partBodies).equals(body), () => uri);
  }

  async #useInit({ mapUri }: ListedSegment): Promise<void> {
    if (mapUri === null || mapUri === this.#initUri) return;
    const body = await this.#fetch(mapUri);
    if (body === null || !this.#media.useInit(mapUri, body)) return;
    this.#initUri = mapUri;
    this.#checkVariant();
  }

  /** What the multivariant playlist promised against the first init segment. */
  #checkVariant(): void {
    const { tracks } = this.#media;
    const variant = this.#variant;
    if (variant === null || tracks.length === 0) return;
    const actual = tracks.map(({ codec, sampleEntry }) => codec ?? sampleEntry);
    const isAsSaid =
      actual.length === variant.codecs.length &&
      actual.every((codec) => variant.codecs.some((one) => sameCodec(one, codec)));
    this.#book.hold(
      'master.codecs',
      isAsSaid,
      () => `CODECS ${variant.codecs.join(',')}, init segment ${actual.join(',')}`,
    );
    const video = tracks.find(({ handler }) => handler === 'vide');
    const resolution = video === undefined ? null : `${video.widthPx}x${video.heightPx}`;
    this.#book.hold(
      'master.resolution',
      variant.resolution === resolution,
      () => `RESOLUTION ${variant.resolution}, init segment ${resolution}`,
    );
  }

  async #fetchPart(uri: string): Promise<Buffer | null> {
    const hinted = this.#hinted.get(uri);
    if (hinted === undefined) return this.#fetch(uri);
    this.#hinted.delete(uri);
    const answer = await hinted.catch(() => null);
    const isServed = answer?.status === 200;
    this.#book.hold('object.hint-served', isServed, () => `${uri}: ${answer?.status ?? 'no answer'}`);
    return isServed ? answer.body : this.#fetch(uri);
  }

  async #fetch(uri: string): Promise<Buffer | null> {
    const answer = await this.#askFor(new URL(uri, this.#mediaUrl));
    this.#book.hold('object.available', answer.status === 200, () => `${uri}: ${answer.status}`);
    if (answer.status !== 200) return null;
    const cache = answer.headers['cache-control'] ?? '';
    this.#book.hold('http.cache-media', !/no-store|no-cache/.test(cache), () => `${uri}: Cache-Control: ${cache}`);
    this.#book.hold('http.cors', answer.headers['access-control-allow-origin'] !== undefined, () => uri);
    return answer.body;
  }

  #askFor(url: URL): Promise<OriginAnswer> {
    return this.#options.origin.ask(url);
  }
}

/** HEVC strings are compared by entry and profile only: constraint bytes are written in more than one way. */
function sameCodec(said: string, actual: string): boolean {
  return said.toLowerCase() === actual.toLowerCase() || (/^h(vc|ev)1/.test(actual) && said.startsWith(actual));
}

function holds(list: MediaPlaylist, mediaSequence: number, part: number | null): boolean {
  const last = list.segments.at(-1);
  if (last === undefined) return false;
  if (last.mediaSequence > mediaSequence) return true;
  if (last.mediaSequence < mediaSequence) return list.isEnded;
  return last.uri !== null || (part !== null && last.parts.length > part);
}
