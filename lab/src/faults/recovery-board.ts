/**
 * Who sees a new picture again after a fault, and when. One board per worker thread; viewers tell what they show, the
 * conductor of the faults tells when one was injected and healed. The clock starts when the fault is healed
 * (requirements, Readings 13). Times are monotonic.
 */

/** What became of one viewer who was watching when the fault came. `recoveryMs` 0: the picture never went away. */
export type ViewerRecovery = {
  readonly fault: string;
  readonly group: string;
  /** Null: no new picture within the time. */
  readonly recoveryMs: number | null;
};

/** Progress of a fault. `void`: it could not be shown to work, so nobody recovers from it. */
export type FaultStage = 'injected' | 'healed' | 'void' | 'unhealed';

type Viewer = { readonly group: string; fromMs: number; toMs: number };
type Watched = { readonly fault: string; healedAtMs: number | null; readonly waiting: Set<number> };

/** Who showed a picture this shortly before the fault was watching. */
const WATCHING_MS = 2000;
/** Two stretches of pictures this close are one. */
const JOIN_MS = 50;
/** Who leaves earlier than this after the healing neither recovered nor failed to. */
const LEAVING_COUNTS_AFTER_MS = 30_000;

/** Owned by a worker thread. */
export class RecoveryBoard {
  readonly #viewers = new Map<number, Viewer>();
  readonly #report: (recovery: ViewerRecovery) => void;
  #watched: Watched | null = null;

  constructor(report: (recovery: ViewerRecovery) => void) {
    this.#report = report;
  }

  /** The viewer showed new pictures from one instant to another. */
  shown(vu: number, group: string, fromMs: number, toMs: number): void {
    const viewer = this.#viewers.get(vu);
    if (viewer === undefined) this.#viewers.set(vu, { group, fromMs, toMs });
    else {
      if (fromMs > viewer.toMs + JOIN_MS) viewer.fromMs = fromMs;
      viewer.toMs = toMs;
    }
    this.#settle(vu);
  }

  /** The viewer is gone, as planned. */
  left(vu: number, atMs: number): void {
    const watched = this.#watched;
    if (watched?.waiting.has(vu)) {
      const isLost = watched.healedAtMs === null || atMs - watched.healedAtMs >= LEAVING_COUNTS_AFTER_MS;
      if (isLost) this.#conclude(vu, null);
      watched.waiting.delete(vu);
    }
    this.#viewers.delete(vu);
  }

  /** The fault came to a new stage. */
  on(fault: string, stage: FaultStage, atMs: number): void {
    if (stage === 'injected') {
      this.#giveUp();
      const watching = [...this.#viewers].filter(([, { toMs }]) => toMs >= atMs - WATCHING_MS).map(([vu]) => vu);
      this.#watched = { fault, healedAtMs: null, waiting: new Set(watching) };
      return;
    }
    if (this.#watched?.fault !== fault) return;
    if (stage === 'void') this.#watched = null;
    else if (stage === 'unhealed') this.#giveUp();
    else {
      this.#watched.healedAtMs = atMs;
      for (const vu of this.#watched.waiting) this.#settle(vu);
    }
  }

  #settle(vu: number): void {
    const viewer = this.#viewers.get(vu);
    const healedAtMs = this.#watched?.healedAtMs ?? null;
    if (healedAtMs === null || viewer === undefined || !this.#watched?.waiting.has(vu)) return;
    if (viewer.toMs > healedAtMs) this.#conclude(vu, Math.max(0, viewer.fromMs - healedAtMs));
  }

  #conclude(vu: number, recoveryMs: number | null): void {
    const [viewer, watched] = [this.#viewers.get(vu), this.#watched];
    if (viewer === undefined || watched === null) return;
    watched.waiting.delete(vu);
    this.#report({ fault: watched.fault, group: viewer.group, recoveryMs });
  }

  /** Who still waits when the next fault comes has not recovered from the last one. */
  #giveUp(): void {
    for (const vu of this.#watched?.waiting ?? []) this.#conclude(vu, null);
    this.#watched = null;
  }
}

/** What the watch looks at: a player of any kind. */
export type PictureSource = { readonly playheadMs: number; readonly totals: { readonly playedMs: number } };

/**
 * A server repeats at most this much (its GOP cache) to somebody who comes back. The price: when a stream younger than this
 * starts over, its pictures pass for repeated ones until they are older than the last one shown.
 */
const REPLAY_MS_MAX = 5000;

/**
 * Tells new pictures of one viewer from repeated ones, over all its connections: new is what lies beyond all that was
 * shown, or on another timeline. `look` at least a few times per second.
 */
export class FreshPictures {
  readonly #shown: (fromMs: number, toMs: number) => void;
  #newestMs: number | null = null;
  #playedMs = 0;

  constructor(shown: (fromMs: number, toMs: number) => void) {
    this.#shown = shown;
  }

  look(nowMs: number, { playheadMs, totals }: PictureSource): void {
    const isNewPlayer = totals.playedMs < this.#playedMs;
    const playedMs = totals.playedMs - (isNewPlayer ? 0 : this.#playedMs);
    this.#playedMs = totals.playedMs;
    if (playedMs <= 0) return;
    const newestMs = this.#newestMs;
    if (newestMs !== null && playheadMs <= newestMs && playheadMs > newestMs - REPLAY_MS_MAX) return;
    this.#newestMs = playheadMs;
    const beyondMs = newestMs === null || playheadMs < newestMs ? playedMs : playheadMs - newestMs;
    this.#shown(nowMs - Math.min(playedMs, beyondMs), nowMs);
  }
}
