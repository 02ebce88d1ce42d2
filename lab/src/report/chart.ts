/**
 * Time charts as SVG text, drawn by ECharts on the server side: the page needs no script. Colours are placeholders that
 * become CSS variables, so that one drawing serves light and dark.
 */
import { type EChartsOption, init } from 'echarts';

/** One line of a chart. `points`: seconds from the start, value; null breaks the line (nothing measured). */
export type ChartLine = {
  readonly name: string;
  readonly points: readonly (readonly [number, number | null])[];
  readonly isArea?: boolean;
};

/** What to draw. */
export type Chart = {
  readonly title: string;
  readonly subtitle: string;
  readonly unit: string;
  readonly lines: readonly ChartLine[];
  /** A horizontal limit, in the unit. */
  readonly limit?: number;
  /** Shaded stretches, in seconds: tainted seconds of the generator. */
  readonly shaded?: readonly (readonly [number, number])[];
  /** Moments with a name, in seconds: faults. */
  readonly marks?: readonly { readonly seconds: number; readonly name: string }[];
  /** Metric and file, for whoever wants to compute it again. */
  readonly source?: string;
  readonly endSeconds: number;
  /** Looked at only when another chart raises a question: folded away. */
  readonly isDetail?: boolean;
};

/** Hex colours that stand for variables of the page's style. ECharts may change their case, never their digits. */
const VARIABLES: Readonly<Record<string, string>> = {
  '#010101': 'var(--ink)',
  '#020202': 'var(--soft)',
  '#030303': 'var(--grid)',
  '#040404': 'var(--a)',
  '#050505': 'var(--b)',
  '#060606': 'var(--c)',
  '#070707': 'var(--d)',
  '#0a0a0a': 'var(--e)',
  '#0b0b0b': 'var(--f)',
  '#080808': 'var(--bad)',
  '#090909': 'var(--warn)',
};
const SOFT = '#020202';
const GRID = '#030303';
const LINE_COLOURS = ['#040404', '#050505', '#060606', '#070707', '#0a0a0a', '#0b0b0b'];
const LIMIT = '#080808';
const SHADE = '#090909';

const WIDTH_PX = 460;
const HEIGHT_PX = 220;

/** The chart as `<figure>`, at a size that reads on a phone and beside another. Empty text when there is nothing to
 * draw. `index` is its place on the page: ECharts counts its ids on for ever, a page must be the same every time. */
export function chartFigure(chart: Chart, index: number): string {
  if (!chart.lines.some(({ points }) => points.some(([, value]) => value !== null))) return '';
  const label = escapeText(`${chart.title}. ${chart.subtitle}`);
  const svg = draw(chart)
    .replaceAll(/<style\b.*?<\/style>| class="[^"]*"| ecmeta_\w+="[^"]*"/gs, '') // hooks for a script that is not there
    .replaceAll(/\bzr\d+/g, `chart${index}`)
    .replace('<svg', `<svg role="img" aria-label="${label}"`);
  return `<figure class="chart"><figcaption>${escapeText(chart.title)}<span>${escapeText(chart.subtitle)}</span></figcaption>${svg}${chart.source === undefined ? '' : `<small>${escapeText(chart.source)}</small>`}</figure>`;
}

function draw(chart: Chart): string {
  const instance = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH_PX, height: HEIGHT_PX });
  instance.setOption(optionOf(chart));
  const svg = instance.renderToSVGString({ useViewBox: true });
  instance.dispose();
  return Object.entries(VARIABLES).reduce((text, [hex, variable]) => text.replaceAll(hex, variable), svg);
}

function optionOf(chart: Chart): EChartsOption {
  const text = { color: SOFT, fontSize: 12, fontFamily: 'system-ui, sans-serif' };
  return {
    animation: false,
    textStyle: { fontFamily: 'system-ui, sans-serif' },
    grid: { left: 4, right: 14, top: 40, bottom: 4, containLabel: true },
    legend: {
      borderColor: GRID,
      top: 0,
      right: 6,
      itemGap: 18,
      textStyle: text,
      itemHeight: 8,
      itemWidth: 16,
      icon: 'roundRect',
    },
    xAxis: {
      type: 'value',
      min: 0,
      max: chart.endSeconds,
      splitNumber: 6,
      axisLabel: { ...text, formatter: (seconds: number) => clockLabel(seconds) },
      axisLine: { lineStyle: { color: GRID } },
      axisTick: { lineStyle: { color: GRID } },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      min: 0,
      name: chart.unit,
      nameTextStyle: { ...text, align: 'left', padding: [0, 0, 0, -26] },
      nameGap: 10,
      splitNumber: 4,
      axisLabel: text,
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: GRID } },
    },
    series: chart.lines.map((line, index) => ({
      type: 'line' as const,
      name: line.name,
      data: line.points.map(([x, y]) => [x, y]),
      symbol: 'circle',
      showSymbol: line.points.length < 3,
      connectNulls: false,
      lineStyle: { width: 2, color: LINE_COLOURS[index % LINE_COLOURS.length] ?? SOFT },
      itemStyle: { color: LINE_COLOURS[index % LINE_COLOURS.length] ?? SOFT },
      ...(line.isArea === true ? { areaStyle: { opacity: 0.15 } } : {}),
      ...(index === 0 ? marksOf(chart) : {}),
    })),
  };
}

function marksOf({ limit, shaded = [], marks = [], lines }: Chart) {
  const highest = Math.max(0, ...lines.flatMap(({ points }) => points.map(([, value]) => value ?? 0)));
  // A limit far above everything measured would flatten the lines: the caption names it instead.
  const isLimitNear = limit !== undefined && limit <= highest * 3;
  const limits = isLimitNear
    ? [{ yAxis: limit, lineStyle: { color: LIMIT }, label: { formatter: 'limit', color: LIMIT } }]
    : [];
  const moments = marks.map(({ seconds, name }) => ({
    xAxis: seconds,
    lineStyle: { color: SOFT },
    label: { formatter: name, color: SOFT },
  }));
  return {
    markLine: {
      silent: true,
      symbol: 'none',
      animation: false,
      label: { show: true, position: 'insideEndTop' as const, fontSize: 11 },
      lineStyle: { type: 'dashed' as const, width: 1.5 },
      data: [...limits, ...moments],
    },
    markArea: {
      silent: true,
      itemStyle: { color: SHADE, opacity: 0.18 },
      data: shaded.map(([from, to]) => [{ xAxis: from }, { xAxis: to }] as [{ xAxis: number }, { xAxis: number }]),
    },
  };
}

function clockLabel(seconds: number): string {
  const whole = Math.round(seconds);
  return whole >= 3600
    ? `${Math.floor(whole / 3600)}:${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} h`
    : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Text for HTML content and attributes. */
export function escapeText(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => names[character] ?? character);
}
