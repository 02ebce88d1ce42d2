/** The alert log: what fired, what cleared, newest first. */
import type { AlertEvent } from '../alerts/alert.ts';
import type { LabEvent } from '../clients/actor.ts';
import { formatClock } from '../engine/duration.ts';
import { formatNumber } from '../report/sentences.ts';
import type { AlertRow } from './dashboard-frame.ts';

/** Older lines are only in `events.jsonl`. */
export const ALERT_ROWS_MAX = 100;

type Alert = Pick<
  AlertEvent,
  'name' | 'rule' | 'severity' | 'title' | 'source' | 'atMs' | 'value' | 'threshold' | 'section'
>;

/** One run. */
export class AlertLog {
  readonly #lines: Alert[] = [];
  readonly #active = new Map<string, Alert>();

  /** Events of other kinds are ignored. */
  addEvent({ name, atMs, detail }: LabEvent): void {
    if (name !== 'alert_fired' && name !== 'alert_cleared') return;
    const text = (field: string): string => String(detail[field] ?? '');
    const number = (field: string): number | null => (typeof detail[field] === 'number' ? detail[field] : null);
    const alert: Alert = {
      name,
      rule: text('rule'),
      severity: detail.severity === 'critical' ? 'critical' : 'warning',
      title: text('title') || text('rule'),
      section: text('section'),
      source: text('source'),
      atMs,
      value: number('value'),
      threshold: number('threshold') ?? Number.NaN,
    };
    this.#lines.unshift(alert);
    if (this.#lines.length > ALERT_ROWS_MAX) this.#lines.pop();
    const key = `${alert.rule} ${alert.source}`;
    if (name === 'alert_fired') this.#active.set(key, alert);
    else this.#active.delete(key);
  }

  get activeCount(): number {
    return this.#active.size;
  }

  get rows(): AlertRow[] {
    const active = new Set(this.#active.values());
    return this.#lines.map((alert) => {
      const { name, rule, severity, title, section, source, atMs, value, threshold } = alert;
      const figures = value === null ? '' : ` (${figure(value)}, limit ${figure(threshold)})`;
      const isFired = name === 'alert_fired';
      return {
        at: formatClock(atMs),
        rule: section === '' ? rule : `${rule}, ${section}`,
        text: isFired ? `${source}: ${title}${figures}` : `${source}: over (${title})`,
        tone: isFired ? (severity === 'critical' ? 'bad' : 'warn') : 'good',
        isActive: active.has(alert),
      };
    });
  }
}

function figure(value: number): string {
  return Math.abs(value) < 100 ? String(Math.round(value * 100) / 100) : formatNumber(value);
}
