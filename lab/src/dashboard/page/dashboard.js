import { fill, h } from './elements.js';
import { faultList } from './fault-timeline.js';
import { CHART_MS, chartFigure, figure } from './trend-chart.js';

/** Follows the run: one stream of frames in, one page out. Nothing is sent back. */
const AGAIN_MS = 3000;
const AGAIN_WHEN_FULL_MS = 30_000;
/** The server says something at least every five seconds. */
const SILENT_AFTER_MS = 12_000;
const MARKS = { pass: ['✓', 'holds'], fail: ['✗', 'fails'], waiting: ['…', 'waiting'], 'not applicable': ['–', ''] };
const OUTCOME_TONES = { pass: 'good', fail: 'bad', waiting: 'calm', 'not applicable': 'calm' };
const HEADINGS = { closing: '▲ closing in', easing: '▼ easing', steady: 'steady', unknown: '' };

/** @type {{ frame: any, rows: [number, Record<string, number | null>][], pages: any, heardAtMs: number }} */
const state = { frame: null, rows: [], pages: null, heardAtMs: performance.now() };
/** @type {EventSource | null} */
let source = null;
let isEnded = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let again;

connect();
setInterval(watchSilence, 1000);
document.addEventListener('visibilitychange', () => {
  // A browser opens six connections to one server: pages that nobody sees must not hold them.
  if (!document.hidden) return connect();
  disconnect();
  showLink('paused', 'paused while hidden');
});

function connect() {
  disconnect();
  source = new EventSource('/events');
  source.addEventListener('snapshot', (event) => heard(event, takeSnapshot));
  source.addEventListener('frame', (event) => heard(event, takeFrame));
  source.addEventListener('beat', (event) => heard(event, () => {}));
  source.addEventListener('refused', (event) => heard(event, takeRefusal));
  source.addEventListener('end', () => takeEnd());
  source.onopen = () => {
    state.heardAtMs = performance.now();
    if (!isEnded) showLink('live', 'live');
  };
  source.onerror = () => {
    if (!isEnded) showLink('reconnecting', 'reconnecting');
    if (source?.readyState === EventSource.CLOSED) reconnectAfter(AGAIN_MS);
  };
}

function disconnect() {
  clearTimeout(again);
  source?.close();
  source = null;
}

/** @param {number} ms */
function reconnectAfter(ms) {
  disconnect();
  again = setTimeout(connect, ms);
}

/** @param {MessageEvent} event @param {(data: any) => void} take */
function heard(event, take) {
  state.heardAtMs = performance.now();
  take(JSON.parse(event.data));
}

function takeSnapshot({ isWhole, rows, frame, pages }) {
  isEnded = false;
  state.rows = isWhole ? rows : [...state.rows, ...rows];
  show(frame, pages);
}

function takeFrame({ frame, pages }) {
  isEnded = false;
  if (state.frame !== null && state.frame.runId !== frame.runId) state.rows = [];
  state.rows.push([frame.atMs, frame.points]);
  show(frame, pages);
}

function takeRefusal({ reason }) {
  reconnectAfter(AGAIN_WHEN_FULL_MS);
  showLink('full', 'no room');
  notice(`${reason}. This page asks again every ${AGAIN_WHEN_FULL_MS / 1000} seconds.`);
}

/** The run is over; another one may come on the same port. */
function takeEnd() {
  isEnded = true;
  reconnectAfter(AGAIN_MS);
  showLink('ended', 'ended');
}

function watchSilence() {
  if (isEnded || source === null) return;
  const silentMs = performance.now() - state.heardAtMs;
  if (silentMs < SILENT_AFTER_MS) return;
  showLink('silent', `no news for ${Math.round(silentMs / 1000)} s`);
  if (source.readyState === EventSource.OPEN) {
    state.heardAtMs = performance.now();
    connect();
  }
}

function show(frame, pages) {
  state.frame = frame;
  state.pages = pages;
  state.rows = state.rows.filter(([atMs]) => atMs >= frame.atMs - CHART_MS);
  showLink(frame.isOver ? 'ended' : 'live', frame.isOver ? 'ended' : 'live');
  notice('');
  showStatus(frame);
  fill(byId('panels'), frame.panels.map(panel));
  fill(inside('criteria'), criteriaList(frame.criteria));
  byId('faults').hidden = frame.criteria.length === 0;
  fill(inside('faults'), [faultList(frame.faults, frame.atMs, frame.durationMs)]);
  fill(inside('alerts'), [alertList(frame.alerts)]);
  const charts = frame.charts.map((chart) => chartFigure(chart, state.rows, frame.atMs));
  fill(inside('charts'), charts.length > 0 ? charts : [h('p', { class: 'soft' }, 'Nothing has been measured yet.')]);
  const { open, dropped, refused } = pages;
  setText(
    'pages',
    `${figure(open)} ${open === 1 ? 'page' : 'pages'} open, ${figure(dropped)} dropped because they read too slowly, ${figure(refused)} turned away.`,
  );
}

function showStatus({ title, subtitle, status, phase }) {
  byId('status').dataset.tone = status.tone;
  setText('run', [title, subtitle].filter((text) => text !== '').join(' · '));
  setText('word', status.word);
  setText('detail', status.detail);
  setText('phase', phase.name);
  setText('clock', phase.clock);
  setText('left', phase.left);
  const done = byId('done');
  if (phase.done === null) done.removeAttribute('value');
  else done.setAttribute('value', String(phase.done));
  const name = `${status.word} · ${title}`;
  if (document.title !== name) document.title = name;
}

function panel({ id, title, tiles, table, groups, empty }) {
  const parts = [];
  if (tiles.length > 0) parts.push(h('dl', { class: 'tiles' }, tiles.map(tile)));
  if (table !== null) parts.push(tableOf(title, table));
  if (groups.length > 0) parts.push(h('div', { class: 'machines' }, groups.map(machine)));
  if (parts.length === 0) parts.push(h('p', { class: 'soft' }, empty));
  return h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), ...parts);
}

function tile({ label, value, tone }) {
  return h('div', { 'data-tone': tone }, h('dt', {}, label), h('dd', {}, value));
}

function tableOf(title, { head, rows }) {
  const heads = head.map((text) => h('th', { scope: 'col' }, text));
  const body = rows.map(([first, ...cells]) =>
    h('tr', {}, h('th', { scope: 'row' }, first), ...cells.map((text) => h('td', {}, text))),
  );
  const table = h('table', {}, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...body));
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `${title}, table` }, table);
}

function machine({ name, note, meters }) {
  const bars = meters.map(({ label, value, percent, tone }) =>
    percent === null
      ? h('div', { class: 'meter plain', 'data-tone': tone }, h('span', {}, label), h('b', {}, value))
      : h('div', { class: 'meter', 'data-tone': tone }, h('span', {}, label), bar(percent), h('b', {}, value)),
  );
  return h('div', {}, h('h3', {}, name), ...bars, note === '' ? null : h('p', {}, note));
}

/**
 * `limitAt`: where the limit is, percent of the width.
 * @param {number} percent @param {number | null} limitAt
 */
function bar(percent, limitAt = null) {
  const width = `${Math.max(0, Math.min(100, percent))}%`;
  const mark = limitAt === null ? [] : [h('line', { x1: `${limitAt}%`, x2: `${limitAt}%`, y1: 0, y2: 9 })];
  return h('svg', { class: 'bar', 'aria-hidden': 'true' }, h('rect', { width, height: 9 }), ...mark);
}

function criteriaList(criteria) {
  if (criteria.length === 0) return [h('p', { class: 'soft' }, 'Only runs are judged; this one just looks.')];
  const judged = criteria.filter(({ outcome }) => outcome !== 'not applicable');
  const others = criteria.filter(({ outcome }) => outcome === 'not applicable');
  const list = h('ol', {}, ...judged.map(criterion));
  if (others.length === 0) return [list];
  const rest = h('ol', {}, ...others.map(criterion));
  return [list, h('details', {}, h('summary', {}, `${others.length} not applicable`), rest)];
}

function criterion({ id, title, isMandatory, outcome, value, limit, marginPercent, recent, direction, note }) {
  const [mark, word] = MARKS[outcome];
  const isJudged = outcome === 'pass' || outcome === 'fail';
  const last = isJudged && recent !== '–' && recent !== value ? `last minute ${recent}` : '';
  const notes = [last, note].filter((text) => text !== '').join('; ');
  return h(
    'li',
    { class: 'criterion', 'data-tone': OUTCOME_TONES[outcome], 'data-criterion': id, 'data-outcome': outcome },
    h('span', { class: 'mark' }, h('span', { 'aria-hidden': 'true' }, mark), h('span', { class: 'hidden' }, word)),
    h(
      'span',
      { class: 'name' },
      title,
      isMandatory ? null : h('span', { class: 'tag' }, 'advisory'),
      notes === '' ? null : h('span', { class: 'note' }, notes),
    ),
    h('span', { class: 'now' }, value),
    h('span', { class: 'limit' }, limit),
    h('span', { class: 'room' }, marginPercent === null ? null : roomBar(marginPercent)),
    h('span', { class: 'heading', 'data-tone': direction === 'closing' ? 'warn' : 'calm' }, HEADINGS[direction]),
  );
}

/** The limit stands at two thirds, so that there is room to show by how much it is broken. */
function roomBar(percent) {
  const size = percent < -999 ? 'far' : `${Math.abs(percent)} %`;
  const words = percent < 0 ? `over by ${size}` : `${size} room`;
  return h('span', { class: 'room-bar' }, bar((100 - percent) / 1.5, 100 / 1.5), h('span', {}, words));
}

function alertList(alerts) {
  if (alerts.length === 0) return h('p', { class: 'soft' }, 'None so far.');
  const rows = alerts.map(({ at, rule, text, tone, isActive }) =>
    h(
      'li',
      { class: 'alert', 'data-tone': tone },
      h('time', {}, at),
      h('span', {}, isActive ? h('b', {}, 'active ') : null, text),
      h('span', { class: 'tag' }, rule),
    ),
  );
  const label = { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'alert log, newest first' };
  return h('div', label, h('ol', {}, ...rows));
}

function showLink(name, text) {
  const link = byId('link');
  link.dataset.state = name;
  const words = link.querySelector('b');
  if (words !== null && words.textContent !== text) words.textContent = text;
}

function notice(text) {
  const box = byId('notice');
  box.hidden = text === '';
  setText('notice', text);
}

function setText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function inside(id) {
  return byId(id).lastElementChild ?? byId(id);
}

function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no ${id}`);
  return element;
}
