/** Who watches a run from outside while it goes on: the dashboard, and whoever reads its metrics. */
import { observeAll, type RunObserver } from '../engine/run-observer.ts';
import type { Scenario } from '../engine/scenario.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import { type CollectFlags, openPrometheus } from './collect-flags.ts';
import { type DashboardFlags, openDashboard } from './dashboard-flags.ts';

/** Open until `close`. */
export type RunWatchers = {
  readonly observer: RunObserver;
  readonly finish: (verdict: RunVerdict) => void;
  readonly close: () => Promise<void>;
};

/** All that the flags ask for, or none of it. Throws DashboardPortError and EndpointError. */
export async function openWatchers(
  flags: CollectFlags & DashboardFlags,
  scenario: Pick<Scenario, 'name' | 'groups'>,
): Promise<RunWatchers> {
  const dashboard = await openDashboard(flags, scenario.name);
  try {
    const metrics = await openPrometheus(flags);
    return {
      observer: observeAll([metrics.observer, dashboard.observer(scenario.groups)]),
      finish: dashboard.finish,
      close: async () => {
        await Promise.all([dashboard.close(), metrics.close()]);
      },
    };
  } catch (error) {
    await dashboard.close();
    throw error;
  }
}
