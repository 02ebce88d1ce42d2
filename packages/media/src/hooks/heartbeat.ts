import { hostname } from 'node:os';
import type { MediaHeartbeat } from '@showfloor/protocol';
import { signedPost } from './signed-post.ts';

/** SRS's interval, which commerce knows. */
export const HEARTBEAT_INTERVAL_MS = 9_900;
const TIMEOUT_MS = 3_000;

/** Tells commerce every 9.9 s that this server lives. Returns how to stop it. */
export function startHeartbeat(options: {
  url: string;
  secret: string;
  summaries: () => unknown;
  intervalMs?: number;
}): () => void {
  const beat = (): void => {
    const body: MediaHeartbeat = { device_id: hostname().slice(0, 64), summaries: options.summaries() };
    // A missed beat needs no retry: the next one is on its way, and its absence is what commerce looks for.
    void signedPost({ url: options.url, secret: options.secret, body, timeoutMs: TIMEOUT_MS });
  };
  beat();
  const timer = setInterval(beat, options.intervalMs ?? HEARTBEAT_INTERVAL_MS);
  return () => clearInterval(timer);
}
