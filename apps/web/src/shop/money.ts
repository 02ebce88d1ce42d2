/**
 * Money as people read it. Amounts are integers in the currency's minor unit (ISO 4217 decides how many digits that
 * is: 2 for EUR, 0 for JPY, 3 for KWD).
 */
export function formatMoney(amountMinor: number, currency: string, locale?: string): string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
  return format.format(amountMinor / 10 ** minorDigits(currency));
}

/** What a seller types, as minor units; null when it is no amount or finer than the currency. Comma and dot both part. */
export function parseMoney(text: string, currency: string): number | null {
  const match = /^(\d{1,7})(?:[.,](\d{1,3}))?$/.exec(text.trim());
  if (match === null) return null;
  const digits = minorDigits(currency);
  const fraction = match[2] ?? '';
  if (fraction.length > digits) return null;
  return Number(`${match[1] ?? ''}${fraction.padEnd(digits, '0')}`);
}

function minorDigits(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}
