import { Command, InvalidArgumentError } from 'commander';
import { checkHls, type HlsReport } from '../hls-conformance/check-hls.ts';
import { type HlsOrigin, openHttp1Origin, openHttp2Origin } from '../hls-conformance/hls-origin.ts';
import { HLS_RULES, type HlsRuleId } from '../hls-conformance/rules.ts';
import { EXIT_CODES } from '../verdict/verdict.ts';

const SECONDS_DEFAULT = 20;
const EXAMPLES_MAX = 3;

type Options = { seconds: number; http2: boolean };

/** `conformance URL`: follows an HLS or LL-HLS stream and says which rules of the specification it breaks. */
export function conformanceCommand(): Command {
  return new Command('conformance')
    .description('follow an HLS or LL-HLS stream and hold it to the rules of the specification')
    .argument('<url>', 'multivariant or media playlist, e.g. http://127.0.0.1:8080/live/demo.m3u8')
    .option('--seconds <n>', 'how long to follow it', positive, SECONDS_DEFAULT)
    .option('--http2', 'ask by HTTP/2 (https only)', false)
    .action(async (url: string, options: Options) => {
      const base = URL.parse(url);
      if (base === null || !/^https?:$/.test(base.protocol)) {
        console.error(`lab: ${url} is no http or https URL`);
        process.exitCode = EXIT_CODES.usage;
        return;
      }
      console.log(`following ${url} for ${options.seconds} s`);
      process.exitCode = await run(base, options);
    });
}

async function run(base: URL, { seconds, http2 }: Options): Promise<number> {
  const origin: HlsOrigin = http2 ? openHttp2Origin(base) : openHttp1Origin();
  try {
    const report = await checkHls({ url: base.href, origin, seconds });
    console.log(describeReport(report));
    if (report.segments === 0) return EXIT_CODES.inconclusive;
    return report.book.breaches('must').length === 0 ? EXIT_CODES.passed : EXIT_CODES.failed;
  } catch (error) {
    console.error(`lab: ${base.href} cannot be followed: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_CODES.unreachable;
  } finally {
    origin.close();
  }
}

/** One line per rule, broken ones with what was seen; then the sum. */
export function describeReport({ book, protocol, isLowLatency, updates, parts, segments }: HlsReport): string {
  const lines = Object.entries(HLS_RULES).map(([id, { level, section, text }]) => {
    const rule = id as HlsRuleId;
    const findings = book.findings.filter((finding) => finding.rule === rule);
    const checks = book.checksOf(rule);
    const mark = findings.length > 0 ? '✗' : checks === 0 ? '–' : '✓';
    const examples = findings.slice(0, EXAMPLES_MAX).map(({ detail }) => `      ${detail}`);
    const count = findings.length > 0 ? `broken ${findings.length} of ${checks} times` : `${checks}`;
    return [`${mark} ${level.padEnd(6)} ${rule}: ${text} (${section}; ${count})`, ...examples].join('\n');
  });
  const musts = book.breaches('must').length;
  const shoulds = book.breaches('should').length;
  const kind = isLowLatency ? 'LL-HLS' : 'HLS';
  return [
    ...lines,
    '',
    `${kind} by ${protocol}: ${updates} lists, ${segments} segments, ${parts} parts read; ${musts} errors, ${shoulds} warnings`,
  ].join('\n');
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('a number of seconds above 0');
  return value;
}
