/**
 * The strategy's thresholds as Prometheus alert rules on what the lab exports (`prometheus-page.ts`): so that a Prometheus
 * that scrapes `monitor` knows them too. `deploy/monitoring/rules/collected.yml` is this text; a test holds it so.
 */
import { stringify } from 'yaml';
import type { AlertRule } from '../alerts/alert.ts';
import { DEAD_COLLECTOR, STRATEGY_ALERTS } from '../alerts/strategy-alerts.ts';
import { exportedName } from './prometheus-page.ts';

const HEAD = `# The thresholds of the test strategy (section 3) on what the lab exports: run \`npm run lab -- monitor\` with
# --prometheus-port and let Prometheus scrape it. Made from lab/src/alerts/strategy-alerts.ts; edit there.
`;

type PrometheusRule = {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

/** The file. */
export function collectedRulesYaml(): string {
  const sections = [...new Set(STRATEGY_ALERTS.map(({ section }) => section))];
  const groups = sections.map((section) => ({
    name: `lab-${section.toLowerCase()}`,
    rules: STRATEGY_ALERTS.filter((rule) => rule.section === section).map(toPrometheus),
  }));
  const dead = { ...DEAD_COLLECTOR, expr: 'lab_collector_up == 0' };
  const collecting = { name: 'lab-collecting', rules: [toRule(dead)] };
  return HEAD + stringify({ groups: [...groups, collecting] }, { lineWidth: 0 });
}

function toPrometheus(rule: AlertRule): PrometheusRule {
  // RE2, which Prometheus matches whole and with case, by the source's flags.
  const match = rule.source === undefined ? '' : `{source=~"(?i).*(${rule.source.source}).*"}`;
  const parts = rule.collectors.map(
    (collector) => `${exportedName(collector, rule.metric)}${match} ${rule.op} ${rule.threshold}`,
  );
  return toRule({ ...rule, expr: parts.join(' or ') });
}

function toRule(
  rule: Pick<AlertRule, 'id' | 'forMs' | 'severity' | 'section' | 'title'> & { expr: string },
): PrometheusRule {
  return {
    alert: alertName(rule.id),
    expr: rule.expr,
    for: `${rule.forMs / 1000}s`,
    labels: { severity: rule.severity, section: rule.section, rule: rule.id },
    annotations: { summary: `{{ $labels.source }}: ${rule.title}` },
  };
}

function alertName(id: string): string {
  return `Lab${id.replaceAll(/(^|-)(\w)/g, (_, _dash, letter: string) => letter.toUpperCase())}`;
}
