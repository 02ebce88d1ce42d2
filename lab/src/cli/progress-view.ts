/** The run as it goes: a few lines that redraw themselves on a terminal, one plain line every ten seconds elsewhere. */
import type { WriteStream } from 'node:tty';
import type { Progress } from '../engine/coordinator.ts';
import { formatClock } from '../engine/duration.ts';
import type { Scenario } from '../engine/scenario.ts';
import { liveFigures } from '../report/key-figures.ts';
import type { TargetDescription } from '../target/target.ts';

const PLAIN_EVERY_MS = 10_000;
const BAR_CELLS = 30;
const MIN_COLUMNS = 40;
/** For terminals that do not tell their width. */
const COLUMNS_DEFAULT = 80;

/** `end` may be called more than once. */
export type ProgressView = { readonly update: (progress: Progress) => void; readonly end: () => void };

/** Writes to `out` until `end`. */
export function createProgressView(
  out: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>,
  scenario: Scenario,
  target: TargetDescription,
  interrupt: AbortSignal,
): ProgressView {
  out.write(`${scenario.name}: ${scenario.purpose}\ntarget: ${target.kind} ${target.url}, ${target.subject}\n`);
  const stopNote = (): void => {
    out.write(`${out.isTTY ? '\r\u001b[J' : ''}stopping: virtual users leave now; once more to quit at once\n`);
  };
  interrupt.addEventListener('abort', stopNote, { once: true });
  const end = (): void => interrupt.removeEventListener('abort', stopNote);
  return out.isTTY ? liveView(out, end) : plainView(out, end);
}

function liveView(out: Pick<WriteStream, 'write' | 'columns'>, end: () => void): ProgressView {
  let drawn = 0;
  return {
    update: (progress) => {
      const width = Math.max(MIN_COLUMNS, out.columns || COLUMNS_DEFAULT) - 1;
      const lines = [bar(progress).slice(0, width), ...packed(figureLines(progress), width)];
      const back = drawn === 0 ? '' : `\u001b[${drawn}A\r\u001b[J`;
      out.write(`${back}${lines.join('\n')}\n`);
      drawn = lines.length;
    },
    end,
  };
}

/** As many figures on a line as fit. */
function packed(figures: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const figure of figures) {
    const joined = `${lines.at(-1) ?? ''} · ${figure}`;
    if (lines.length > 0 && joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(figure.slice(0, width));
  }
  return lines;
}

function plainView(out: Pick<WriteStream, 'write'>, end: () => void): ProgressView {
  let nextAtMs = 0;
  return {
    update: (progress) => {
      if (progress.elapsedMs < nextAtMs) return;
      nextAtMs = progress.elapsedMs + PLAIN_EVERY_MS;
      out.write(`${clock(progress)} ${where(progress)}: ${figureLines(progress).join(' · ')}\n`);
    },
    end,
  };
}

function bar(progress: Progress): string {
  const filled = Math.round(BAR_CELLS * Math.min(1, progress.elapsedMs / progress.durationMs));
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)} ${clock(progress)} ${where(progress)}`;
}

function where({ phase, durationMs, elapsedMs }: Progress): string {
  return `${phase}, ${formatClock(Math.max(0, durationMs - elapsedMs))} to go`;
}

function clock({ elapsedMs, durationMs }: Progress): string {
  return `${formatClock(Math.min(elapsedMs, durationMs))}/${formatClock(durationMs)}`;
}

function figureLines(progress: Progress): string[] {
  const active = Object.entries(progress.gauges)
    .filter(([key]) => key.startsWith('vus_active'))
    .reduce((sum, [, value]) => sum + value, 0);
  const tainted = progress.taintedSeconds === 0 ? '' : `, ${progress.taintedSeconds} s tainted`;
  // The plan is read at a full second, who is there a moment later: only those that are missing are worth a word.
  const planned = active >= progress.plannedVus ? '' : ` of ${progress.plannedVus} planned`;
  const users = `virtual users ${active}${planned}${tainted}`;
  return [users, ...liveFigures(progress.total).map(({ label, value }) => `${label} ${value}`)];
}
