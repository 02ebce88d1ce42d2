import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { whyNot } from './machine.ts';

/** Half an hour is `npm run bench -- churn`. */
const SECONDS = 60;

test.skipIf(whyNot() !== null)(
  'memory returns to where it began when viewers have come and gone',
  { timeout: (SECONDS + 120) * 1_000 },
  async () => {
    const bench = fileURLToPath(new URL('./churn.bench.ts', import.meta.url));
    const child = spawn(process.execPath, [bench, '--seconds', String(SECONDS), '--viewers', '150'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('All bars that were measured hold') });
  },
);
