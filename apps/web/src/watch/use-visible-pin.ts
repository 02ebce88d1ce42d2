import type { FeaturedProduct, ShowDetail } from '@showfloor/protocol';
import { useEffect, useRef, useState } from 'react';
import { serverClock } from '../api/server-clock.ts';
import { isPinDue, type Playhead } from './pin-gate.ts';

/** How often a waiting pin looks at the playhead: well under the 250 ms by which card and frame may differ. */
const LOOK_PERIOD_MS = 50;

/**
 * The pinned product to show now: it changes when the playhead reaches the instant of the pin or unpin. Its stock and
 * price are always the newest.
 */
export function useVisiblePin(
  detail: ShowDetail | undefined,
  unpinnedAtMs: number,
  playhead: () => Playhead,
): FeaturedProduct | null {
  const featured = detail?.featured ?? null;
  const atMs = featured?.pinnedAtMs ?? unpinnedAtMs;
  const productId = featured?.product.id ?? null;
  const isKnown = detail !== undefined;
  const [visible, setVisible] = useState<FeaturedProduct | null>(null);
  const wanted = useRef(featured);
  wanted.current = featured;

  useEffect(() => {
    if (!isKnown) return;
    const target = { featured: wanted.current, atMs, learntAtMs: performance.now() };
    const look = (): boolean => {
      if (!isPinDue(target, playhead(), performance.now(), serverClock.now())) return false;
      setVisible(productId === null ? null : wanted.current);
      return true;
    };
    if (look()) return;
    const timer = setInterval(() => look() && clearInterval(timer), LOOK_PERIOD_MS);
    return () => clearInterval(timer);
  }, [isKnown, productId, atMs, playhead]);

  if (visible === null) return null;
  const product = detail?.products.find(({ id }) => id === visible.product.id);
  return product === undefined ? visible : { ...visible, product };
}
