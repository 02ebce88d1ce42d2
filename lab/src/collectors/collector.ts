/** One source of figures. What the loop (`start-collectors.ts`) asks, and what a collector may answer. */
import type { CollectorKind } from './metric-names.ts';

/** Figures of one moment. `collector`: when one scrape serves several (a server's metrics hold its sockets too). */
export type Reading = {
  readonly collector?: CollectorKind;
  readonly metrics: Readonly<Record<string, number>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly histograms?: Readonly<Record<string, string>>;
};

/** One source. It remembers what it needs for "since the last scrape"; `scrape` is never called while one still runs. */
export type Collector = {
  readonly collector: CollectorKind;
  /** Name for people: of the process, the host and port … Never a secret. */
  readonly source: string;
  /** Texts that must not show up in what is recorded, e.g. a password that an error message repeats. */
  readonly secrets?: readonly string[];
  /**
   * A later group begins when all earlier ones of the same moment have ended: it works with what they brought.
   * Default 0.
   */
  readonly group?: 0 | 1;
  /** Whatever it throws is recorded as a gap. Should give up when the signal aborts: it has timed out then. */
  readonly scrape: (signal: AbortSignal) => Promise<readonly Reading[]> | readonly Reading[];
  readonly close?: () => Promise<void> | void;
};

/** Why there are no figures. The message goes into the run folder. */
export class CollectError extends Error {
  override readonly name = 'CollectError';
}

/** 2^20 bytes: the unit of `_mb`. */
export const MEGABYTE = 1_048_576;

/** Leaves out what could not be read: no figure is better than a wrong one. */
export function onlyFinite(values: Readonly<Record<string, number | null | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}
