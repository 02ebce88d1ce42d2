import type { PlaybackFailure } from './playback-policy.ts';

/** What an HTTP status other than success says about a stream; 0: no answer. */
export function failureOfStatus(status: number): PlaybackFailure {
  if (status === 404 || status === 410) return 'absent';
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429; // too slow, too many: passing
  return isRefusal ? 'refused' : 'lost';
}
