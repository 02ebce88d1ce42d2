/** Who is on board while a run goes on: the plan, and what steering adds to it and takes away. */
import type { Plan, PlannedVu } from './plan.ts';
import type { CoordinatorMessage } from './worker-messages.ts';

/** Virtual users that steering may add in one run; further ones are not added. */
export const ADDED_VUS_MAX = 100_000;
/** Users who are added come one after the other within this time, not all at once. */
const COME_WITHIN_MS = 1000;
/** A message to a worker is on its way for less than this. */
const NOTICE_MS = 100;

/** One run. Times are milliseconds from its start. */
export class Crew {
  readonly #durationMs: number;
  readonly #workers: number;
  readonly #send: (worker: number, message: CoordinatorMessage) => boolean;
  readonly #vus: PlannedVu[];
  #added = 0;

  /** `send` tells a worker; it returns false when that worker is gone. */
  constructor(plan: Plan, workers: number, send: (worker: number, message: CoordinatorMessage) => boolean) {
    this.#durationMs = plan.durationMs;
    this.#workers = workers;
    this.#send = send;
    this.#vus = [...plan.vus];
  }

  /** How many should be at work. */
  count(atMs: number): number {
    return this.#vus.filter((vu) => vu.startAtMs < atMs && atMs <= vu.stopAtMs).length;
  }

  /** Who comes stays to the end; who came last leaves first. Returns how many really come (above 0) or go (below). */
  steer(group: string, by: number, atMs: number): number {
    return by > 0 ? this.#add(group, by, atMs) : 0 - this.#remove(group, -by, atMs);
  }

  #add(group: string, wanted: number, atMs: number): number {
    const fellow = this.#vus.find((vu) => vu.group === group);
    const count = Math.min(wanted, ADDED_VUS_MAX - this.#added);
    if (fellow === undefined || count <= 0 || atMs + NOTICE_MS + COME_WITHIN_MS >= this.#durationMs) return 0;
    const next = (read: (vu: PlannedVu) => number): number =>
      this.#vus.reduce((most, vu) => Math.max(most, read(vu)), -1) + 1;
    const first = { id: next(({ id }) => id), slot: next(({ slot }) => slot) };
    const firstIndex = next((vu) => (vu.group === group ? vu.indexInGroup : -1));
    const vus = Array.from({ length: count }, (_, index) => ({
      ...fellow,
      id: first.id + index,
      slot: first.slot + index,
      indexInGroup: firstIndex + index,
      startAtMs: Math.round(atMs + NOTICE_MS + (index / count) * COME_WITHIN_MS),
      stopAtMs: this.#durationMs,
    }));
    const told = this.#tell(vus, (part) => ({ type: 'join', vus: part }));
    this.#vus.push(...told);
    this.#added += told.length;
    return told.length;
  }

  #remove(group: string, wanted: number, atMs: number): number {
    const present = this.#vus.filter((vu) => vu.group === group && vu.startAtMs <= atMs && atMs < vu.stopAtMs);
    const last = present.toSorted((a, b) => b.startAtMs - a.startAtMs).slice(0, wanted);
    const told = new Set(this.#tell(last, (part) => ({ type: 'leave', ids: part.map(({ id }) => id) })));
    for (const [index, vu] of this.#vus.entries()) {
      if (told.has(vu)) this.#vus[index] = { ...vu, stopAtMs: Math.round(atMs) };
    }
    return told.size;
  }

  /** Returns those whose worker was there to be told. */
  #tell(vus: readonly PlannedVu[], message: (part: readonly PlannedVu[]) => CoordinatorMessage): PlannedVu[] {
    return Array.from({ length: this.#workers }, (_, worker) => {
      const part = vus.filter(({ slot }) => slot % this.#workers === worker);
      return part.length > 0 && this.#send(worker, message(part)) ? part : [];
    }).flat();
  }
}
