/**
 * What the dashboard page is sent, once per second: everything but the history of the charts, ready to print. The page
 * lays it out and draws lines; it computes nothing that has a meaning.
 */

/** How something stands: decides colour and mark, never colour alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'calm';

/** One figure. */
export type Tile = { readonly label: string; readonly value: string; readonly tone: Tone };

/** A share of something that can be used up. `percent` is null when only the text is known. */
export type Meter = {
  readonly label: string;
  readonly value: string;
  readonly percent: number | null;
  readonly tone: Tone;
};

/** Figures of one thing, e.g. one process. */
export type MeterGroup = { readonly name: string; readonly note: string; readonly meters: readonly Meter[] };

/** The first cell of each row is its heading. */
export type PanelTable = { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** A part of the page. What is empty is not shown; with nothing at all, `empty` says why. */
export type Panel = {
  readonly id: 'streaming' | 'system' | 'api' | 'websocket' | 'generator';
  readonly title: string;
  readonly tiles: readonly Tile[];
  readonly table: PanelTable | null;
  readonly groups: readonly MeterGroup[];
  readonly empty: string;
};

/** A chart of the last five minutes; `key` names a value in {@link DashboardFrame.points}. */
export type TrendChart = {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly { readonly key: string; readonly label: string }[];
  readonly limit: number | null;
};

/** `waiting`: too little to say anything yet. */
export type LiveOutcome = 'pass' | 'fail' | 'waiting' | 'not applicable';

/** Where the last minute is heading. `closing`: towards the limit, or deeper beyond it. */
export type TrendDirection = 'closing' | 'easing' | 'steady' | 'unknown';

/** One criterion as it stands now. */
export type CriterionRow = {
  readonly id: string;
  readonly title: string;
  readonly isMandatory: boolean;
  readonly outcome: LiveOutcome;
  /** Over what the verdict will judge, so far. */
  readonly value: string;
  readonly limit: string;
  /** Room to the limit in percent of it; below zero: missing. */
  readonly marginPercent: number | null;
  /** The last half to full minute alone. */
  readonly recent: string;
  readonly direction: TrendDirection;
  readonly note: string;
};

/** Where a fault is. */
export type FaultStage = 'planned' | 'injected' | 'active' | 'healed' | 'failed' | 'skipped';

/** One fault on the timeline; times count from the start of the run. */
export type FaultRow = {
  readonly name: string;
  readonly what: string;
  readonly stage: FaultStage;
  readonly plannedAtMs: number;
  readonly plannedMs: number;
  readonly injectedAtMs: number | null;
  readonly activeAtMs: number | null;
  readonly healedAtMs: number | null;
  readonly note: string;
};

/** One line of the alert log, newest first. */
export type AlertRow = {
  readonly at: string;
  readonly rule: string;
  readonly text: string;
  readonly tone: Tone;
  readonly isActive: boolean;
};

/** The page at one moment. Its numbers come from the same lines as the run folder. */
export type DashboardFrame = {
  /** Changes when another run begins: the page then forgets the charts of the last one. */
  readonly runId: string;
  readonly title: string;
  readonly subtitle: string;
  /** Since the start of the run, or of watching. */
  readonly atMs: number;
  readonly status: { readonly tone: Tone; readonly word: string; readonly detail: string };
  readonly phase: {
    readonly name: string;
    readonly clock: string;
    readonly left: string;
    /** 0 to 1; null when nobody knows how long it takes. */
    readonly done: number | null;
  };
  readonly panels: readonly Panel[];
  readonly charts: readonly TrendChart[];
  /** The newest point of every line of the charts; null is a gap. */
  readonly points: Readonly<Record<string, number | null>>;
  readonly criteria: readonly CriterionRow[];
  readonly faults: readonly FaultRow[];
  readonly durationMs: number | null;
  readonly alerts: readonly AlertRow[];
  readonly isOver: boolean;
};
