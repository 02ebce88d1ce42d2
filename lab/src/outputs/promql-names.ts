/** Which metrics a PromQL expression reads: enough of the language to hold rules and dashboards against what is exported. */

/** Words that look like a metric. */
const KEYWORDS = new Set(
  'by without on ignoring group_left group_right and or unless bool offset inf nan start end atan2'.split(' '),
);

/** Names in order of appearance, each once. */
export function metricNamesIn(expression: string): string[] {
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""') // texts
    .replace(/\{[^}]*\}/g, ' ') // label matchers
    .replace(/\[[^\]]*\]/g, ' ') // ranges
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' '); // lists of labels
  const words = bare.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])/g);
  return [...new Set([...words].map(([word]) => word))].filter((word) => !KEYWORDS.has(word.toLowerCase()));
}
