/**
 * Holds lines of samples against alert rules. Pure: no clock but the lines' own, so that a run folder gives the same alerts
 * again. A gap is no evidence: it neither fires nor clears anything, and the time it covers does not count for a rule's
 * duration. That a source brings gaps only is an alert of its own.
 */
import type { CollectedSample, SampleLine } from '../collectors/sample.ts';
import { isCollected } from '../collectors/sample.ts';
import type { AlertEvent, AlertRule } from './alert.ts';
import { DEAD_COLLECTOR, STRATEGY_ALERTS } from './strategy-alerts.ts';

/** More watched pairs of rule and source than this are not watched; `untracked` counts. */
export const WATCHED_MAX = 5000;

/** One rule for one source. `heldMs`: for how long the condition was seen to hold, without a break. */
type Watch = { source: string; atMs: number; isBad: boolean; heldMs: number; isFired: boolean };
type Life = { lastAtMs: number; gapSinceMs: number | null; isDead: boolean };

/** What is firing now, and what changes with each line. */
export class AlertBoard {
  readonly #rules: readonly AlertRule[];
  readonly #watches = new Map<string, Watch>();
  readonly #lives = new Map<string, Life>();
  readonly #firing = new Map<string, AlertEvent>();
  #untracked = 0;

  constructor(rules: readonly AlertRule[] = STRATEGY_ALERTS) {
    this.#rules = rules;
  }

  /** Alerts that have fired and not cleared, oldest first. */
  get firing(): readonly AlertEvent[] {
    return [...this.#firing.values()];
  }

  /** Pairs of rule and source that were not watched because there are too many. */
  get untracked(): number {
    return this.#untracked;
  }

  /** Lines in the order in which they came. */
  add(line: SampleLine): AlertEvent[] {
    const events = this.#live(line);
    if (!isCollected(line)) {
      this.#interrupt(line);
      return events;
    }
    const rules = this.#rules.filter((rule) => isAbout(rule, line));
    return [...events, ...rules.flatMap((rule) => this.#watch(rule, line))];
  }

  #watch(rule: AlertRule, line: CollectedSample): AlertEvent[] {
    const value = line.metrics[rule.metric];
    if (value === undefined) return [];
    const key = `${rule.id}|${sourceOf(line)}`;
    const known = this.#watches.get(key);
    if (known === undefined && this.#watches.size >= WATCHED_MAX) {
      this.#untracked += 1;
      return [];
    }
    const isBad = holds(rule, value, known?.isFired === true);
    const sinceMs = known === undefined || !known.isBad || !isBad ? 0 : line.atMs - known.atMs;
    const heldMs = isBad ? (known?.heldMs ?? 0) + sinceMs : 0;
    const isFired = isBad && (known?.isFired === true || heldMs >= rule.forMs);
    this.#watches.set(key, { source: line.source, atMs: line.atMs, isBad, heldMs, isFired });
    if (isFired === (known?.isFired === true)) return [];
    return [this.#change(isFired, key, { ...rule, source: sourceOf(line), line, value })];
  }

  /**
   * After a gap the next sample begins a new stretch; what was seen before it still counts. One scrape may bring lines of
   * several collectors, its gap is one line: it goes by the name of the source alone.
   */
  #interrupt({ source }: SampleLine): void {
    for (const watch of this.#watches.values()) if (watch.source === source) watch.isBad = false;
  }

  #live(line: SampleLine): AlertEvent[] {
    const source = `${line.collector} ${line.source}`;
    const life = this.#lives.get(source) ?? { lastAtMs: line.atMs, gapSinceMs: null, isDead: false };
    this.#lives.set(source, life);
    life.lastAtMs = line.atMs;
    if (isCollected(line)) {
      life.gapSinceMs = null;
      if (!life.isDead) return [];
      life.isDead = false;
      return [this.#change(false, `dead|${source}`, { ...DEAD_COLLECTOR, source, line, value: null, threshold: 0 })];
    }
    life.gapSinceMs ??= line.atMs;
    if (life.isDead || line.atMs - life.gapSinceMs < DEAD_COLLECTOR.forMs) return [];
    life.isDead = true;
    return [this.#change(true, `dead|${source}`, { ...DEAD_COLLECTOR, source, line, value: null, threshold: 0 })];
  }

  #change(
    isFired: boolean,
    key: string,
    about: Pick<AlertRule, 'id' | 'severity' | 'title' | 'section' | 'threshold'> & {
      readonly source: string;
      readonly line: SampleLine;
      readonly value: number | null;
    },
  ): AlertEvent {
    const { id, severity, title, section, threshold, source, value, line } = about;
    const name = isFired ? 'alert_fired' : 'alert_cleared';
    const at = { atMs: line.atMs, atWallMs: line.atWallMs };
    const event: AlertEvent = { name, rule: id, severity, title, section, source, ...at, value, threshold };
    if (isFired) this.#firing.set(key, event);
    else this.#firing.delete(key);
    return event;
  }
}

function isAbout(rule: AlertRule, line: CollectedSample): boolean {
  return rule.collectors.includes(line.collector) && (rule.source === undefined || rule.source.test(sourceOf(line)));
}

/** A fired rule goes on until the value is on the good side of `clearAt`. */
function holds({ op, threshold, clearAt = threshold }: AlertRule, value: number, isFired: boolean): boolean {
  switch (op) {
    case '>':
      return value > (isFired ? clearAt : threshold);
    case '<':
      return value < (isFired ? clearAt : threshold);
    case '==':
      return value === threshold;
    case '!=':
      return value !== threshold;
  }
}

/** Parts of a source (streams, containers) by their label. */
function sourceOf({ collector, source, labels }: CollectedSample): string {
  const part = labels?.stream ?? labels?.name;
  return part === undefined ? `${collector} ${source}` : `${collector} ${source} ${part}`;
}
