import type { RestreamPlan } from '@showfloor/protocol';
import type { Logger, OutboundGuard } from '@showfloor/service-kit';
import type { Stream } from '../hub/stream.ts';
import type { Admission, RestreamTarget } from '../hub/stream-hub.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import type { RestreamStatus } from './restream-status.ts';
import { RESTREAM_LIMITS, Restreamer, type RestreamFacts, type RestreamLimits } from './restreamer.ts';

/** What the other planes are told of a target. */
export type RestreamChange = Readonly<{
  playbackId: string;
  showId: string;
  targetId: string;
  atMs: number;
  status: RestreamStatus;
}>;

export type RestreamDeskOptions = Readonly<{
  guard: OutboundGuard;
  metrics: MediaMetrics;
  log: Logger;
  limits?: Partial<RestreamLimits>;
  /** Certificate authority instead of the usual ones, PEM. */
  ca?: string;
  onChange?: (change: RestreamChange) => void;
  random?: () => number;
}>;

const SAMPLE_INTERVAL_MS = 1_000;

type Entry = {
  readonly stream: Stream;
  readonly showId: string;
  revision: number;
  readonly restreamers: Map<string, Restreamer>;
};

/** Which streams go to which targets, while they are on air. Owns the restreamers and the timer that samples them. */
export class RestreamDesk {
  readonly #options: RestreamDeskOptions;
  readonly #limits: RestreamLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #timer: NodeJS.Timeout;

  /** The caller closes it. */
  constructor(options: RestreamDeskOptions) {
    this.#options = options;
    this.#limits = { ...RESTREAM_LIMITS, ...options.limits };
    this.#timer = setInterval(() => this.sample(), SAMPLE_INTERVAL_MS);
    this.#timer.unref();
  }

  /** A stream is on air: its targets begin. */
  started(stream: Stream, admission: Admission): void {
    const { showId, restreamTargets, restreamRevision: revision = 0 } = admission;
    const entry: Entry = { stream, showId, revision, restreamers: new Map() };
    this.#entries.set(stream.playbackId, entry);
    this.#apply(entry, restreamTargets);
  }

  /** Its publisher was admitted anew, perhaps by an answer that was remembered and is older than the plan in force. */
  readmitted(stream: Stream, { restreamTargets: targets, restreamRevision: revision = 0 }: Admission): void {
    this.plan(stream.playbackId, { revision, targets: [...targets] });
  }

  /** The stream is over; its targets have been told by the stream itself. */
  ended(playbackId: string): void {
    const entry = this.#entries.get(playbackId);
    if (entry === undefined) return;
    this.#apply(entry, []);
    this.#entries.delete(playbackId);
  }

  /** Replaces the targets of a stream on air. Those that stay the same are not disturbed. */
  plan(playbackId: string, plan: RestreamPlan): 'applied' | 'stale' | 'unknown' {
    const entry = this.#entries.get(playbackId);
    if (entry === undefined) return 'unknown';
    if (plan.revision < entry.revision) return 'stale';
    entry.revision = plan.revision;
    this.#apply(entry, plan.targets);
    return 'applied';
  }

  /** The targets of a stream; empty for a stream without any and for one that is not on air. */
  factsOf(playbackId: string): readonly RestreamFacts[] {
    return Array.from(this.#entries.get(playbackId)?.restreamers.values() ?? [], ({ facts }) => facts);
  }

  /** Measures every target: about once a second. */
  sample(): void {
    const nowMs = performance.now();
    const states = new Map<string, number>(['connecting', 'active', 'waiting'].map((state) => [state, 0]));
    for (const { restreamers } of this.#entries.values()) {
      for (const restreamer of restreamers.values()) {
        restreamer.sample(nowMs);
        const { status, bitrateBps, frameRate } = restreamer.facts;
        const target = restreamer.target.id;
        states.set(status.state, (states.get(status.state) ?? 0) + 1);
        this.#options.metrics.restreamActive.set({ target }, status.state === 'active' ? 1 : 0);
        this.#options.metrics.restreamBitrate.set({ target }, bitrateBps);
        this.#options.metrics.restreamFrameRate.set({ target }, frameRate);
      }
    }
    for (const [state, count] of states) this.#options.metrics.restreamTargets.set({ state }, count);
  }

  /** Ends every push. */
  close(): void {
    clearInterval(this.#timer);
    for (const playbackId of this.#entries.keys()) this.ended(playbackId);
  }

  #apply(entry: Entry, targets: readonly RestreamTarget[]): void {
    const wanted = new Map(targets.map((target) => [target.id, target]));
    for (const [id, restreamer] of entry.restreamers) {
      if (wanted.get(id)?.url === restreamer.target.url) wanted.delete(id);
      else this.#end(entry, restreamer);
    }
    for (const target of wanted.values()) this.#begin(entry, target);
  }

  #begin(entry: Entry, target: RestreamTarget): void {
    const { stream, showId } = entry;
    const { onChange, log } = this.#options;
    const { playbackId } = stream;
    const targetId = target.id;
    log.info({ playbackId, targetId }, 'restream.started');
    let told: RestreamStatus | null = null;
    const restreamer = new Restreamer(stream, target, {
      ...this.#options,
      limits: this.#limits,
      onStatus: (status) => {
        // A target that keeps failing is told of once, not at every attempt.
        if (status.state === 'connecting' && told?.state === 'waiting') return;
        if (status.state === told?.state && status.reason === told.reason) return;
        told = status;
        onChange?.({ playbackId, showId, targetId, atMs: Date.now(), status });
      },
    });
    entry.restreamers.set(targetId, restreamer);
    stream.attach(restreamer);
  }

  #end(entry: Entry, restreamer: Restreamer): void {
    restreamer.stop();
    const { id } = restreamer.target;
    entry.restreamers.delete(id);
    const { metrics, log } = this.#options;
    for (const gauge of [metrics.restreamActive, metrics.restreamBitrate, metrics.restreamFrameRate]) {
      gauge.remove({ target: id });
    }
    const { sentBytes, droppedPackets, attempts } = restreamer.facts;
    const { playbackId } = entry.stream;
    log.info({ playbackId, targetId: id, sentBytes, droppedPackets, attempts }, 'restream.stopped');
  }
}
