/** Tags of a series: few values each, fixed when the actor starts. */
export type Tags = Readonly<Record<string, string>>;

/** A series is a metric plus its tags, written like Prometheus without quotes: `flv_startup_ms{group=viewers}`. */
export function seriesKey(metric: string, tags: Tags): string {
  const pairs = Object.keys(tags)
    .sort()
    .map((name) => `${name}=${tags[name] ?? ''}`);
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(',')}}`;
}

/** The inverse of {@link seriesKey}. */
export function parseSeriesKey(key: string): { metric: string; tags: Tags } {
  const brace = key.indexOf('{');
  if (brace < 0) return { metric: key, tags: {} };
  const pairs = key
    .slice(brace + 1, -1)
    .split(',')
    .map((pair) => pair.split('='));
  return { metric: key.slice(0, brace), tags: Object.fromEntries(pairs.map(([name, value]) => [name, value ?? ''])) };
}

/** Whether a series is of this metric and carries all of these tags. */
export function matchesSeries(key: string, metric: string, where: Tags = {}): boolean {
  // The verdict of a long run asks this millions of times.
  if (!key.startsWith(metric) || (key.length > metric.length && key[metric.length] !== '{')) return false;
  const wanted = Object.entries(where);
  if (wanted.length === 0) return true;
  const { tags } = parseSeriesKey(key);
  return wanted.every(([name, value]) => tags[name] === value);
}
