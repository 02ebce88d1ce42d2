import { useEffect, useState } from 'react';
import { serverClock } from '../api/server-clock.ts';

/** The server's wall clock, renewed every half second while `isRunning`: countdowns never skip a second. */
export function useServerNow(isRunning: boolean): number {
  const [nowMs, setNow] = useState(() => serverClock.now());
  useEffect(() => {
    if (!isRunning) return;
    setNow(serverClock.now());
    const timer = setInterval(() => setNow(serverClock.now()), 500);
    return () => clearInterval(timer);
  }, [isRunning]);
  return nowMs;
}
