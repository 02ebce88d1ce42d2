/** What can be wrong with a network, as data, and what several such faults together do to one direction of it. */
import { assertNever } from '../assert-never.ts';

/** The way bytes go: from the target to the viewers, or from the viewers to the target. */
export type Direction = 'to-client' | 'to-target';

/** Where a fault works. */
export type Directions = Direction | 'both';

/**
 * One fault. Without `direction` it works both ways; delays count for each way.
 * - `latency`: every byte comes this much later, give or take `jitterMs` (seeded); order is kept.
 * - `bandwidth`: no more than this, per connection.
 * - `slow-close`: the end of a connection reaches the other side this much later.
 * - `timeout`: connections are accepted and nothing is forwarded; those that met it are reset when it is lifted.
 * - `reset`: every connection is reset, and so is every new one.
 * - `slicer`: bytes come in pieces no larger than this, with pauses between them.
 * - `partition`: nothing passes; nothing is lost either: as with TCP over a cut cable, it comes once the cable is back.
 *   A new connection is made by this host's kernel and reaches the target after the partition. Kinder than a real cut: there TCP
 *   tries again at growing intervals, so that bytes may come as much later as the cut was long; here they come at once.
 */
export type NetworkFault =
  | {
      readonly kind: 'latency';
      readonly latencyMs: number;
      readonly jitterMs?: number;
      readonly direction?: Directions;
    }
  | { readonly kind: 'bandwidth'; readonly bytesPerSecond: number; readonly direction?: Directions }
  | { readonly kind: 'slow-close'; readonly delayMs: number }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'slicer'; readonly pieceBytes: number; readonly gapMs: number; readonly direction?: Directions }
  | { readonly kind: 'partition'; readonly direction?: Directions };

/** What all faults together do to one direction. */
export type Shape = {
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly bytesPerSecond: number | null;
  readonly slice: { readonly pieceBytes: number; readonly gapMs: number } | null;
  readonly closeDelayMs: number;
  /** Nothing passes. */
  readonly isHeld: boolean;
};

/** A healthy network. */
export const CLEAR_SHAPE: Shape = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: null,
  slice: null,
  closeDelayMs: 0,
  isHeld: false,
};

/** Delays add up; of two limits the tighter one counts. */
export function shapeOf(faults: readonly NetworkFault[], direction: Direction): Shape {
  return faults
    .filter(
      (fault) => !('direction' in fault) || (fault.direction ?? 'both') === 'both' || fault.direction === direction,
    )
    .reduce(withFault, CLEAR_SHAPE);
}

function withFault(shape: Shape, fault: NetworkFault): Shape {
  switch (fault.kind) {
    case 'latency':
      return {
        ...shape,
        latencyMs: shape.latencyMs + fault.latencyMs,
        jitterMs: shape.jitterMs + (fault.jitterMs ?? 0),
      };
    case 'bandwidth':
      return { ...shape, bytesPerSecond: Math.min(shape.bytesPerSecond ?? Infinity, fault.bytesPerSecond) };
    case 'slow-close':
      return { ...shape, closeDelayMs: shape.closeDelayMs + fault.delayMs };
    case 'slicer': {
      const { pieceBytes, gapMs } = fault;
      return shape.slice !== null && shape.slice.pieceBytes <= pieceBytes
        ? shape
        : { ...shape, slice: { pieceBytes, gapMs } };
    }
    case 'timeout':
    case 'partition':
      return { ...shape, isHeld: true };
    case 'reset':
      return shape;
    default:
      return assertNever(fault);
  }
}
