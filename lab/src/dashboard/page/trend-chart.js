import { h } from './elements.js';

/** Charts of the last five minutes, each with its numbers as text. */
export const CHART_MS = 300_000;
const WIDTH = 300;
const HEIGHT = 100;

/** @typedef {[atMs: number, points: Record<string, number | null>]} Row */
/** @typedef {{ id: string, title: string, unit: string, lines: { key: string, label: string }[] }} Chart */

/** @param {Chart} chart @param {Row[]} rows @param {number} nowMs */
export function chartFigure(chart, rows, nowMs) {
  const lines = chart.lines.map((line) => ({ ...line, values: rows.map(([, points]) => points[line.key] ?? null) }));
  const top = niceAbove(Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const unit = chart.unit === '' ? '' : ` ${chart.unit}`;
  const shown = lines.map(({ label, values }) => ({ label, now: values.at(-1) ?? null, ...rangeOf(values) }));
  const words = shown.map(({ label, now, low, high }) =>
    low === null ? `${label}: nothing` : `${label}: now ${figure(now)}, lowest ${figure(low)}, highest ${figure(high)}`,
  );
  const paths = lines.map(({ values }, index) =>
    h('path', { class: `l${index}`, d: pathOf(values, rows, nowMs, top) }),
  );
  const legend = shown.map(({ label, now }, index) =>
    h('li', {}, keyOf(index), h('span', {}, label), h('b', {}, `${figure(now)}${now === null ? '' : unit}`)),
  );
  return h(
    'figure',
    { class: 'chart', 'data-chart': chart.id },
    h('figcaption', {}, chart.title, h('span', {}, `${figure(top)}${unit}`)),
    h(
      'svg',
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `${chart.title}${unit === '' ? '' : `, in${unit}`}, last five minutes. ${words.join('. ')}.`,
      },
      ...paths,
    ),
    h('div', { class: 'axis', 'aria-hidden': 'true' }, h('span', {}, '5 min ago'), h('span', {}, 'now')),
    h('ul', { class: 'legend' }, ...legend),
  );
}

/** A gap in the values is a gap in the line. @param {(number | null)[]} values @param {Row[]} rows @param {number} nowMs @param {number} top */
function pathOf(values, rows, nowMs, top) {
  let isDown = false;
  const steps = values.map((value, index) => {
    if (value === null) {
      isDown = false;
      return '';
    }
    const x = WIDTH * (1 - (nowMs - (rows[index]?.[0] ?? 0)) / CHART_MS);
    const y = HEIGHT - 2 - ((HEIGHT - 4) * value) / top;
    const step = `${isDown ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    // A lone point has no length: a short stroke makes it visible.
    const isLone = !isDown && (values[index + 1] ?? null) === null;
    isDown = true;
    return isLone ? `${step}h1` : step;
  });
  return steps.join('');
}

/** @param {number} index */
function keyOf(index) {
  const line = h('line', { class: `l${index}`, x1: 0, x2: 24, y1: 4, y2: 4 });
  return h('svg', { class: 'key', viewBox: '0 0 24 8', 'aria-hidden': 'true' }, line);
}

/** @param {(number | null)[]} values */
function rangeOf(values) {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? { low: null, high: null } : { low: Math.min(...known), high: Math.max(...known) };
}

/** The top of the scale: 1, 2 or 5 with zeros. @param {number} value */
function niceAbove(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

/** @param {number | null} value */
export function figure(value) {
  if (value === null) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Math.round(value * (Math.abs(value) < 10 ? 100 : 10)) / (Math.abs(value) < 10 ? 100 : 10));
}
