import { h } from './elements.js';

/** Faults on the time of the run: planned dashed, injected light, seen at work by the probe dark. */
const LENGTH = 1000;
const TONES = { planned: 'calm', injected: 'warn', active: 'bad', healed: 'good', failed: 'bad', skipped: 'calm' };

/** @param {any[]} faults @param {number} nowMs @param {number | null} durationMs */
export function faultList(faults, nowMs, durationMs) {
  if (faults.length === 0) return h('p', { class: 'soft' }, 'None are planned.');
  const last = Math.max(...faults.map(({ plannedAtMs, plannedMs }) => plannedAtMs + plannedMs));
  const scale = LENGTH / Math.max(1, durationMs ?? 0, last, nowMs);
  return h('div', {}, ...faults.map((fault) => faultRow(fault, nowMs, scale)));
}

/** @param {any} fault @param {number} nowMs @param {number} scale */
function faultRow(fault, nowMs, scale) {
  const { name, what, stage, note, plannedAtMs, plannedMs, injectedAtMs, activeAtMs, healedAtMs } = fault;
  const span = (kind, fromMs, toMs, y, height) =>
    h('rect', { class: kind, x: fromMs * scale, width: Math.max(2, (toMs - fromMs) * scale), y, height });
  const endMs = healedAtMs ?? nowMs;
  const bars = [span('planned', plannedAtMs, plannedAtMs + plannedMs, 3, 20)];
  if (injectedAtMs !== null) bars.push(span('outage', injectedAtMs, endMs, 6, 14));
  if (activeAtMs !== null) bars.push(span('active', activeAtMs, endMs, 9, 8));
  bars.push(h('line', { class: 'instant', x1: nowMs * scale, x2: nowMs * scale, y1: 0, y2: 26 }));
  const stamps = [
    ['planned', plannedAtMs],
    ['injected', injectedAtMs],
    ['active', activeAtMs],
    ['healed', healedAtMs],
  ].flatMap(([word, atMs]) => (atMs === null ? [] : [`${word} ${clock(atMs)}`]));
  return h(
    'div',
    { class: 'fault', 'data-tone': TONES[stage], 'data-fault': name },
    h('div', {}, h('h3', {}, name), h('p', {}, what)),
    h('svg', { viewBox: `0 0 ${LENGTH} 26`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, ...bars),
    h('div', {}, h('b', {}, stage), h('p', {}, [stamps.join(', '), note].filter((text) => text !== '').join('. '))),
  );
}

/** @param {number} ms */
function clock(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
