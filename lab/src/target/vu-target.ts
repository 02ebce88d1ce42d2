/** The target as one virtual user meets it: through the network of its group, and watching one stream of several. */
import type { PlannedVu } from '../engine/plan.ts';
import type { TargetDescription } from './target.ts';

/** `groupTargets`: groups that reach the target in a way of their own. */
export type ReachableTarget = {
  readonly target: TargetDescription;
  readonly groupTargets?: Readonly<Record<string, TargetDescription>>;
};

/** Viewers of a group are dealt out over the streams in turn. */
export function targetOfVu(
  { target, groupTargets = {} }: ReachableTarget,
  { group, indexInGroup }: Pick<PlannedVu, 'group' | 'indexInGroup'>,
): TargetDescription {
  const reached = groupTargets[group] ?? target;
  const { streams = [] } = reached;
  const stream = streams[indexInGroup % streams.length];
  if (stream === undefined) return reached;
  return { ...reached, subject: stream.name, flvUrl: stream.flvUrl, hls: stream.hls };
}
