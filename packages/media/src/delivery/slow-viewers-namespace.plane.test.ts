import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../../test/plane-under-test.ts';
import type { SlowViewersResult } from '../../test/slow-viewers-in-namespace.ts';

const SCRIPT = fileURLToPath(new URL('../../test/slow-viewers-in-namespace.ts', import.meta.url));
/** Small in CI; the full size of the bar is 500, 50 of them slow: V4_VIEWERS=500. */
const VIEWERS = Number(process.env.V4_VIEWERS ?? 30);
const SLOW = Math.round(VIEWERS / 10);
const MB = 1024 * 1024;

/** Without root a namespace of users comes first. */
const NAMESPACE = process.getuid?.() === 0 ? ['-n'] : ['-rn'];
/**
 * The sysctl keeps what a viewer has not read in our process, where it is bounded, instead of up to 4 MB in the kernel. Receive buffers
 * are those of a phone, so that they are full in seconds.
 */
const SETUP = `ip link set lo up &&
  echo 131072 > /proc/sys/net/ipv4/tcp_notsent_lowat &&
  echo '4096 131072 524288' > /proc/sys/net/ipv4/tcp_rmem`;
const inNamespace = (command: string): string[] => [...NAMESPACE, 'sh', '-c', `${SETUP} && ${command}`];
const hasNamespace = spawnSync('unshare', inNamespace('ss -V')).status === 0 || process.env.CI === 'true'; // a missing one fails CI

test.skipIf(!hasNamespace)(
  `V4 ${SLOW} of ${VIEWERS} viewers at a tenth of the rate, tcp_notsent_lowat set: at most 2 MB each, neighbours unaffected (needs iproute2 and network namespaces)`,
  async () => {
    const script = inNamespace('exec "$0" "$@"');
    const { code, stdout, stderr } = await run('unshare', [
      ...script,
      process.execPath,
      SCRIPT,
      String(VIEWERS),
      String(SLOW),
    ]);
    expect([code, stderr]).toEqual([0, '']);
    const result = JSON.parse(stdout) as SlowViewersResult;
    expect(result.backlogMaxBytes).toBeGreaterThan(0.5 * MB); // it was put to the test
    expect(result.backlogMaxBytes + result.kernelMaxBytes).toBeLessThanOrEqual(2 * MB);
    expect(result.kernelMaxBytes).toBeLessThan(0.5 * MB);
    expect(result.rssGrowthBytes).toBeLessThanOrEqual(SLOW * 2 * MB + 20 * MB);
    expect(result.neighboursClosed).toBe(0);
    const withoutSlow = Math.max(result.neighboursP99Before, result.neighboursP99After);
    expect(result.neighboursP99During).toBeLessThanOrEqual(withoutSlow + 10);
    expect(result.skips).toBeGreaterThanOrEqual(SLOW);
    expect(result.cut).toBe(Math.floor(SLOW / 2)); // the others read again, and went on with a keyframe
    expect(result.gaps).toBeGreaterThanOrEqual(Math.ceil(SLOW / 2));
    expect(result.gapsWithKeyframe).toBe(result.gaps);
  },
  300_000,
);
