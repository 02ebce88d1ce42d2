/** What a shopper sees of a hold: the time left on the server's clock. */
export type HoldCountdown = {
  readonly remainingMs: number;
  /** `9:59`, rounded up to the second, so that `0:00` means over. */
  readonly text: string;
  readonly phase: 'calm' | 'soon' | 'last-minute' | 'over';
};

const MINUTE_MS = 60_000;
/** Minutes left at which a screen reader is told. */
const ANNOUNCED_MINUTES = [5, 1] as const;

/** `serverNowMs` is this browser's clock plus its measured offset from the server's. */
export function holdCountdown(holdExpiresAtMs: number, serverNowMs: number): HoldCountdown {
  const remainingMs = Math.max(0, holdExpiresAtMs - serverNowMs);
  const seconds = Math.ceil(remainingMs / 1_000);
  const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  return { remainingMs, text, phase: phaseOf(remainingMs) };
}

function phaseOf(remainingMs: number): HoldCountdown['phase'] {
  if (remainingMs <= 0) return 'over';
  if (remainingMs <= MINUTE_MS) return 'last-minute';
  return remainingMs <= 5 * MINUTE_MS ? 'soon' : 'calm';
}

/** The mark (in minutes) passed between two looks at the clock, or null. Each is announced once. */
export function minuteMarkPassed(beforeMs: number, nowMs: number): 5 | 1 | null {
  return ANNOUNCED_MINUTES.find((minutes) => beforeMs > minutes * MINUTE_MS && nowMs <= minutes * MINUTE_MS) ?? null;
}
