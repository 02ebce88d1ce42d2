import { GOP_LIMITS, type GopLimits } from './gop-cache.ts';
import { type SourcePacket, Stream } from './stream.ts';

/** What happened to a show's stream. `reason` is a stable word, e.g. `publisher_closed`, `grace_over`, `cut`. */
export type HubEvent = Readonly<{
  type: 'started' | 'interrupted' | 'resumed' | 'ended';
  playbackId: string;
  sessionId: string;
  showId: string;
  atMs: number;
  reason?: string;
  /** `interrupted` only. */
  graceEndsAtMs?: number;
}>;

/** A publisher as the hub sees it: who may be told to go. */
export type PublisherHandle = Readonly<{ clientId: string /** Ends the connection. */; cut: (reason: string) => void }>;

/** Where else a show goes. `url` holds the target's stream key: it is never logged, counted or shown. */
export type RestreamTarget = Readonly<{ id: string; url: string }>;

/** The show behind an admitted publish, and what commerce wants done with it. */
export type Admission = Readonly<{
  playbackId: string;
  showId: string;
  graceMs: number;
  restreamTargets: readonly RestreamTarget[];
  /** Grows with each change of the targets; a lower one is older. 0 when nobody counts. */
  restreamRevision?: number;
  recording: Readonly<{ isEnabled: boolean }>;
}>;

/** A publisher's hold on its stream. */
export type Publication = Readonly<{
  stream: Stream;
  admission: Admission;
  push: (packet: SourcePacket) => void;
  /** The publisher is gone; starts the grace window. Calling it again does nothing. */
  end: (reason: string) => void;
}>;

export type HubOptions = Readonly<{
  gop?: GopLimits;
  streamsMax?: number;
  /** A publisher that sent media within this time keeps its place against a newcomer. */
  rivalWindowMs?: number;
  onEvent: (event: HubEvent) => void;
  /**
   * A stream goes on air: its headers are there, its first frame follows. Here recorders, restreams and packagers attach; they
   * live until `StreamOutput.ended`, through interruptions.
   */
  onStarted?: (stream: Stream, admission: Admission) => void;
  /** A known stream has been admitted anew (its publisher returned): targets and settings may be others. */
  onReadmitted?: (stream: Stream, admission: Admission) => void;
  onOutputFailed?: (playbackId: string, error: unknown) => void;
  onGopOverflow?: (playbackId: string) => void;
  onUnreadableHeader?: (playbackId: string) => void;
}>;

/** Streams on air or in grace at once. */
export const STREAMS_MAX = 200;
const RIVAL_WINDOW_MS = 2_000;

type Entry = {
  readonly stream: Stream;
  admission: Admission;
  publisher: PublisherHandle | null;
  lastMediaAtMs: number;
  graceTimer: NodeJS.Timeout | null;
  /** The window ran out while a publisher was admitted that had not sent a frame yet: it decides. */
  isGraceOver: boolean;
};

/** Every stream on air or in grace, and who publishes it. Owns the grace timers; `close` ends them. */
export class StreamHub {
  readonly #options: HubOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** The stream that viewers may join: on air or in grace; undefined for all others. */
  find(playbackId: string): Stream | undefined {
    const stream = this.#entries.get(playbackId)?.stream;
    return stream === undefined || stream.state === 'pending' ? undefined : stream;
  }

  /** All streams with their publishers' client ids, for the control API. */
  list(): readonly { stream: Stream; publisherClientId: string | null }[] {
    return Array.from(this.#entries.values(), ({ stream, publisher }) => ({
      stream,
      publisherClientId: publisher?.clientId ?? null,
    }));
  }

  /**
   * Gives the stream to a publisher. A present publisher with media in the last two seconds keeps it (`bad_name`: two
   * encoders that reconnect by themselves must not fight); an older one is stale and cut.
   */
  publish(
    admission: Admission,
    publisher: PublisherHandle,
  ): { ok: true; publication: Publication } | { ok: false; reason: 'bad_name' | 'too_many_streams' } {
    const known = this.#entries.get(admission.playbackId);
    if (known === undefined && this.#entries.size >= (this.#options.streamsMax ?? STREAMS_MAX)) {
      return { ok: false, reason: 'too_many_streams' };
    }
    if (known !== undefined && known.publisher !== null) {
      const silentMs = performance.now() - known.lastMediaAtMs;
      if (silentMs < (this.#options.rivalWindowMs ?? RIVAL_WINDOW_MS)) return { ok: false, reason: 'bad_name' };
      const stale = known.publisher;
      known.publisher = null;
      stale.cut('replaced');
    }
    const entry = known ?? this.#create(admission);
    entry.admission = admission;
    entry.publisher = publisher;
    entry.lastMediaAtMs = performance.now();
    entry.stream.beginSource();
    if (entry.stream.state !== 'pending') this.#options.onReadmitted?.(entry.stream, admission);
    return { ok: true, publication: this.#publication(entry, publisher) };
  }

  /** Ends a stream at once, without grace: its publisher is cut, its viewers are ended. False when there is none. */
  end(playbackId: string, reason: string): boolean {
    const entry = this.#entries.get(playbackId);
    if (entry === undefined) return false;
    this.#end(entry, reason);
    return true;
  }

  /**
   * The process stops: streams on air are told `interrupted`, with the grace that commerce gives them, and the grace timers
   * end. No `ended` is told: after a restart the publisher resumes the show. Publishers are let go, not cut.
   */
  close(): void {
    for (const entry of this.#entries.values()) {
      clearGrace(entry);
      entry.publisher = null;
      if (entry.stream.state !== 'live') continue;
      entry.stream.interrupt();
      const graceEndsAtMs = Date.now() + entry.admission.graceMs;
      this.#tell(entry, 'interrupted', { reason: 'server_stopping', graceEndsAtMs });
    }
  }

  #create(admission: Admission): Entry {
    const { playbackId } = admission;
    const stream = new Stream(playbackId, {
      gop: this.#options.gop ?? GOP_LIMITS,
      onGopOverflow: () => this.#options.onGopOverflow?.(playbackId),
      onUnreadableHeader: () => this.#options.onUnreadableHeader?.(playbackId),
      onOutputFailed: (error) => this.#options.onOutputFailed?.(playbackId, error),
    });
    const entry: Entry = { stream, admission, publisher: null, lastMediaAtMs: 0, graceTimer: null, isGraceOver: false };
    this.#entries.set(playbackId, entry);
    return entry;
  }

  #publication(entry: Entry, publisher: PublisherHandle): Publication {
    return {
      stream: entry.stream,
      admission: entry.admission,
      push: (packet) => {
        if (entry.publisher !== publisher) return; // replaced meanwhile
        if (packet.kind === 'frames') this.#frameCame(entry);
        entry.stream.push(packet);
      },
      end: (reason) => {
        if (entry.publisher !== publisher) return;
        entry.publisher = null;
        this.#publisherLeft(entry, reason);
      },
    };
  }

  #frameCame(entry: Entry): void {
    entry.lastMediaAtMs = performance.now();
    const before = entry.stream.state;
    if (before === 'live') return;
    clearGrace(entry);
    entry.stream.goLive();
    if (before === 'pending') this.#options.onStarted?.(entry.stream, entry.admission);
    this.#tell(entry, before === 'pending' ? 'started' : 'resumed', {});
  }

  #publisherLeft(entry: Entry, reason: string): void {
    switch (entry.stream.state) {
      case 'pending':
        this.#entries.delete(entry.stream.playbackId); // never went on air: nothing to tell
        return;
      case 'live':
        this.#interrupt(entry, reason);
        return;
      case 'interrupted': // came back, sent nothing, left: the window runs on, or has run out meanwhile
        if (entry.isGraceOver) this.#end(entry, 'grace_over');
        return;
      case 'ended':
        return;
    }
  }

  #interrupt(entry: Entry, reason: string): void {
    const { graceMs } = entry.admission;
    if (graceMs === 0) {
      this.#end(entry, reason);
      return;
    }
    entry.stream.interrupt();
    entry.graceTimer = setTimeout(() => this.#graceRanOut(entry), graceMs);
    this.#tell(entry, 'interrupted', { reason, graceEndsAtMs: Date.now() + graceMs });
  }

  /** Who was admitted in time keeps the show: the session's own time limit for a first packet bounds the wait. */
  #graceRanOut(entry: Entry): void {
    clearGrace(entry);
    if (entry.publisher === null) this.#end(entry, 'grace_over');
    else entry.isGraceOver = true;
  }

  #end(entry: Entry, reason: string): void {
    clearGrace(entry);
    this.#entries.delete(entry.stream.playbackId);
    const publisher = entry.publisher;
    entry.publisher = null;
    const wasOnAir = entry.stream.state !== 'pending';
    publisher?.cut('ended');
    entry.stream.end();
    if (wasOnAir) this.#tell(entry, 'ended', { reason });
  }

  #tell(entry: Entry, type: HubEvent['type'], more: { reason?: string; graceEndsAtMs?: number }): void {
    const { playbackId, sessionId } = entry.stream;
    this.#options.onEvent({
      type,
      playbackId,
      sessionId,
      showId: entry.admission.showId,
      atMs: Date.now(),
      ...more,
    });
  }
}

function clearGrace(entry: Entry): void {
  if (entry.graceTimer !== null) clearTimeout(entry.graceTimer);
  entry.graceTimer = null;
  entry.isGraceOver = false;
}
