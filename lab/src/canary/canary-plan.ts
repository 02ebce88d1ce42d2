/** The canary: one viewer for each way of watching, in a process of its own that has nothing else to do. Pure. */
import type { Plan, PlannedVu } from '../engine/plan.ts';
import type { Group, Scenario } from '../engine/scenario.ts';
import type { VideoAbility } from '../verdict/criterion.ts';

/** A canary that watches the whole run would start once; one that comes again tells more than once how a start is now. */
const STAY_MS = 30_000;
const BETWEEN_MS = 1000;
/** Runs with fewer virtual users have none unless it is asked for: their threads are lightly loaded themselves. */
export const CANARY_FROM_VUS = 50;

/** Which group of the crowd a canary is compared with. */
export type CanaryGroup = { readonly name: string; readonly crowd: string; readonly protocol: VideoAbility };

/** What the canary's process does. */
export type CanaryPlan = {
  readonly groups: Readonly<Record<string, Group>>;
  readonly watched: readonly CanaryGroup[];
  readonly vus: readonly PlannedVu[];
};

/** In which way a group watches; null for groups that do not. */
export function protocolOf(group: Group): VideoAbility | null {
  if (group.actor === 'flv-viewer') return 'flv';
  if (group.actor !== 'hls-viewer') return null;
  return group.options.mode === 'low-latency' ? 'llhls' : 'hls';
}

/** The first group of each way of watching gets a canary. Null when nobody watches. */
export function planCanary(groups: Scenario['groups'], { durationMs }: Pick<Plan, 'durationMs'>): CanaryPlan | null {
  const watched: CanaryGroup[] = [];
  const canaries: Record<string, Group> = {};
  for (const [crowd, group] of Object.entries(groups)) {
    const protocol = protocolOf(group);
    if (protocol === null || watched.some((one) => one.protocol === protocol)) continue;
    const name = `canary-${protocol}`;
    watched.push({ name, crowd, protocol });
    canaries[name] = readingEverything(group);
  }
  if (watched.length === 0) return null;
  const vus = watched.flatMap(({ name }) => staysOf(name, canaries[name]?.actor ?? 'flv-viewer', durationMs));
  return { groups: canaries, watched, vus: vus.map((vu, id) => ({ ...vu, id, slot: id })) };
}

function readingEverything(group: Group): Group {
  if (group.actor === 'flv-viewer') {
    return { ...group, options: { profile: group.options.profile, sampleEvery: 1 } };
  }
  if (group.actor !== 'hls-viewer') return group;
  return { ...group, options: { profile: group.options.profile, mode: group.options.mode, sampleEvery: 1 } };
}

/** One after the other; the last one stays to the end. */
function staysOf(group: string, actor: Group['actor'], durationMs: number): Omit<PlannedVu, 'id' | 'slot'>[] {
  const count = Math.max(1, Math.floor(durationMs / STAY_MS));
  return Array.from({ length: count }, (_, indexInGroup) => ({
    group,
    actor,
    indexInGroup,
    startAtMs: indexInGroup * STAY_MS,
    stopAtMs: indexInGroup === count - 1 ? durationMs : (indexInGroup + 1) * STAY_MS - BETWEEN_MS,
  }));
}
