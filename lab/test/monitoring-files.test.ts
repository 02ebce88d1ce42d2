/** What ships in deploy/monitoring: alert rules, dashboards, scrape configuration. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { STRATEGY_ALERTS } from '../src/alerts/strategy-alerts.ts';
import { METRICS } from '../src/metrics/metric-catalogue.ts';
import { collectedRulesYaml } from '../src/outputs/alert-rules.ts';
import { exportedSampleNames } from '../src/outputs/prometheus-page.ts';
import { metricNamesIn } from '../src/outputs/promql-names.ts';

const FOLDER = join(import.meta.dirname, '../../deploy/monitoring');
const read = (path: string): string => readFileSync(join(FOLDER, path), 'utf8');

type Rule = {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: string; section?: string; rule?: string };
  annotations: { summary: string };
};
const rulesOf = (path: string): Rule[] =>
  (parse(read(path)) as { groups: { name: string; rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);

type Panel = { id: number; type: string; title: string; targets?: { expr: string; datasource: { uid: string } }[] };
type Dashboard = { uid: string; title: string; panels: Panel[] };
const dashboard = (name: string): Dashboard => JSON.parse(read(`grafana/dashboards/${name}`)) as Dashboard;
const dashboards = readdirSync(join(FOLDER, 'grafana/dashboards'));

/** What the lab can export: collected figures, the run's own series, and the page's own. */
const EXPORTED = new Set([
  ...exportedSampleNames(),
  ...Object.keys(METRICS).flatMap((name) => [`lab_run_${name}`, `lab_run_${name}_count`]),
  'lab_collector_up',
  'lab_alert_firing',
]);

describe.each(['rules/showfloor.yml', 'rules/collected.yml'])('%s', (path) => {
  test('every rule has a name of its own, an expression, a time, a severity and a sentence', () => {
    const rules = rulesOf(path);
    expect(rules.length).toBeGreaterThan(20);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    const wrong = rules.filter(
      ({ alert, expr, labels, annotations, ...rule }) =>
        !/^[A-Z]\w+$/.test(alert) ||
        metricNamesIn(expr).length === 0 ||
        !/^\d+[sm]$/.test(rule.for) ||
        !/^(warning|critical)$/.test(labels.severity) ||
        annotations.summary.length < 10,
    );
    expect(wrong).toEqual([]);
  });

  test('brackets and quotes are closed', () => {
    const open = rulesOf(path).filter(({ expr }) => !isBalanced(expr));
    expect(open).toEqual([]);
  });
});

test('the rules on collected figures are those of the strategy, word for word', async () => {
  await expect(collectedRulesYaml()).toMatchFileSnapshot(join(FOLDER, 'rules/collected.yml'));
});

test('rules on collected figures read only what the lab exports', () => {
  const names = rulesOf('rules/collected.yml').flatMap(({ expr }) => metricNamesIn(expr));
  expect([...new Set(names)].filter((name) => !EXPORTED.has(name))).toEqual([]);
  expect(rulesOf('rules/collected.yml').length).toBe(STRATEGY_ALERTS.length + 1);
});

/** Thresholds on what only somebody else can tell: nginx, Redis, PostgreSQL, limits of containers. */
const NOT_OURS = /^(nginx-(?!5xx)|redis-|postgres-|container-(memory|pids))/;

test('every threshold of the strategy with a metric of ours has its rule on our own metrics', () => {
  const ours = STRATEGY_ALERTS.map(({ id }) => id).filter((id) => !NOT_OURS.test(id));
  const named = rulesOf('rules/showfloor.yml').flatMap(({ labels }) => labels.rule ?? []);
  expect(named.toSorted()).toEqual(ours.toSorted());
  for (const { alert, labels } of rulesOf('rules/showfloor.yml')) {
    const rule = STRATEGY_ALERTS.find(({ id }) => id === labels.rule);
    if (rule !== undefined) expect([alert, labels.section]).toEqual([alert, rule.section]);
  }
});

describe.each(dashboards)('dashboard %s', (name) => {
  test('panels have their own ids, and ask the data source that comes with it', () => {
    const { panels, uid } = dashboard(name);
    expect(`${uid}.json`).toBe(name);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const { datasources } = parse(read('grafana/provisioning/datasources/prometheus.yml')) as {
      datasources: { uid: string }[];
    };
    for (const { title, type, targets = [] } of panels) {
      expect([title, type === 'row' || targets.length > 0]).toEqual([title, true]);
      for (const { expr, datasource } of targets) {
        expect([expr, isBalanced(expr)]).toEqual([expr, true]);
        expect(datasource.uid).toBe(datasources[0]?.uid);
      }
    }
  });
});

test('the dashboard of collected figures reads only what the lab exports', () => {
  const names = dashboard('collected.json').panels.flatMap(({ targets = [] }) =>
    targets.flatMap(({ expr }) => metricNamesIn(expr)),
  );
  expect(names.length).toBeGreaterThan(40);
  expect([...new Set(names)].filter((name) => !EXPORTED.has(name))).toEqual([]);
});

test('every process, and the lab, is scraped', () => {
  const { scrape_configs: jobs, rule_files: files } = parse(read('prometheus.yml')) as {
    scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    rule_files: string[];
  };
  const targets = jobs.map(({ job_name, static_configs }) => `${job_name} ${static_configs[0]?.targets[0]}`);
  expect(targets).toEqual([
    'commerce-server 127.0.0.1:3010',
    'realtime-server 127.0.0.1:3011',
    'worker 127.0.0.1:3012',
    'media-server 127.0.0.1:1985',
    'lab 127.0.0.1:9464',
  ]);
  expect(files).toEqual(['rules/*.yml']);
});

test('dashboards and rules are where Grafana and Prometheus look for them', () => {
  const { services } = parse(read('compose.yml')) as { services: Record<string, { volumes: string[] }> };
  const { providers } = parse(read('grafana/provisioning/dashboards/showfloor.yml')) as {
    providers: { options: { path: string } }[];
  };
  expect(services.grafana?.volumes).toContain(`./grafana/dashboards:${providers[0]?.options.path}:ro`);
  expect(services.prometheus?.volumes).toContain('./rules:/etc/prometheus/rules:ro');
});

test.each([
  ['rate(a_total{x="b_c"}[1m]) > 0.75', 'a_total'],
  [
    'sum by (le, path) (rate(h_bucket[$__rate_interval])) / on (x) group_left (y) other_metric',
    'h_bucket other_metric',
  ],
  ['a == 0 and a offset 1m > 0 or b{s=~"(?i).*(c|d).*"} unless time() > 7 * 86400', 'a b'],
  ['histogram_quantile(0.95, sum by (le) (rate(x_seconds_bucket[5m]))) > 1e3', 'x_seconds_bucket'],
])('metrics in %s', (expression, names) => {
  expect(metricNamesIn(expression).join(' ')).toBe(names);
});

function isBalanced(text: string): boolean {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '');
  if (bare.includes('"')) return false;
  return ['()', '[]', '{}'].every(([open = '', close = '']) => bare.split(open).length === bare.split(close).length);
}
