/** `--dashboard [port]`: shows a run in a browser while it goes on. */
import { type Command, InvalidArgumentError } from 'commander';
import { type DashboardFeed, feedOfRun } from '../dashboard/dashboard-feed.ts';
import { DASHBOARD_PORT, type Dashboard, startDashboard } from '../dashboard/start-dashboard.ts';
import type { RunObserver } from '../engine/run-observer.ts';
import type { Scenario } from '../engine/scenario.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';

const PORT_MAX = 65_535;

/** Where it listens. */
export type DashboardPlace = { readonly host?: string; readonly port: number };

/** What the flag says; `true`: on its usual port. */
export type DashboardFlags = { readonly dashboard?: DashboardPlace | true };

/** Adds the flag to a command. */
export function addDashboardFlag(command: Command): Command {
  return command.option(
    '--dashboard [port]',
    `watch it in a browser; port, or address:port to be seen from other machines (default: ${DASHBOARD_PORT} on this one)`,
    parsePlace,
  );
}

/** The dashboard of one command; with `--repeat`, of one run after the other. */
export type RunDashboard = {
  readonly observer: (groups: Scenario['groups']) => RunObserver;
  /** The last word of the run that was observed last. */
  readonly finish: (verdict: RunVerdict) => void;
  readonly close: () => Promise<void>;
};

/** Nothing without the flag. Throws DashboardPortError. */
export async function openDashboard({ dashboard: place }: DashboardFlags, title: string): Promise<RunDashboard> {
  if (place === undefined) return { observer: () => ({}), finish: () => {}, close: async () => {} };
  const dashboard = await openAt(place, title);
  let feed: DashboardFeed | null = null;
  const show = (): void => {
    if (feed !== null) dashboard.push(feed.frame());
  };
  return {
    observer: (groups) => ({
      started: (manifest) => {
        feed = feedOfRun(manifest, groups);
        show();
      },
      progressed: (progress) => {
        feed?.addProgress(progress);
        show();
      },
      event: (event) => feed?.addEvent(event),
      sampled: (line) => feed?.addLine(line),
    }),
    finish: (verdict) => {
      feed?.finish(verdict);
      show();
    },
    close: () => dashboard.close(),
  };
}

/** Starts it and says where it is. Throws DashboardPortError. */
export async function openAt(place: DashboardPlace | true, title: string): Promise<Dashboard> {
  const dashboard = await startDashboard({ ...(place === true ? {} : place), title });
  console.log(`dashboard: ${dashboard.url}`);
  return dashboard;
}

/** Reads `9090`, `0.0.0.0:9090` or `[::]:9090`. */
export function parsePlace(text: string): DashboardPlace {
  const [, six, host, digits] = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > PORT_MAX) {
    throw new InvalidArgumentError('It must be a port, 0 to 65535, or address:port.');
  }
  const address = six ?? host;
  return address === undefined ? { port } : { host: address, port };
}
