/**
 * From what a run (or a monitor) tells to frames. One per run; no I/O, no clock of its own. Everything in it is bounded: it
 * keeps the latest figures, sums, histograms and the last lines of logs, never a history.
 */
import type { LabEvent } from '../clients/actor.ts';
import type { SampleLine } from '../collectors/sample.ts';
import type { Progress } from '../engine/coordinator.ts';
import { formatClock } from '../engine/duration.ts';
import { GUARD_DEFAULTS, type GuardLimits } from '../engine/guard.ts';
import type { Scenario } from '../engine/scenario.ts';
import { parseSeriesKey } from '../metrics/series-key.ts';
import { headline } from '../report/sentences.ts';
import type { Manifest } from '../run-folder/manifest.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import { abilitiesOf } from '../target/target.ts';
import { AlertLog } from './alert-log.ts';
import { CollectedFigures } from './collected-figures.ts';
import type { CriterionRow, DashboardFrame, Panel, Tone } from './dashboard-frame.ts';
import { FaultTimeline } from './fault-timeline.ts';
import { LiveCriteria } from './live-criteria.ts';
import type { LiveSecond } from './live-second.ts';
import { TrendCharts } from './trend-charts.ts';
import { type Protocol, ViewerPanels } from './viewer-panels.ts';

/** What stays the same while it goes on. */
export type FeedSetup = {
  readonly runId: string;
  readonly title: string;
  readonly subtitle: string;
  /** Null: until somebody stops it. */
  readonly durationMs: number | null;
  /** Null when nobody is sent: then there are no criteria either. */
  readonly run: { readonly manifest: Manifest; readonly groups: Scenario['groups'] } | null;
};

/** What a run is made of, for its feed. `groups`: of the scenario. */
export function feedOfRun(manifest: Manifest, groups: Scenario['groups']): DashboardFeed {
  const { runId, scenario, target, durationMs, viewers } = manifest;
  return new DashboardFeed({
    runId,
    title: scenario.name,
    subtitle: `${viewers} viewers · ${target.url} · ${target.subject}`,
    durationMs,
    run: { manifest, groups },
  });
}

/** One run. */
export class DashboardFeed {
  readonly #setup: FeedSetup;
  readonly #guard: GuardLimits;
  readonly #criteria: LiveCriteria | null;
  readonly #faults: FaultTimeline;
  readonly #alerts = new AlertLog();
  readonly #collected = new CollectedFigures();
  readonly #panels = new ViewerPanels();
  readonly #charts = new TrendCharts();
  readonly #protocols: ReadonlyMap<string, Protocol>;
  #watching = new Map<Protocol, number>();
  #others = new Map<string, number>();
  #progress: Progress | null = null;
  #second: LiveSecond | null = null;
  #atMs = 0;
  #end: { readonly tone: Tone; readonly word: string; readonly detail: string } | null = null;

  constructor(setup: FeedSetup) {
    const { run } = setup;
    this.#setup = setup;
    this.#guard = run?.manifest.guard ?? GUARD_DEFAULTS;
    this.#criteria = run === null ? null : criteriaOf(run.manifest);
    this.#faults = new FaultTimeline(run?.manifest.faults ?? []);
    this.#protocols = protocolsOf(run?.groups ?? {});
  }

  /** Where the run stands; once per second. */
  addProgress(progress: Progress): void {
    const { trends, counters } = progress.second;
    const second = { atMs: progress.elapsedMs, trends, counters, gauges: progress.gauges, self: progress.self };
    this.#progress = progress;
    this.#second = second;
    this.#countUsers(progress.gauges);
    this.#panels.addSecond(second);
    this.#criteria?.addSecond(second);
    this.tick(progress.elapsedMs);
  }

  addLine(line: SampleLine): void {
    this.#collected.addLine(line);
    this.#criteria?.addLine(line);
  }

  addEvent(event: LabEvent): void {
    this.#faults.addEvent(event);
    this.#alerts.addEvent(event);
  }

  /** Time goes on without a run, too. */
  tick(atMs: number): void {
    this.#atMs = atMs;
    this.#collected.tick(atMs);
    this.#charts.update(this.#second, this.#watching, this.#others, this.#collected);
  }

  /** The last word. */
  finish(verdict: RunVerdict | null): void {
    const manifest = this.#setup.run?.manifest;
    if (verdict === null || manifest === undefined) this.#end = { tone: 'calm', word: 'Stopped', detail: '' };
    else {
      const { title, text } = headline(verdict, manifest);
      this.#end = { tone: TONES[verdict.outcome], word: title, detail: text };
    }
  }

  frame(): DashboardFrame {
    const { runId, title, subtitle, durationMs } = this.#setup;
    const criteria = this.#criteria?.rows() ?? [];
    return {
      runId,
      title,
      subtitle,
      atMs: this.#atMs,
      status: this.#end ?? this.#status(criteria),
      phase: this.#phase(),
      panels: this.#panelsNow(),
      charts: this.#charts.charts,
      points: this.#charts.points,
      criteria,
      faults: this.#faults.rows,
      durationMs,
      alerts: this.#alerts.rows,
      isOver: this.#end !== null,
    };
  }

  #panelsNow(): Panel[] {
    const progress = this.#progress;
    const panels = [
      this.#panels.streaming(this.#watching, this.#collected),
      this.#collected.system(),
      this.#panels.api(this.#collected),
      this.#panels.websocket(this.#collected),
    ];
    if (progress === null) return panels;
    return [...panels, this.#panels.generator(progress.self, this.#guard, progress.taintedSeconds)];
  }

  #phase(): DashboardFrame['phase'] {
    const { durationMs } = this.#setup;
    const isOver = this.#end !== null;
    const name = isOver ? 'over' : (this.#progress?.phase ?? (this.#setup.run === null ? 'watching' : 'starting'));
    if (durationMs === null) return { name, clock: formatClock(this.#atMs), left: '', done: null };
    const leftMs = Math.max(0, durationMs - this.#atMs);
    return {
      name,
      clock: `${formatClock(this.#atMs)} of ${formatClock(durationMs)}`,
      left: isOver ? '' : `${formatClock(leftMs)} to go`,
      done: Math.min(1, this.#atMs / durationMs),
    };
  }

  /** The worst thing first: a lab that is too busy says nothing about the server, good or bad. */
  #status(criteria: readonly CriterionRow[]): DashboardFrame['status'] {
    const mandatory = criteria.filter(({ isMandatory }) => isMandatory);
    const failing = mandatory.filter(({ outcome }) => outcome === 'fail');
    const passing = mandatory.filter(({ outcome }) => outcome === 'pass').length;
    const closing = mandatory.filter(({ outcome, direction }) => outcome === 'pass' && direction === 'closing').length;
    const judged = mandatory.filter(({ outcome }) => outcome !== 'not applicable').length;
    const alerts = this.#alerts.activeCount;
    const alertNote = alerts === 0 ? '' : `${alerts} ${alerts === 1 ? 'alert' : 'alerts'} active. `;
    if (this.#isTooBusy()) {
      return {
        tone: 'bad',
        word: 'Lab too busy',
        detail: `${alertNote}What it measures now says nothing about the target.`,
      };
    }
    if (failing.length > 0) {
      const names = failing.map(({ title }) => title).join('; ');
      return { tone: 'bad', word: `Failing: ${failing.length}`, detail: `${alertNote}${names}` };
    }
    if (mandatory.length === 0) {
      if (alerts > 0) return { tone: 'warn', word: `Alerts: ${alerts}`, detail: 'See the log below.' };
      return { tone: 'good', word: 'Watching', detail: 'No alert is active.' };
    }
    const score = `${alertNote}${passing} of ${judged} mandatory criteria hold so far${closing > 0 ? `, ${closing} closing in on the limit` : ''}.`;
    if (passing === 0)
      return { tone: alerts > 0 ? 'warn' : 'calm', word: 'Measuring', detail: `${alertNote}Too little to judge yet.` };
    return { tone: alerts > 0 || closing > 0 ? 'warn' : 'good', word: 'On track', detail: score };
  }

  #isTooBusy(): boolean {
    if (this.#progress === null || this.#atMs < BUSY_AFTER_MS) return false;
    return (100 * this.#progress.taintedSeconds * 1000) / this.#atMs > this.#guard.taintedPercentMax;
  }

  #countUsers(gauges: Progress['gauges']): void {
    this.#watching = new Map();
    this.#others = new Map();
    for (const [key, count] of Object.entries(gauges)) {
      const { metric, tags } = parseSeriesKey(key);
      if (metric !== 'vus_active') continue;
      const protocol = this.#protocols.get(tags.group ?? '');
      const other = OTHERS[tags.actor ?? ''] ?? tags.group ?? 'others';
      if (protocol !== undefined) this.#watching.set(protocol, (this.#watching.get(protocol) ?? 0) + count);
      else this.#others.set(other, (this.#others.get(other) ?? 0) + count);
    }
  }
}

/** Before that, one bad second would be a large share. */
const BUSY_AFTER_MS = 10_000;
const OTHERS: Readonly<Record<string, string>> = { 'room-member': 'in the room', shopper: 'shoppers' };
const TONES: Readonly<Record<RunVerdict['outcome'], Tone>> = {
  passed: 'good',
  failed: 'bad',
  invalid: 'bad',
  inconclusive: 'warn',
  interrupted: 'warn',
};

function criteriaOf({ criteria, target, phases, sliceMs, viewers, fingerprint, clock }: Manifest): LiveCriteria {
  return new LiveCriteria({
    criteria,
    planes: target.planes,
    abilities: abilitiesOf(target),
    phases,
    sliceMs,
    divisors: { viewers, cores: fingerprint.cores },
    isClockKnown: clock.boundMs !== null,
  });
}

function protocolsOf(groups: Scenario['groups']): Map<string, Protocol> {
  return new Map(
    Object.entries(groups).flatMap(([name, group]): [string, Protocol][] => {
      if (group.actor === 'flv-viewer') return [[name, 'flv']];
      if (group.actor !== 'hls-viewer') return [];
      return [[name, group.options.mode === 'low-latency' ? 'llhls' : 'hls']];
    }),
  );
}
