/** An alert rule is data; `alert-board.ts` holds samples against it. */

/** `warning`: look at it; `critical`: viewers suffer, or soon will. */
export type AlertSeverity = 'warning' | 'critical';

/** Fires when `value op threshold` holds. */
export type AlertOp = '>' | '<' | '==' | '!=';

/** One threshold. Every source (and every stream or container within it) is watched on its own. */
export type AlertRule = {
  readonly id: string;
  /** Section of the strategy, or row of the requirements, that asks for it. */
  readonly section: string;
  readonly severity: AlertSeverity;
  /** For people: what is wrong when it fires. */
  readonly title: string;
  /** Which lines: any of these collectors; with `source`, only sources whose name this finds. */
  readonly collectors: readonly string[];
  readonly source?: RegExp;
  readonly metric: string;
  readonly op: AlertOp;
  readonly threshold: number;
  /** The condition must have been seen to hold for so long; 0: one sample is enough. */
  readonly forMs: number;
  /** A fired `>` or `<` clears only on the good side of this value; default: the threshold. */
  readonly clearAt?: number;
};

/** A change, a line of `events.jsonl`. `source`: with the label that tells its parts, e.g. `srs live/demo`. */
export type AlertEvent = {
  readonly name: 'alert_fired' | 'alert_cleared';
  readonly rule: string;
  readonly severity: AlertSeverity;
  readonly title: string;
  readonly section: string;
  readonly source: string;
  readonly atMs: number;
  readonly atWallMs: number;
  /** Null for a source that brings no figures. */
  readonly value: number | null;
  readonly threshold: number;
};
