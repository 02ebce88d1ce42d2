/**
 * Do three independent counts of the audience agree (strategy 3.5, criterion A4)? The lab knows whom it sent, the media
 * server whom it serves, the realtime server who is in its rooms. Compared are figures of the same moment only; people who
 * are there besides the lab's own make its count the smaller one.
 */
import type { Collector, Reading } from './collector.ts';
import { CollectError, onlyFinite } from './collector.ts';
import { isCollected, type SampleLine } from './sample.ts';

type Seen = { readonly atMs: number; readonly metrics: Readonly<Record<string, number>> };

/** Remembers what the others brought; `collector` compares it. Feed it every line. */
export class ViewerCount {
  readonly #seen = new Map<string, Seen>();
  readonly #maxAgeMs: number;
  #nowMs = 0;
  #hasCompared = false;

  /** Figures older than this are none: one interval of the collecting. */
  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  /** Every line of the loop. */
  add(line: SampleLine): void {
    this.#nowMs = Math.max(this.#nowMs, line.atMs);
    const key = `${line.collector} ${line.source}`;
    if (!isCollected(line)) this.#seen.delete(key);
    else if (line.labels?.stream === undefined) this.#seen.set(key, { atMs: line.atMs, metrics: line.metrics });
  }

  /** Runs after the others of the same moment. */
  collector(): Collector {
    return { collector: 'viewer-count', source: 'lab', group: 1, scrape: () => this.#compare() };
  }

  #compare(): readonly Reading[] {
    const lab = this.#latest('lab', ['viewers', 'room_members']);
    // The API counts clients of every kind the same way on any server; our metrics are the second choice.
    const media = this.#latest('srs', ['viewers']).viewers ?? this.#latest('media', ['viewers']).viewers;
    const { viewers: room, streaming_connections: sockets } = this.#latest('websocket', [
      'viewers',
      'streaming_connections',
    ]);
    const deltas = {
      viewers_delta_pct: deltaPercent(lab.viewers, media),
      room_delta_pct: deltaPercent(lab.room_members, room),
      sockets_delta_pct: deltaPercent(room, sockets),
    };
    const known = Object.values(deltas).filter((delta) => delta !== undefined);
    // Where a second count never was, there is nothing to compare and nobody to warn: that is no gap.
    if (known.length === 0 && this.#hasCompared) throw new CollectError('fewer than two sources count the viewers');
    this.#hasCompared ||= known.length > 0;
    const counts = { viewers_lab: lab.viewers, viewers_media: media, room_lab: lab.room_members, room_realtime: room };
    // The largest of none is not finite, and left out.
    return [{ metrics: onlyFinite({ ...counts, ...deltas, delta_pct: Math.max(...known) }) }];
  }

  /** Several servers of a kind: their sum. */
  #latest<Name extends string>(collector: string, names: readonly Name[]): Partial<Record<Name, number>> {
    const figures: Partial<Record<Name, number>> = {};
    for (const [key, { atMs, metrics }] of this.#seen) {
      if (!key.startsWith(`${collector} `) || this.#nowMs - atMs > this.#maxAgeMs) continue;
      for (const name of names) {
        const value = metrics[name];
        if (value !== undefined) figures[name] = (figures[name] ?? 0) + value;
      }
    }
    return figures;
  }
}

/** Difference of the larger; undefined when one of them is unknown. Two zeros agree. */
export function deltaPercent(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return undefined;
  const larger = Math.max(one, other);
  return larger === 0 ? 0 : (Math.abs(one - other) / larger) * 100;
}
