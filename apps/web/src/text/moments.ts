/** A moment as people say it, in the reader's own time zone: `Fri 20 Nov, 18:00`. */
export function formatMoment(wallMs: number, locale?: string): string {
  return new Intl.DateTimeFormat(locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  }).format(wallMs);
}

/** The time of a chat message: `18:04`. */
export function formatClock(wallMs: number, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' }).format(wallMs);
}
